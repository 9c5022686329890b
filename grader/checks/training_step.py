"""Judge of `training.step`: one step of gradient descent, by the weights that come back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from grader.assignments.registry import JudgeInput
from grader.checks.interface import graded, interface_verdict, missing_role_verdict
from grader.checks.loss_answers import loss_mistakes
from grader.checks.loss_forms import LossMistake
from grader.checks.trials import (
    Named,
    cases_text,
    fault_verdict,
    incident_findings,
    number,
    worst,
)
from grader.errors import GraderFault
from grader.records.evidence import StepTrial, TrainingEvidence
from grader.records.result import Finding, Severity, Verdict
from grader.records.settings import TrainingSettings

ROLE: Final = "step"

STEP_TOLERANCE: Final = 1e-3
"""Largest difference from the right step, in units of that step's largest change.

Weights of size 1 are stored to 6e-8, and gradients summed in another order differ in the sixth
digit. Steps are changes of 1e-3 and more, so rounding stays below 1e-4 of the step. Of the known
wrong steps the nearest, a summed loss under Adam, differs from the right one by 6e-3 of it.
"""
ROUNDING: Final = 5e-7
"""Difference allowed whatever the step's size: four roundings of a float32 weight of size 2."""
LOSS_TOLERANCE: Final = 1e-4
"""Relative difference allowed between the loss that is returned and the reference's."""
RETURNED_SHARE: Final = 0.25
"""Share of the points for returning the loss before the step; the rest is for the weights."""
FOLLOWED_CREDIT: Final = 0.75
"""Share of the points for a step that does exactly what a wrong `huber_loss` asks for: the mistake
has cost points there already."""
UNKNOWN_LOSS_CREDIT: Final = 0.5
"""Share of the points for a step that makes the loss smaller while `huber_loss` is wrong in a way
that keeps the grader from saying whether the step follows it."""


class StepCode(StrEnum):
    """Codes of findings about a training step."""

    UNCHANGED = "TR201"
    SQUARED_ERROR_STEP = "TR202"
    ABSOLUTE_ERROR_STEP = "TR203"
    SUMMED_STEP = "TR204"
    TWO_STEPS = "TR205"
    ASCENT = "TR206"
    OTHER_STEP = "TR207"
    NOTHING_RETURNED = "TR208"
    RETURNED_AFTER = "TR209"
    RETURNED_OTHER = "TR210"
    MEASURED = "TR211"
    NOT_FINITE = "TR212"


@dataclass(frozen=True)
class _KnownStep:
    code: StepCode
    credit: float
    """Share of the points for the weights."""
    claim: str
    advice: str
    other_loss: LossMistake | None = None
    """The loss that was followed instead, if any; its value is then what should be returned."""


# Half for a step down the right gradient that is too long, a quarter for a step down the gradient
# of another loss, nothing for weights that did not learn.
_KNOWN: Final[dict[str, _KnownStep]] = {
    "unchanged": _KnownStep(
        StepCode.UNCHANGED, 0.0, "The step leaves the weights as they were.",
        "Compute the loss inside `with tf.GradientTape() as tape:`, then apply the gradients: "
        "`optimizer.apply_gradients(zip(gradients, model.trainable_variables))`."),
    "mean_squared_error": _KnownStep(
        StepCode.SQUARED_ERROR_STEP, 0.25,
        "The step follows the gradient of the mean squared error.",
        "Compute the loss of the step with your `huber_loss(targets, model(states))`.",
        LossMistake.SQUARED_ERROR),
    "mean_absolute_error": _KnownStep(
        StepCode.ABSOLUTE_ERROR_STEP, 0.25,
        "The step follows the gradient of the mean absolute error.",
        "Compute the loss of the step with your `huber_loss(targets, model(states))`.",
        LossMistake.ABSOLUTE_ERROR),
    "huber_sum": _KnownStep(
        StepCode.SUMMED_STEP, 0.5, "The step follows the summed loss instead of the mean.",
        "Reduce the loss with `tf.reduce_mean`. The gradient of a loss that is still a vector is "
        "the gradient of its sum.", LossMistake.SUMMED),
    "two_steps": _KnownStep(
        StepCode.TWO_STEPS, 0.5, "Two steps are made instead of one.",
        "Apply the gradients once, and do not call `fit` or `train_on_batch` beside it."),
    "ascent": _KnownStep(
        StepCode.ASCENT, 0.0, "The step goes up the gradient instead of down.",
        "Minimise the loss: pass the gradients to the optimizer as they are, without a minus."),
}  # fmt: skip
_NOT_FINITE: Final = _KnownStep(
    StepCode.NOT_FINITE, 0.0,
    "After the step there are weights that are not finite (NaN or infinity).",
    "Print loss and gradients: a division by zero, a logarithm or a root of zero lies on the way.",
)  # fmt: skip
_OTHER: Final = _KnownStep(
    StepCode.OTHER_STEP, 0.0,
    "The weights do not change as in one step on the Huber loss.",
    "Take the gradient of `huber_loss(targets, model(states))` with respect to "
    "`model.trainable_variables`, change nothing about it, and apply it once.",
)  # fmt: skip


