"""What a reference consists of: the right values, the known mistakes, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.checks.function_codes import FunctionCode
from grader.checks.trials import cases_text, matches
from grader.records.evidence import FunctionTrial
from grader.records.result import Finding

Array = npt.NDArray[Any]
Arguments = Mapping[str, Any]
Mistakes = frozenset[str]
Wrong = Iterator[tuple[Mistakes, Array]]
"""Sets of mistakes and what comes out when they are made."""
NONE: Final[Mistakes] = frozenset()


@dataclass(frozen=True)
class Told:
    """How one mistake is told."""

    code: StrEnum
    claim: str
    advice: str
    is_slip: bool = True
    """Whether it leaves the idea intact, so that alone it costs at most half of the points."""


@dataclass(frozen=True)
class Answer:
    """A trial with its reference."""

    trial: FunctionTrial
    arguments: dict[str, Any]
    expected: Array
    received: Array | None
    right: bool


def _nothing(_answers: list[Answer], _where: str) -> tuple[Finding, ...]:
    return ()


@dataclass(frozen=True)
class FunctionReference:
    """A function that students write."""

    compute: Callable[..., Array]
    """The right values; called with a case's arguments."""
    explain: Callable[[Arguments, Array, float, float], tuple[Mistakes, ...]]
    """All sets of known mistakes that lead to a wrong result, the smallest first; called with the
    arguments, the result, and the absolute and relative tolerance."""
    told: Mapping[str, Told]
    """By mistake, in the order in which they are told."""
    shape_advice: str
    values_advice: str
    result: str = "a numpy.ndarray of numbers"
    """What should come back."""
    no_result_advice: str = "Return the output array; a function without `return` returns None."
    not_finite: Told = Told(
        FunctionCode.NOT_FINITE, "There are values that are not finite (NaN or infinity).",
        "Start from `np.zeros`, not `np.empty`, and do not divide by a sum that can be 0.",
    )  # fmt: skip
    numpy_only: bool = False
    """Whether right values that come as something else than a numpy array deserve a warning."""
    pattern: Callable[[list[Answer], str], tuple[Finding, ...]] = field(default=_nothing)
    """The finding when the cases that are right have something in common that explains all others;
    called with all answers and the place of the function."""


def explainer(
    wrong: Callable[..., Wrong], told: Mapping[str, Told]
) -> Callable[[Arguments, Array, float, float], tuple[Mistakes, ...]]:
    """The `explain` of a reference whose wrong results are listed.

    Args:
        wrong: called with a case's arguments; the right result may be among the listed ones.
        told: the mistakes in their order.
    """
    order = {mistake: number for number, mistake in enumerate(told)}

    def explain(
        arguments: Arguments, received: Array, absolute: float, relative: float
    ) -> tuple[Mistakes, ...]:
        with np.errstate(all="ignore"):
            found = {
                mistakes
                for mistakes, values in wrong(**arguments)
                if mistakes
                and np.all(np.isfinite(values))
                and matches(received, np.asarray(values, dtype=np.float64), absolute, relative)
            }
        return tuple(
            sorted(found, key=lambda made: (len(made), sorted(order[name] for name in made)))
        )

    return explain


def combined(*names: str | None) -> Mistakes:
    """A set of mistakes; None stands for none."""
    return frozenset(name for name in names if name is not None)


def cases_of(group: list[Answer]) -> str:
    """The cases of some answers, in words."""
    return cases_text([answer.trial.label for answer in group])


def call_text(answer: Answer) -> str:
    """What the function was called with, in words."""
    parts = [
        f"{name} {value.dtype} {value.shape}"
        if isinstance(value, np.ndarray)
        else f"{name} {value}"
        for name, value in answer.arguments.items()
    ]
    return f"for {', '.join(parts)}"
