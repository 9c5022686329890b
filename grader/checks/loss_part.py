"""Judges of a `loss` part: can it be called, has it the right values, and the right gradients?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.interface import graded, interface_verdict, passed
from grader.checks.loss_library import (
    LOSSES,
    LossPartCode,
    LossReference,
    LossResult,
    Mistakes,
)
from grader.checks.trials import (
    cases_text,
    cover,
    fault_verdict,
    first_difference,
    incident_findings,
    matches,
    number,
    show,
    uncalled_verdict,
    worst,
)
from grader.errors import GraderFault
from grader.records.arrays import ArrayRecord
from grader.records.evidence import FunctionTrial
from grader.records.function_settings import LossSettings, LossValuesSettings
from grader.records.learning_evidence import LossEvidence
from grader.records.result import Finding, Severity, Verdict

Array = npt.NDArray[Any]

ROLE: Final = "loss"
SLIP_CREDIT: Final = 0.5
"""Least share of the points when all that is wrong is one known slip."""
FOLLOWED_CREDIT: Final = 0.5
"""Least share of the points for gradients that are right for a loss whose values are wrong."""
_EXTREME: Final = 1e-6
"""Probabilities this near to 0 or 1 are clipped by some, so that slopes differ among the right."""


@dataclass(frozen=True)
class _Answer:
    """A trial with its reference, and what explains it."""

    trial: FunctionTrial
    arguments: dict[str, Any]
    results: list[LossResult]
    received: Array | None
    gradient: Array | None
    value_right: bool
    gradient_right: bool
    cause: LossResult | None = None

    @property
    def right(self) -> LossResult:
        return self.results[0]


def judge_interface(given: JudgeInput) -> Verdict:
    """Whether the loss is there and answers at least one call."""
    evidence: LossEvidence = given.evidence
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    outcomes = [(trial.label, trial.incident) for trial in evidence.trials]
    return uncalled_verdict(outcomes, "the loss", evidence.place(ROLE)) or passed()


def judge_values(given: JudgeInput) -> Verdict:
    """The share of the cases with the right value; one slip costs at most half.

    Raises:
        GraderFault: a recorded case does not fit the reference; the author of the cases must act.
    """
    begun = _begin(given)
    if isinstance(begun, Verdict):
        return begun
    evidence, answers, reference = begun
    where = evidence.place(ROLE)
    outcomes = [(trial.label, trial.incident) for trial in evidence.trials]
    findings = (*_value_findings(answers, reference, where), *incident_findings(outcomes, where))
    share = sum(answer.value_right for answer in answers) / len(answers)
    if not any(a.value_right for a in answers if np.any(a.right.value > _EXTREME)):
        share = 0.0  # a loss of 0 where there is no error is right by accident
    codes = {finding.code for finding in findings}
    slips = {str(told.code) for told in reference.told.values() if told.is_slip}
    if len(findings) == 1 and codes <= slips:
        share = max(share, SLIP_CREDIT)
    verdict = graded(share, findings)
    return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})


def judge_gradient(given: JudgeInput) -> Verdict:
    """The share of the cases with the right gradient.

    Gradients that follow from a wrong value are right in themselves and cost at most half.

    Raises:
        GraderFault: a recorded case does not fit the reference; the author of the cases must act.
    """
    begun = _begin(given)
    if isinstance(begun, Verdict):
        return begun
    evidence, answers, _ = begun
    where = evidence.place(ROLE)
    outcomes = [(trial.label, trial.incident) for trial in evidence.trials]
    settings: LossValuesSettings = given.settings
    findings = (
        *_gradient_findings(answers, settings, where), *incident_findings(outcomes, where)
    )  # fmt: skip
    share = sum(answer.gradient_right for answer in answers) / len(answers)
    if not any(a.gradient_right for a in answers if np.any(a.right.gradient)):
        share = 0.0
    if all(a.gradient_right or _follows(a, settings) for a in answers):
        share = max(share, FOLLOWED_CREDIT)
    verdict = graded(share, findings)
    return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})


def _begin(given: JudgeInput) -> Verdict | tuple[LossEvidence, list[_Answer], LossReference]:
    evidence: LossEvidence = given.evidence
    wanted: LossSettings = given.part_settings
    settings: LossValuesSettings = given.settings
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    outcomes = [(trial.label, trial.incident) for trial in evidence.trials]
    fault = fault_verdict(outcomes, "the loss")
    if fault is not None:
        return fault
    reference = LOSSES[wanted.reference]
    answers = [_answer(trial, reference, wanted, settings) for trial in evidence.trials]
    return evidence, _explained(answers, settings, list(reference.told)), reference


def _answer(
    trial: FunctionTrial,
    reference: LossReference,
    wanted: LossSettings,
    settings: LossValuesSettings,
) -> _Answer:
    arguments = {
        name: value.array() if isinstance(value, ArrayRecord) else value
        for name, value in trial.arguments.items()
    }
    try:
        results = reference.results(arguments, wanted)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise GraderFault(f"case {trial.label!r} does not fit the reference: {error}") from error
    received = trial.result.array() if trial.result is not None else None
    if trial.incident is not None or (received is not None and received.dtype.kind not in "iuf"):
        received = None
    recorded = trial.gradient if trial.incident is None else None
    gradient = recorded.array() if recorded is not None else None
    value_right = received is not None and _same_value(received, results[0].value, settings)
    right = gradient is not None and (
        (_gradient_free(arguments, wanted) and bool(np.all(np.isfinite(gradient))))
        or any(_same(gradient, g, settings) for g in _gradients(results[0], arguments, reference))
    )  # fmt: skip
    return _Answer(trial, arguments, results, received, gradient, value_right, right)


def _gradients(
    result: LossResult, arguments: dict[str, Any], reference: LossReference
) -> tuple[Array, ...]:
    """The right gradient; of a loss that divides predictions by their sum, also that one."""
    if not reference.normalises:
        return (result.gradient,)
    shares = np.asarray(arguments["y_pred"], np.float64)
    along = (result.gradient * shares).sum(axis=-1, keepdims=True)
    return result.gradient, result.gradient - along


def _gradient_free(arguments: dict[str, Any], wanted: LossSettings) -> bool:
    """Whether right losses have different gradients here: probabilities of exactly 0 or 1."""
    if "crossentropy" not in wanted.reference or wanted.from_logits:
        return False
    shares = np.asarray(arguments["y_pred"], np.float64)
    return bool(np.any((shares < _EXTREME) | (shares > 1 - _EXTREME)))


def _same_value(received: Array, expected: Array, settings: LossValuesSettings) -> bool:
    """Whether a loss has this value; one number may come in an array of any shape."""
    if expected.size == 1 and received.size == 1:
        received, expected = received.reshape(()), expected.reshape(())
    return _same(received, expected, settings)


def _same(received: Array, expected: Array, settings: LossValuesSettings) -> bool:
    finite = bool(np.all(np.isfinite(expected)))
    tolerances = settings.absolute_tolerance, settings.relative_tolerance
    return finite and matches(received, expected, *tolerances)


def _explained(
    answers: list[_Answer], settings: LossValuesSettings, order: list[str]
) -> list[_Answer]:
    """The answers with the cause of each wrong value: as few causes as possible for all."""
    wrong = [
        index for index, answer in enumerate(answers)
        if answer.received is not None and not answer.value_right
        and np.all(np.isfinite(answer.received))
    ]  # fmt: skip
    explained: dict[Mistakes, dict[int, LossResult]] = {}
    for index in wrong:
        received = answers[index].received
        assert received is not None
        for result in answers[index].results:
            if result.mistakes and _same_value(received, result.value, settings):
                explained.setdefault(result.mistakes, {}).setdefault(index, result)
    ranked = sorted(
        explained, key=lambda made: (len(made), sorted(order.index(str(m)) for m in made))
    )
    causes, _ = cover(wrong, {made: explained[made].keys() for made in ranked})
    told = list(answers)
    for made, indices in causes:
        for index in indices:
            told[index] = replace(answers[index], cause=explained[made][index])
    return told


def _follows(answer: _Answer, settings: LossValuesSettings) -> bool:
    """Whether a gradient is that of the wrong loss whose values came back."""
    if answer.cause is None or answer.gradient is None:
        return False
    made = answer.cause.mistakes
    same = (result for result in answer.results if result.mistakes == made)
    return any(_same(answer.gradient, result.gradient, settings) for result in same)


# --- findings -----------------------------------------------------------------------------------


def _value_findings(
    answers: list[_Answer], reference: LossReference, where: str
) -> tuple[Finding, ...]:
    findings = []
    for mistake, told in reference.told.items():
        group = [a for a in answers if a.cause is not None and mistake in a.cause.mistakes]
        if group:
            findings.append(_finding(told.code, told.claim, told.advice, group, where))
    wrong = [
        a for a in answers
        if a.trial.incident is None and not a.value_right and a.cause is None
    ]  # fmt: skip
    nothing = [a for a in wrong if a.received is None]
    infinite = [a for a in wrong if a.received is not None and not np.all(np.isfinite(a.received))]
    other = [a for a in wrong if a.received is not None and np.all(np.isfinite(a.received))]
    for code, claim, advice, group in (
        (LossPartCode.NOT_A_NUMBER, "What comes back is no number.",
         "Return the loss as a TensorFlow scalar; a function without `return` returns None.",
         nothing),
        (LossPartCode.NOT_FINITE, "The loss is not finite (NaN or infinity).",
         "Keep logarithms away from 0 (`tf.clip_by_value(p, 1e-7, 1 - 1e-7)`), and compute with "
         "logits where you have them.", infinite),
        (LossPartCode.WRONG_VALUES, "The loss has the wrong value.",
         f"Compute one small case by hand: {reference.formula}.", other),
    ):  # fmt: skip
        if group:
            findings.append(_finding(code, claim, advice, group, where))
    return tuple(findings)


def _finding(
    code: StrEnum, claim: str, advice: str, group: Sequence[_Answer], where: str
) -> Finding:
    first = group[0]
    shapes = ", ".join(
        f"{name} {value.dtype} {value.shape}" for name, value in first.arguments.items()
    )
    nothing = first.trial.result_type or "nothing"
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=where,
        expected=f"{number(first.right.value.item())}, for {shapes}",
        received=f"{nothing if first.received is None else show(first.received)} "
        f"({_cases(group)})",
        try_=advice,
    )  # fmt: skip


def _gradient_findings(
    answers: list[_Answer], settings: LossValuesSettings, where: str
) -> tuple[Finding, ...]:
    wrong = [a for a in answers if a.trial.incident is None and not a.gradient_right]
    missing = [a for a in wrong if a.gradient is None]
    infinite = [a for a in wrong if a.gradient is not None and not np.all(np.isfinite(a.gradient))]
    follows = [a for a in wrong if a not in infinite and _follows(a, settings)]
    other = [a for a in wrong if a not in missing and a not in infinite and a not in follows]
    findings = []
    if missing:
        findings.append(Finding(
            code=LossPartCode.NOT_DIFFERENTIABLE, severity=Severity.ERROR,
            claim="The loss cannot be differentiated with respect to the predictions.",
            where=where, expected="a gradient", received=f"none ({_cases(missing)})",
            try_="Stay in TensorFlow from the predictions to the loss: no numpy, no `float()`, no "
            "`.numpy()`, no `tf.stop_gradient`, no `tf.argmax`.",
        ))  # fmt: skip
    if infinite:
        findings.append(Finding(
            code=LossPartCode.GRADIENT_NOT_FINITE, severity=Severity.ERROR,
            claim="The gradient of the loss is not finite (NaN or infinity).", where=where,
            expected=f"the gradient {show(infinite[0].right.gradient)}",
            received=f"NaN or infinity ({_cases(infinite)})",
            try_="`tf.sqrt` and `tf.math.log` have no slope at 0, and `tf.where` differentiates "
            "the branch that is not taken too.",
        ))  # fmt: skip
    if follows:
        findings.append(_wrong_gradient(
            follows, settings, where, "The gradient is that of the wrong loss, as its values are.",
            "Mend the values of the loss; the gradient follows from them."))  # fmt: skip
    if other:
        findings.append(_wrong_gradient(
            other, settings, where,
            "The gradient of the loss with respect to the predictions is wrong.",
            "Let TensorFlow differentiate the loss; do not round, cast to integers, clip or stop "
            "gradients on the way."))  # fmt: skip
    return tuple(findings)


def _wrong_gradient(
    group: list[_Answer], settings: LossValuesSettings, where: str, claim: str, advice: str
) -> Finding:
    first = group[0]
    assert first.gradient is not None
    right = first.right.gradient
    if first.gradient.shape != right.shape:
        expected, received = f"shape {right.shape}", f"shape {first.gradient.shape}"
    else:
        expected, received = first_difference(
            first.gradient, right, settings.absolute_tolerance, settings.relative_tolerance
        )
    return Finding(
        code=LossPartCode.WRONG_GRADIENT, severity=Severity.ERROR, claim=claim, where=where,
        expected=expected, received=f"{received} ({_cases(group)})", try_=advice,
    )  # fmt: skip


def _cases(group: Sequence[_Answer]) -> str:
    return cases_text([answer.trial.label for answer in group])


CHECKS: Final = (
    CheckKind(
        id="loss.interface", settings=NoSettings, judge=judge_interface,
        description="The loss is defined and can be called.",
    ),
    CheckKind(
        id="loss.values", settings=LossValuesSettings, judge=judge_values,
        description="The share of cases, edge cases included, where the loss has the reference's "
        "value; one known slip alone costs at most half.",
    ),
    CheckKind(
        id="loss.gradient", settings=LossValuesSettings, judge=judge_gradient,
        description="The share of cases where the gradient with respect to the predictions is the "
        "reference's; the gradient of a loss whose values are wrong costs at most half.",
    ),
)  # fmt: skip