@dataclass(frozen=True)
class _Step:
    """A trial with what was found."""

    trial: StepTrial
    before: float
    after: float | None
    """None when the weights that came back have no loss."""
    mistake: _KnownStep | None
    """None when the step is the one asked for."""
    returned: StepCode | None
    """None when the loss before the step was returned."""
    followed: float | None = None
    """Share of the points when the step may be right for a `huber_loss` that is wrong."""


def judge_step(given: JudgeInput) -> Verdict:
    """Whether the weights that came back are those after one step, and what was returned.

    Three quarters for the weights, one quarter for returning the loss before the step, averaged
    over the trials. A wrong `huber_loss` leads to a wrong step by itself; where the step follows it
    that is no second mistake, and costs little.

    Raises:
        GraderFault: a trial came without its measurements; the author of the probe must act.
    """
    evidence: TrainingEvidence = given.evidence
    settings: TrainingSettings = given.part_settings
    if (missing := missing_role_verdict(evidence, ROLE)) is not None:
        return missing
    if not evidence.steps and (incomplete := interface_verdict(evidence)) is not None:
        return incomplete
    outcomes: list[Named] = [(trial.label, trial.incident) for trial in evidence.steps]
    fault = fault_verdict(outcomes, "the step")
    if fault is not None:
        return fault
    mistakes = loss_mistakes(evidence, settings.delta)
    steps = [_step(trial, mistakes) for trial in evidence.steps if trial.incident is None]
    where = evidence.place(ROLE)
    findings = (
        *_weight_findings(steps, where),
        *_return_findings(steps, settings, where),
        *incident_findings(outcomes, where),
        *_measurements(steps, where),
    )
    verdict = graded(sum(map(_credit, steps)) / len(outcomes), findings)
    return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})


def _credit(step: _Step) -> float:
    weights = 1.0 if step.mistake is None else step.mistake.credit
    returned = 1.0 if step.returned is None else 0.0
    earned = (1 - RETURNED_SHARE) * weights + RETURNED_SHARE * returned
    if step.followed is None:
        return earned
    # Of what follows from the loss, a number that is returned may be another one, but not nothing.
    nothing = step.returned is StepCode.NOTHING_RETURNED
    return max(earned, step.followed * ((1 - RETURNED_SHARE) if nothing else 1.0))


def _step(trial: StepTrial, mistakes: frozenset[LossMistake] | None) -> _Step:
    before, after, scale = trial.loss_before, trial.loss_after, trial.scale
    if before is None or scale is None or not scale > 0:
        raise GraderFault(f"step {trial.label!r} was not measured in full")
    mistake = _mistake(trial, scale)
    returned = _returned(trial.returned, before, after)
    return _Step(trial, before, after, mistake, returned, _followed(trial, mistake, mistakes))


def _followed(
    trial: StepTrial, mistake: _KnownStep | None, mistakes: frozenset[LossMistake] | None
) -> float | None:
    """The share of the points when the step follows, or may follow, a wrong `huber_loss`."""
    if mistake is None or mistakes is None:
        return None
    if mistake.other_loss is not None:
        return FOLLOWED_CREDIT if mistakes == {mistake.other_loss} else None
    measured = {known.other_loss for known in _KNOWN.values()}
    pairs = (
        (trial.loss_before, trial.loss_after),
        (trial.held_out_before, trial.held_out_after),
    )
    smaller = all(b is not None and a is not None and a < b for b, a in pairs)
    unknown = mistake is _OTHER and not (mistakes and mistakes <= measured)
    return UNKNOWN_LOSS_CREDIT if unknown and smaller else None


def _mistake(trial: StepTrial, scale: float) -> _KnownStep | None:
    right = trial.distances.get("huber_mean")
    if trial.loss_after is None:
        # Weights that are not finite have neither a loss nor a distance.
        return _NOT_FINITE
    if right is None:
        raise GraderFault(f"step {trial.label!r} was not compared with the right one")
    tolerance = STEP_TOLERANCE * scale + ROUNDING
    if right <= tolerance:
        return None
    known = [(trial.distances[name], name) for name in _KNOWN if name in trial.distances]
    near, name = min(known, default=(math.inf, ""))
    return _KNOWN[name] if near <= tolerance else _OTHER


