"""Judge of `training.loss`: is it the mean Huber loss, and can it be differentiated?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import JudgeInput
from grader.checks.interface import graded, interface_verdict, missing_role_verdict
from grader.checks.loss_answers import (
    GRADIENT_TOLERANCE,
    RELATIVE_TOLERANCE,
    LossAnswer,
    answer_of,
    explain,
    same_gradient,
)
from grader.checks.loss_forms import (
    REDUCTIONS,
    Cause,
    LossMistake,
    forms,
)
from grader.checks.trials import (
    cases_text,
    fault_verdict,
    first_difference,
    incident_findings,
    number,
    show,
    worst,
)
from grader.records.evidence import TrainingEvidence
from grader.records.result import Finding, Severity, Verdict
from grader.records.settings import TrainingSettings

Array = npt.NDArray[Any]
ROLE: Final = "loss"

VALUE_SHARE: Final = 2 / 3
"""Share of the points for the values; the rest is for the gradient."""
NOT_AVERAGED_CREDIT: Final = 0.5
"""Credit when a vector came back whose mean is the loss: right but for the last line."""

SLIP_CREDIT: Final = 0.5
"""Least share of the points when all that is wrong is one slip in a Huber loss."""
_SLIPS: Final = frozenset(
    {LossMistake.SUMMED, LossMistake.FACTOR, LossMistake.OTHER_DELTA, LossMistake.OFFSET}
)
"""Mistakes that leave the idea of the Huber loss intact: bounded slopes on both sides."""


class LossCode(StrEnum):
    """Codes of findings about a loss function."""

    NOT_SCALAR = "TR101"
    SUMMED = "TR102"
    FACTOR = "TR103"
    SQUARED_ERROR = "TR104"
    ABSOLUTE_ERROR = "TR105"
    OTHER_DELTA = "TR106"
    OFFSET = "TR107"
    SIGN = "TR108"
    BRANCHES = "TR109"
    SMOOTH = "TR110"
    WRONG_VALUES = "TR111"
    NOT_FINITE = "TR112"
    NOT_A_NUMBER = "TR113"
    NOT_DIFFERENTIABLE = "TR114"
    GRADIENT_NOT_FINITE = "TR115"
    WRONG_GRADIENT = "TR116"


TOLD: Final[dict[LossMistake, tuple[LossCode, str, str]]] = {
    LossMistake.NOT_SCALAR: (
        LossCode.NOT_SCALAR, "The loss is not averaged to one number.",
        "End with `tf.reduce_mean(loss)`, without an `axis`. `keras.losses.huber` averages over "
        "the last axis only."),
    LossMistake.SUMMED: (
        LossCode.SUMMED, "The loss is summed where it should be averaged.",
        "Use `tf.reduce_mean` over all elements instead of `tf.reduce_sum`."),
    LossMistake.FACTOR: (
        LossCode.FACTOR, "The factor 1/2 of the Huber loss is missing.",
        "Small errors cost `0.5 * error**2`, large ones `delta * (abs(error) - 0.5 * delta)`."),
    LossMistake.SQUARED_ERROR: (
        LossCode.SQUARED_ERROR, "This is the squared error, not the Huber loss.",
        "Only errors up to δ are squared; beyond it the loss grows linearly."),
    LossMistake.ABSOLUTE_ERROR: (
        LossCode.ABSOLUTE_ERROR, "This is the absolute error, not the Huber loss.",
        "Errors up to δ cost `0.5 * error**2`; only beyond it the loss is linear."),
    LossMistake.OTHER_DELTA: (
        LossCode.OTHER_DELTA, "The loss turns from quadratic to linear at the wrong δ.",
        "Use the δ of the assignment."),
    LossMistake.OFFSET: (
        LossCode.OFFSET, "The two pieces of the loss do not meet at δ.",
        "The linear piece is `delta * (abs(error) - 0.5 * delta)`."),
    LossMistake.SIGN: (
        LossCode.SIGN, "Errors of one sign are treated as small, however large they are.",
        "Compare `tf.abs(error)` with δ, not `error`."),
    LossMistake.BRANCHES: (
        LossCode.BRANCHES, "The two pieces of the loss are exchanged.",
        "In `tf.where(condition, a, b)`, `a` is taken where the condition holds: with "
        "`abs(error) <= delta` the quadratic piece comes first."),
    LossMistake.SMOOTH: (
        LossCode.SMOOTH, "This is a smooth relative of the Huber loss, not the Huber loss.",
        "Use the two pieces: `0.5 * error**2` up to δ, `delta * (abs(error) - 0.5 * delta)` "
        "beyond."),
}  # fmt: skip


def judge_loss(given: JudgeInput) -> Verdict:
    """Values for two thirds, gradients for one third, each by the share of cases that are right.

    Cases where everything is zero are right by accident for many a wrong loss; they earn nothing
    unless another case is right too. One slip that explains all that is wrong, gradients included,
    costs at most half: a sum instead of a mean makes every case wrong, and is one word.

    Raises:
        GraderFault: a recorded case does not fit the reference; the author of the cases must act.
    """
    evidence: TrainingEvidence = given.evidence
    settings: TrainingSettings = given.part_settings
    if (missing := missing_role_verdict(evidence, ROLE)) is not None:
        return missing
    if not evidence.loss and (incomplete := interface_verdict(evidence)) is not None:
        return incomplete
    outcomes = [(trial.label, trial.incident) for trial in evidence.loss]
    fault = fault_verdict(outcomes, "the loss")
    if fault is not None:
        return fault
    answers, possible = explain(
        [answer_of(trial, settings.delta) for trial in evidence.loss], settings.delta
    )
    where = evidence.place(ROLE)
    findings = (
        *_value_findings(answers, possible, settings.delta, where),
        *_gradient_findings(answers, where),
        *incident_findings(outcomes, where),
    )
    values = _share(answers, lambda a: a.value_right, lambda a: a.value > 0)
    gradients = _share(answers, lambda a: a.gradient_right, lambda a: bool(np.any(a.slopes)))
    fraction = 1.0 if values == gradients == 1.0 else (
        VALUE_SHARE * values + (1 - VALUE_SHARE) * gradients
    )  # fmt: skip
    if _is_slip(answers):
        fraction = max(fraction, SLIP_CREDIT)
    verdict = graded(fraction, findings)
    return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})


def _share(
    answers: list[LossAnswer],
    right: Callable[[LossAnswer], bool],
    informative: Callable[[LossAnswer], bool],
) -> float:
    """The share of the cases that are right."""
    earned = [1.0 if right(a) else _not_averaged(a) for a in answers]
    told = any(credit for credit, a in zip(earned, answers, strict=True) if informative(a))
    return sum(earned) / len(earned) if told else 0.0


def _is_slip(answers: list[LossAnswer]) -> bool:
    """Whether one slip explains every wrong value, and every gradient follows from it."""
    causes = {a.cause.mistakes for a in answers if a.cause is not None}
    return (
        len(causes) == 1
        and set(next(iter(causes))) <= _SLIPS
        and len(next(iter(causes))) == 1
        and all(a.value_right or a.cause is not None for a in answers)
        and all(
            a.gradient_right
            or (
                a.cause is not None
                and a.trial.gradient is not None
                and same_gradient(a.trial.gradient.array(), a.cause.gradient(a.error))
            )
            for a in answers
        )
    )


def _not_averaged(answer: LossAnswer) -> float:
    """Credit for a differentiable vector of Huber losses whose mean is the loss."""
    cause = answer.cause
    gradient = answer.trial.gradient
    if (
        cause is None
        or cause.mistakes != (LossMistake.NOT_SCALAR,)
        or not cause.reduction.mean_is_right
        or gradient is None
    ):
        return 0.0
    consistent = same_gradient(gradient.array(), cause.gradient(answer.error))
    return NOT_AVERAGED_CREDIT if consistent else 0.0


# --- findings -----------------------------------------------------------------------------------


def _value_findings(
    answers: list[LossAnswer], explained: dict[str, frozenset[int]], delta: float, where: str
) -> tuple[Finding, ...]:
    answered = [(i, a) for i, a in enumerate(answers) if a.trial.incident is None]
    seen: dict[LossMistake, list[int]] = {}
    for i, answer in answered:
        if answer.cause is None:
            continue
        for mistake in answer.cause.mistakes:
            if i not in explained.get(_without(answer.cause, mistake, delta).text, ()):
                seen.setdefault(mistake, []).append(i)
    findings = []
    for mistake in LossMistake:
        if mistake in seen:
            code, claim, advice = TOLD[mistake]
            group = [answers[i] for i in seen[mistake]]
            findings.append(_finding(code, claim, advice, group, delta, where))
    wrong = [a for _, a in answered if not a.value_right and a.cause is None]
    nothing = [a for a in wrong if a.received is None]
    infinite = [a for a in wrong if a.received is not None and not np.all(np.isfinite(a.received))]
    other = [a for a in wrong if a.received is not None and np.all(np.isfinite(a.received))]
    for code, claim, advice, group in (
        (LossCode.NOT_A_NUMBER, "What comes back is no number.",
         "Return the loss as a TensorFlow scalar; a function without `return` returns None.",
         nothing),
        (LossCode.NOT_FINITE, "The loss is not finite (NaN or infinity).",
         "Avoid logarithms, divisions and roots of the error: the Huber loss needs none.",
         infinite),
        (LossCode.WRONG_VALUES, "The loss has the wrong value.",
         "Compute one small case by hand: `0.5 * error**2` up to δ, "
         "`delta * (abs(error) - 0.5 * delta)` beyond, and the mean over all elements.", other),
    ):  # fmt: skip
        if group:
            findings.append(_finding(code, claim, advice, group, delta, where))
    return tuple(findings)


def _without(cause: Cause, mistake: LossMistake, delta: float) -> Cause:
    """The same cause with one mistake mended."""
    if cause.form.mistake is mistake:
        return replace(cause, form=next(forms(delta)))
    return replace(cause, reduction=REDUCTIONS[0])


def _finding(
    code: LossCode, claim: str, advice: str, group: list[LossAnswer], delta: float, where: str
) -> Finding:
    first = group[0]
    if first.received is None:
        received = first.trial.result_type or "nothing"
    else:
        received = show(first.received)
    if first.cause is not None:
        received = f"{received}: {first.cause.text}"
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=where,
        expected=f"{number(first.value)} (δ = {number(delta)}), "
        f"for y_true and y_pred of shape {first.error.shape}",
        received=f"{received} ({_cases(group)})", try_=advice,
    )  # fmt: skip


def _gradient_findings(answers: list[LossAnswer], where: str) -> tuple[Finding, ...]:
    missing: list[LossAnswer] = []
    infinite: list[LossAnswer] = []
    wrong: list[LossAnswer] = []
    for answer in answers:
        if answer.received is None or answer.gradient_right:
            continue
        # The gradient of a value that is wrong in some other way is no second mistake.
        if not np.all(np.isfinite(answer.received)):
            continue
        if answer.trial.gradient is None:
            missing.append(answer)
        elif not np.all(np.isfinite(gradient := answer.trial.gradient.array())):
            infinite.append(answer)
        elif answer.value_right or (
            answer.cause is not None
            and not same_gradient(gradient, answer.cause.gradient(answer.error))
        ):
            wrong.append(answer)
    findings = []
    if missing:
        findings.append(Finding(
            code=LossCode.NOT_DIFFERENTIABLE, severity=Severity.ERROR,
            claim="The loss cannot be differentiated with respect to y_pred.", where=where,
            expected="a gradient", received=f"none ({_cases(missing)})",
            try_="Stay in TensorFlow from y_pred to the loss: no numpy, no `float()`, no "
            "`.numpy()`, no `tf.stop_gradient`, no new `tf.constant` made of y_pred.",
        ))  # fmt: skip
    if infinite:
        findings.append(Finding(
            code=LossCode.GRADIENT_NOT_FINITE, severity=Severity.ERROR,
            claim="The gradient of the loss is not finite (NaN or infinity).", where=where,
            expected=f"the gradient {show(infinite[0].slopes)}",
            received=f"NaN or infinity ({_cases(infinite)})",
            try_="`tf.sqrt` has no slope at 0, and `tf.where` differentiates the branch that is "
            "not taken too. Use `tf.abs` and `tf.minimum(abs_error, delta)`.",
        ))  # fmt: skip
    if wrong:
        findings.append(_wrong_gradient(wrong, where))
    return tuple(findings)


def _wrong_gradient(wrong: list[LossAnswer], where: str) -> Finding:
    first = wrong[0]
    gradient = first.trial.gradient
    assert gradient is not None
    received = gradient.array()
    if received.shape != first.slopes.shape:
        expected, got = f"shape {first.slopes.shape}", f"shape {received.shape}"
    else:
        expected, got = first_difference(
            received, first.slopes, GRADIENT_TOLERANCE, RELATIVE_TOLERANCE
        )
    return Finding(
        code=LossCode.WRONG_GRADIENT, severity=Severity.ERROR,
        claim="The gradient of the loss with respect to y_pred is wrong.", where=where,
        expected=f"{expected} (the error clipped to ±δ, divided by the number of elements)",
        received=f"{got} ({_cases(wrong)})",
        try_="Let TensorFlow differentiate the loss; do not round, cast to integers or stop "
        "gradients on the way.",
    )  # fmt: skip


def _cases(group: list[LossAnswer]) -> str:
    return cases_text([answer.label for answer in group])
