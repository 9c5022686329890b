"""A loss's answers beside the reference, and the known mistakes that explain wrong ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.checks.loss_forms import REDUCTIONS, Cause, LossMistake, fitted_delta, forms
from grader.checks.references import huber_gradient, huber_loss
from grader.checks.trials import cover, matches
from grader.errors import GraderFault
from grader.records.arrays import ArrayRecord
from grader.records.evidence import FunctionTrial, TrainingEvidence

Array = npt.NDArray[Any]

RELATIVE_TOLERANCE: Final = 1e-4
"""Of the largest value. Single precision keeps 7 digits; a mean of 200 terms loses one or two."""
VALUE_TOLERANCE: Final = 1e-6
GRADIENT_TOLERANCE: Final = 1e-7


@dataclass(frozen=True)
class LossAnswer:
    """A trial with its reference, and what explains it."""

    trial: FunctionTrial
    error: Array
    """float64, y_pred − y_true."""
    value: float
    slopes: Array
    received: Array | None
    value_right: bool
    gradient_right: bool
    cause: Cause | None = None

    @property
    def label(self) -> str:
        """The name of the case."""
        return self.trial.label


def answer_of(trial: FunctionTrial, delta: float) -> LossAnswer:
    """What came back in one case, beside the mean Huber loss and its gradient.

    Raises:
        GraderFault: the case does not fit the reference; the author of the cases must act.
    """
    arrays = [trial.arguments.get("y_true"), trial.arguments.get("y_pred")]
    y_true, y_pred = (a.array() if isinstance(a, ArrayRecord) else np.empty(0) for a in arrays)
    try:
        value = huber_loss(y_true, y_pred, delta)
        slopes = huber_gradient(y_true, y_pred, delta)
    except ValueError as error:
        raise GraderFault(f"case {trial.label!r} does not fit the reference: {error}") from error
    received = trial.result.array() if trial.result is not None else None
    if trial.incident is not None or (received is not None and received.dtype.kind not in "iuf"):
        received = None
    recorded = trial.gradient if trial.incident is None else None
    gradient = recorded.array() if recorded is not None else None
    return LossAnswer(
        trial=trial,
        error=y_pred.astype(np.float64) - y_true.astype(np.float64),
        value=value,
        slopes=slopes,
        received=received,
        value_right=received is not None and same_value(received, np.asarray(value)),
        gradient_right=gradient is not None and same_gradient(gradient, slopes),
    )


def same_value(received: Array, expected: Array) -> bool:
    """Whether a loss has this value; one number may come in an array of any shape."""
    if expected.size == 1 and received.size == 1:
        received, expected = received.reshape(()), expected.reshape(())
    return matches(received, expected, VALUE_TOLERANCE, RELATIVE_TOLERANCE)


def same_gradient(received: Array, expected: Array) -> bool:
    """Whether a gradient has these values, up to rounding."""
    return matches(received, expected, GRADIENT_TOLERANCE, RELATIVE_TOLERANCE)


def explain(
    answers: list[LossAnswer], delta: float
) -> tuple[list[LossAnswer], dict[str, frozenset[int]]]:
    """The answers with the cause of each wrong value, and all cases that each cause explains."""
    wrong = [
        i for i, answer in enumerate(answers)
        if answer.received is not None and not answer.value_right
        and np.all(np.isfinite(answer.received))
    ]  # fmt: skip
    causes: dict[str, Cause] = {}
    explained: dict[str, frozenset[int]] = {}
    for cause in _causes(answers, wrong, delta):
        causes[cause.text] = cause
        explained[cause.text] = frozenset(
            i for i in wrong
            if (received := answers[i].received) is not None
            and same_value(received, cause.value(answers[i].error))
        )  # fmt: skip
    # A δ fitted to one case explains that case, whatever the loss is.
    likely = {
        text: cases for text, cases in explained.items()
        if causes[text].form.mistake is not LossMistake.OTHER_DELTA or len(cases) > 1
    }  # fmt: skip
    chosen, _ = cover(wrong, likely)
    told = list(answers)
    for text, cases in chosen:
        for i in cases:
            told[i] = replace(answers[i], cause=causes[text])
    return told, explained


def _causes(answers: list[LossAnswer], wrong: list[int], delta: float) -> list[Cause]:
    fits = (
        fitted_delta(answers[i].error, received.item())
        for i in wrong
        if (received := answers[i].received) is not None and received.size == 1
    )
    other_delta = next((fit for fit in fits if fit is not None), None)
    pairs = [
        Cause(form, reduction) for form in forms(delta, other_delta) for reduction in REDUCTIONS
    ]
    return sorted((cause for cause in pairs if cause.mistakes), key=lambda c: len(c.mistakes))


def loss_mistakes(evidence: TrainingEvidence, delta: float) -> frozenset[LossMistake] | None:
    """The mistakes behind the wrong values of a loss; None when no value is wrong.

    Empty when the values are wrong in a way that nothing known explains.
    """
    answers, _ = explain([answer_of(trial, delta) for trial in evidence.loss], delta)
    wrong = [a for a in answers if a.received is not None and not a.value_right]
    if not wrong:
        return None
    return frozenset(m for a in wrong if a.cause is not None for m in a.cause.mistakes)
