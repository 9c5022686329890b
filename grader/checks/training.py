"""Judges of a `training` part: whether loss and step can be called; the checks there are."""

from __future__ import annotations

from typing import Final

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.incidents import SIGNATURE_ERROR
from grader.checks.interface import interface_verdict, passed
from grader.checks.learning import judge_gradients, judge_learns
from grader.checks.loss import judge_loss
from grader.checks.training_step import ROLE, judge_step
from grader.checks.trials import Named, uncalled_verdict
from grader.records.evidence import TrainingEvidence
from grader.records.result import Outcome, Verdict
from grader.records.settings import LearnsSettings


def judge_interface(given: JudgeInput) -> Verdict:
    """Whether loss and step are there and can be called.

    An error raised inside one of the two does not keep the other from being judged: it is told by
    the check of its own.
    """
    evidence: TrainingEvidence = given.evidence
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    losses: list[Named] = [(trial.label, trial.incident) for trial in evidence.loss]
    steps: list[Named] = [(trial.label, trial.incident) for trial in evidence.steps]
    bad = [
        verdict
        for verdict in (
            uncalled_verdict(losses, "the loss", evidence.place("loss")),
            uncalled_verdict(steps, "the step", evidence.place(ROLE)),
        )
        if verdict is not None
    ]
    judged_elsewhere = (
        len(bad) == 1 and bad[0].outcome is Outcome.FAILED and not _refused((*losses, *steps))
    )
    if not bad or judged_elsewhere:
        return passed()
    order = (Outcome.FAULT, Outcome.INVALID, Outcome.FAILED)
    return Verdict(
        outcome=min((verdict.outcome for verdict in bad), key=order.index),
        fraction=0.0,
        findings=tuple(finding for verdict in bad for finding in verdict.findings),
    )


def _refused(outcomes: tuple[Named, ...]) -> bool:
    """Whether a function could not even take its arguments."""
    return any(end is not None and end.error_type == SIGNATURE_ERROR for _, end in outcomes)


CHECKS: Final = (
    CheckKind(
        id="training.interface", settings=NoSettings, judge=judge_interface,
        description="The loss and the training step are defined and can be called.",
    ),
    CheckKind(
        id="training.loss", settings=NoSettings, judge=judge_loss,
        description="Values (two thirds) and gradients (one third) of the loss against the mean "
        "Huber loss, edge cases included; one slip in a Huber loss costs at most half.",
    ),
    CheckKind(
        id="training.step", settings=NoSettings, judge=judge_step,
        description="The weights that come back against those after one step on the mean Huber "
        "loss (three quarters), and the loss that is returned (one quarter); what follows from a "
        "wrong loss costs little.",
    ),
    CheckKind(
        id="training.learns", settings=LearnsSettings, judge=judge_learns,
        description="After many steps the loss on data that the code never saw has fallen by the "
        "share asked for of what the right step reaches; needs `learning_steps`.",
        needs="learning_steps",
    ),
    CheckKind(
        id="training.gradients", settings=NoSettings, judge=judge_gradients,
        description="Every layer that can be trained changes in a step (two thirds), a frozen one "
        "does not (one third); needs `learning_steps`.",
        needs="learning_steps",
    ),
)  # fmt: skip