def _returned(returned: float | None, before: float, after: float | None) -> StepCode | None:
    if returned is None:
        return StepCode.NOTHING_RETURNED
    if _close(returned, before):
        return None
    after_it = after is not None and _close(returned, after)
    return StepCode.RETURNED_AFTER if after_it else StepCode.RETURNED_OTHER


def _close(value: float, reference: float) -> bool:
    return abs(value - reference) <= LOSS_TOLERANCE * abs(reference) + 1e-7


def _weight_findings(steps: list[_Step], where: str) -> tuple[Finding, ...]:
    groups: dict[tuple[StepCode, bool], list[_Step]] = {}
    for step in steps:
        if step.mistake is not None:
            groups.setdefault((step.mistake.code, step.followed is not None), []).append(step)
    findings = []
    for (code, followed), group in groups.items():
        mistake = group[0].mistake
        assert mistake is not None
        claim, advice = mistake.claim, mistake.advice
        if followed and mistake is _OTHER:
            advice = (
                "Mend `huber_loss` first. The step makes the loss smaller and may be right as it "
                "is."
            )
        elif followed:
            claim = f"{claim.removesuffix('.')}, as your `huber_loss` does."
            advice = "Mend `huber_loss`: the step follows it, and needs no change of its own."
        findings.append(Finding(
            code=code, severity=Severity.ERROR, claim=claim, where=where,
            expected="the weights after one optimizer step on the mean Huber loss of the batch",
            received=f"{_seen(group[0])} ({_cases(group)})", try_=advice,
        ))  # fmt: skip
    return tuple(findings)


def _seen(step: _Step) -> str:
    """What a wrong step did."""
    trial = step.trial
    if step.after is None or not trial.scale:
        return "NaN or infinity among the weights"
    if step.mistake is not None and step.mistake.code is StepCode.UNCHANGED:
        return "the weights that were there before"
    seen = f"other weights; {_change(step)}"
    return f"{seen}; {_rough(_number(step))} was returned" if _follows(step) else seen


def _change(step: _Step) -> str:
    """How the loss changed, on the batch and on data the code never saw."""
    trial = step.trial
    assert step.after is not None
    change = f"the loss goes from {_rough(step.before)} to {_rough(step.after)} on the batch"
    if trial.held_out_before is None or trial.held_out_after is None:
        return change
    return (
        f"{change}, and from {_rough(trial.held_out_before)} to {_rough(trial.held_out_after)} on "
        "data your code never saw"
    )


def _rough(value: float) -> str:
    """A number in three digits, zeros at its end included."""
    return f"{value:#.3g}".removesuffix(".")


def _follows(step: _Step) -> bool:
    """Whether what was returned is wrong for the same reason as the step."""
    return (
        step.returned is StepCode.RETURNED_OTHER
        and step.mistake is not None
        and (step.mistake.other_loss is not None or step.followed is not None)
    )


def _return_findings(
    steps: list[_Step], settings: TrainingSettings, where: str
) -> tuple[Finding, ...]:
    findings = []
    elements = settings.batch_size * settings.num_actions
    wordings: tuple[tuple[StepCode, str, Callable[[_Step], str], str], ...] = (
        (StepCode.NOTHING_RETURNED, "The step does not return the loss as a number.",
         lambda step: step.trial.returned_type or "nothing",
         "End with `return float(loss)`."),
        (StepCode.RETURNED_AFTER, "The step returns the loss after the step, not before it.",
         lambda step: number(_number(step)),
         "Return the loss that the gradient was taken of; do not compute it again afterwards."),
        (StepCode.RETURNED_OTHER, "The number that the step returns is not its loss.",
         lambda step: number(_number(step)) + (
             ", the loss summed over all elements"
             if _close(_number(step), step.before * elements) else ""),
         "Return the mean Huber loss that the gradient was taken of: `return float(loss)`."),
    )  # fmt: skip
    for code, claim, received, advice in wordings:
        group = [step for step in steps if step.returned is code and not _follows(step)]
        if group:
            findings.append(Finding(
                code=code, severity=Severity.ERROR, claim=claim, where=where,
                expected=f"{number(group[0].before)}, the mean Huber loss before the step",
                received=f"{received(group[0])} ({_cases(group)})", try_=advice,
            ))  # fmt: skip
    return tuple(findings)


def _measurements(steps: list[_Step], where: str) -> tuple[Finding, ...]:
    """What a right step did to the loss, on the batch and on data the code never saw."""
    first = next((step for step in steps if step.mistake is None), None)
    if first is None or first.after is None:
        return ()
    return (Finding(
        code=StepCode.MEASURED, severity=Severity.NOTE,
        claim=f"One step works: {_change(first)}.", where=where,
    ),)  # fmt: skip


def _number(step: _Step) -> float:
    return math.nan if step.trial.returned is None else step.trial.returned


def _cases(group: list[_Step]) -> str:
    return cases_text([step.trial.label for step in group])
