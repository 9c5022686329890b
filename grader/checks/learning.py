"""Judges whether a training step teaches a network anything, and all of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from grader.assignments.registry import JudgeInput
from grader.checks.interface import graded, missing_role_verdict
from grader.checks.trials import Named, fault_verdict, incident_findings, worst
from grader.errors import GraderFault
from grader.records.evidence import LayerTrial, LearningTrial, TrainingEvidence
from grader.records.result import Finding, Severity, Verdict
from grader.records.settings import LearnsSettings

ROLE: Final = "step"
_NOTHING: Final = 0.02
"""Share of the right fall below which nothing was learnt: rounding, or a step by accident."""
_FREEZING: Final = 1 / 3
"""Share of the points for leaving a frozen layer alone."""


class LearningCode(StrEnum):
    """Codes of findings about training over many steps and about its layers."""

    NOT_LEARNING = "TR301"
    DIVERGES = "TR302"
    SLOW = "TR303"
    LEARNT = "TR304"
    LAYER_NOT_TRAINED = "TR311"
    NOTHING_TRAINED = "TR312"
    FROZEN_CHANGED = "TR313"


def judge_learns(given: JudgeInput) -> Verdict:
    """Whether the loss on data the code never saw falls as far as it should.

    Full points for the assignment's share of the fall that right steps reach, in proportion below.

    Raises:
        GraderFault: the trial was not measured, as when `learning_steps` is 0; the author of the
            assignment must act.
    """
    evidence: TrainingEvidence = given.evidence
    settings: LearnsSettings = given.settings
    if (missing := missing_role_verdict(evidence, ROLE)) is not None:
        return missing
    trial = evidence.learning
    if trial is None:
        raise GraderFault("no steps were tried; set `learning_steps` of the part above 0")
    outcomes: list[Named] = [(trial.label, trial.incident)]
    fault = fault_verdict(outcomes, "the step")
    if fault is not None:
        return fault
    where = evidence.place(ROLE)
    if trial.incident is not None:
        verdict = graded(0.0, incident_findings(outcomes, where))
        return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})
    return _learnt(trial, settings, where)


def _learnt(trial: LearningTrial, settings: LearnsSettings, where: str) -> Verdict:
    before, reference = trial.held_out[0], trial.reference
    if before is None or reference is None or not reference < before:
        raise GraderFault("the right steps do not learn either; use another rate or more steps")
    after, count = trial.held_out[-1], trial.steps[-1]
    expected = (
        f"a loss on data it never saw of about {_rough(reference)} after {count} steps, from "
        f"{_rough(before)}"
    )
    received = f"{_course(trial)}"
    if after is None or after > before * (1 + _NOTHING):
        return graded(0.0, (_finding(
            LearningCode.DIVERGES, "The loss grows instead of falling.", expected, received, where,
            "Look at the sign of the gradients and at what is done to the learning rate; apply "
            "each gradient once."),))  # fmt: skip
    share = (before - after) / (before - reference)
    if share < settings.share:
        code, claim, advice = (
            (LearningCode.NOT_LEARNING, "The loss does not fall.",
             "Check that each call applies gradients of this batch to this model: no new model, "
             "optimizer or weights in between.")
            if share < _NOTHING
            else (LearningCode.SLOW, "The loss falls too slowly.",
                  "Use the batch's mean loss and the optimizer that is given, unchanged; check "
                  "that all layers are trained.")
        )  # fmt: skip
        earned = 0.0 if share < _NOTHING else share / settings.share
        return graded(earned, (_finding(code, claim, expected, received, where, advice),))
    return graded(1.0, (Finding(
        code=LearningCode.LEARNT, severity=Severity.NOTE,
        claim=f"The loss on data your code never saw falls: {_course(trial)}.", where=where,
    ),))  # fmt: skip


def _course(trial: LearningTrial) -> str:
    """The held-out loss along the way."""
    return ", ".join(
        f"{'NaN' if loss is None else _rough(loss)} after {count}"
        for count, loss in zip(trial.steps, trial.held_out, strict=True)
    )


def _rough(value: float) -> str:
    return f"{value:#.3g}".removesuffix(".")


def judge_gradients(given: JudgeInput) -> Verdict:
    """Whether a step changes every layer that is trained, and none that is frozen.

    Raises:
        GraderFault: no step was tried, as when `learning_steps` is 0; the author of the assignment
            must act.
    """
    evidence: TrainingEvidence = given.evidence
    if (missing := missing_role_verdict(evidence, ROLE)) is not None:
        return missing
    if not evidence.layers:
        raise GraderFault("no steps were tried; set `learning_steps` of the part above 0")
    outcomes: list[Named] = [(trial.label, trial.incident) for trial in evidence.layers]
    fault = fault_verdict(outcomes, "the step")
    if fault is not None:
        return fault
    where = evidence.place(ROLE)
    whole, partly = evidence.layers
    trained = _trained_findings(whole, where) if whole.incident is None else ()
    kept = _frozen_findings(partly, where) if partly.incident is None else ()
    alive = whole.incident is None and not (
        trained and trained[0].code == LearningCode.NOTHING_TRAINED
    )
    fraction = (1 - _FREEZING) * (whole.incident is None and not trained)
    # A frozen layer that stays as it is proves nothing when no layer moves.
    fraction += _FREEZING * (partly.incident is None and not kept and alive)
    findings = (*trained, *kept, *incident_findings(outcomes, where))
    verdict = graded(1.0 if not findings else fraction, findings)
    return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})


def _trained_findings(trial: LayerTrial, where: str) -> tuple[Finding, ...]:
    still = [place for place, change in enumerate(trial.changes) if change == 0.0]
    if not still:
        return ()
    if len(still) == len(trial.changes):
        return (_finding(
            LearningCode.NOTHING_TRAINED, "No layer is trained.",
            "a step that changes the weights of every layer", "the weights that were there before",
            where, "Apply the gradients to the model: `optimizer.apply_gradients(zip(gradients, "
            "model.trainable_variables))`."),)  # fmt: skip
    return (_finding(
        LearningCode.LAYER_NOT_TRAINED, f"{_names(still)} not trained.".capitalize(),
        "a step that changes the weights of every layer", f"no change in {_arrays(still)}", where,
        "Let the tape see the whole way from the states to the loss: no `tf.stop_gradient`, no "
        "numpy in between, and the gradients of all `model.trainable_variables`."),)  # fmt: skip


def _frozen_findings(trial: LayerTrial, where: str) -> tuple[Finding, ...]:
    moved = [place for place in trial.frozen if trial.changes[place] != 0.0]
    if not moved:
        return ()
    return (_finding(
        LearningCode.FROZEN_CHANGED, "A frozen layer is changed.",
        "a layer with `trainable = False` as it was", f"a change in {_arrays(moved)}", where,
        "Use `model.trainable_variables`, not `model.weights` or `model.variables`."),)  # fmt: skip


def _names(places: list[int]) -> str:
    layers = sorted({place // 2 + 1 for place in places})
    verb = "is" if len(layers) == 1 else "are"
    named = f"layer{'' if len(layers) == 1 else 's'} {' and '.join(map(str, layers))}"
    return f"{named} {verb}"


def _arrays(places: list[int]) -> str:
    return ", ".join(
        f"the {'bias' if place % 2 else 'kernel'} of layer {place // 2 + 1}" for place in places
    )


def _finding(
    code: LearningCode, claim: str, expected: str, received: str, where: str, advice: str
) -> Finding:
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=where, expected=expected,
        received=received, try_=advice,
    )  # fmt: skip
