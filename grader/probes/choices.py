"""Asks a function that chooses actions, often and with several probabilities of exploring."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.context import expect
from grader.probes.values import TYPE_CHARS, renamed
from grader.records.arrays import ArrayRecord
from grader.records.evidence import FunctionTrial
from grader.records.messages import Kept
from grader.records.practice_requests import CallEach, MakeGenerator
from grader.records.text import clean_line
from grader.records.wire import type_name
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Values = npt.NDArray[np.float32]

_DRAWS: Final = 3000
_GREEDY_DRAWS: Final = 60
_GENERATOR_SEED: Final = 211


def _questions(seed: int) -> tuple[tuple[str, Values, float, int], ...]:
    """Label, values of the actions, ε, and how often to ask."""
    rng = np.random.default_rng([seed, 5])

    def values(*numbers: float) -> Values:
        return np.array(numbers, np.float32)

    def drawn(count: int) -> Values:
        return rng.normal(size=count).astype(np.float32)

    return (
        ("ε = 0", drawn(5), 0.0, _GREEDY_DRAWS),
        ("ε = 0, the last action is best", values(-3.0, 0.5, 1.0, 2.5), 0.0, _GREEDY_DRAWS),
        ("ε = 0, negative values only", values(-2.0, -9.0, -0.5, -4.0), 0.0, _GREEDY_DRAWS),
        ("ε = 0, two actions are equally good", values(0.0, 2.0, -1.0, 2.0), 0.0, _GREEDY_DRAWS),
        ("ε = 1", drawn(5), 1.0, _DRAWS),
        ("ε = 1, two actions", values(1.0, -1.0), 1.0, _DRAWS),
        ("ε = 0.1", drawn(4), 0.1, _DRAWS),
        ("ε = 0.5", drawn(6), 0.5, _DRAWS),
    )


def choice_trials(worker: Worker, seed: int, names: dict[str, str]) -> tuple[FunctionTrial, ...]:
    """The actions that come back for each probability of exploring.

    The function is offered `q_values`, `epsilon`, a numpy generator and a seed that is another one
    in every call; it may take its random numbers from where it likes.

    Args:
        worker: has the function under the role `function`.
        seed: draws the values of the actions.
        names: names under which the arguments are offered, where they are others.
    """
    trials: list[FunctionTrial] = []
    for label, values, epsilon, count in _questions(seed):
        given: dict[str, ArrayRecord | int | float] = {
            "q_values": ArrayRecord.of(values),
            "epsilon": epsilon,
        }
        stage = f"calling the function ({label})"
        calls = tuple(
            renamed({
                "q_values": values, "epsilon": epsilon, "rng": Kept(name="rng"),
                "seed": 1000 * len(trials) + call,
            }, names)
            for call in range(count)
        )  # fmt: skip
        try:
            if not trials:
                worker.ask(MakeGenerator(keep="rng", seed=_GENERATOR_SEED), "making a generator")
            answers = worker.ask(CallEach(target="function", calls=calls), stage)
            expect(
                isinstance(answers, list) and len(answers) == count, stage, "answers are missing"
            )
        except WorkerIncident as error:
            trials.append(FunctionTrial(label=label, arguments=given, incident=error.incident))
            continue
        trials.append(_trial(label, given, answers))
    return tuple(trials)


def _trial(label: str, given: dict[str, Any], answers: list[Any]) -> FunctionTrial:
    actions: list[int] = []
    for answer in answers:
        action = _whole(answer)
        if action is None:
            shown = type_name(answer)
            if isinstance(answer, float | bool | str):
                shown = f"{shown} {answer!r}"
            return FunctionTrial(
                label=label, arguments=given, result_type=clean_line(shown, TYPE_CHARS)
            )
        actions.append(action)
    return FunctionTrial(
        label=label, arguments=given, result=ArrayRecord.of(np.array(actions, np.int64)),
        result_type=clean_line(type_name(answers[0]), TYPE_CHARS),
    )  # fmt: skip


def _whole(answer: object) -> int | None:
    """A whole number, or an array that holds nothing else than one."""
    if isinstance(answer, bool | np.bool_):
        return None
    if isinstance(answer, np.ndarray | np.generic) and answer.size == 1:
        array = np.asarray(answer)
        fits = array.dtype.kind in "iu" and int(array.reshape(-1)[0]) < 2**63
        return int(array.reshape(-1)[0]) if fits else None
    return answer if isinstance(answer, int) and -(2**63) <= answer < 2**63 else None
