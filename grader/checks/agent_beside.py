"""Judges of an agent that is played from other starts, or trained."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import numpy as np

from grader.assignments.problems import Problem
from grader.assignments.registry import CheckKind, JudgeInput
from grader.checks.agent_examined import ended_badly, examination_or_verdict
from grader.checks.interface import graded
from grader.checks.played import fault, nothing
from grader.records.agent_evidence import AgentEvidence
from grader.records.agent_examination import (
    AgentLearnsSettings,
    GeneralisesSettings,
    LearningCurve,
    LearningPoint,
    ShiftedTrial,
    TrialEpisode,
)
from grader.records.incident import Incident
from grader.records.result import Finding, Outcome, Severity, Verdict
from grader.statistics.intervals import (
    Interval,
    NoGap,
    bootstrap_interval,
    draws,
    normalized_score,
    percentile_interval,
)

_OF_AN_EXTRA: Final = re.compile(r"Vizdoom|.*/")
"""Ids of environments that other packages register."""


class BesideCode(StrEnum):
    """Codes of findings about other starts (AG6xx) and about training (AG7xx)."""

    LOSES_ELSEWHERE = "AG601"
    NOTHING_TO_KEEP = "AG602"
    NO_TRAINING = "AG701"
    DOES_NOT_LEARN = "AG702"
    LEARNS_LITTLE = "AG703"


# --- other starts -------------------------------------------------------------------------------


def judge_generalises(request: JudgeInput) -> Verdict:
    """Points by the share of its ordinary return above random play that it keeps elsewhere."""
    evidence: AgentEvidence = request.evidence
    settings: GeneralisesSettings = request.settings
    found = examination_or_verdict(evidence)
    if isinstance(found, Verdict):
        return found
    if not found.shifted:
        return fault("no other start was played")
    ends = [(each.title, _end(each.episodes)) for each in found.shifted]
    if (badly := ended_badly(evidence, ends)) is not None:
        return badly
    ordinary = tuple(episode.episode_return for episode in evidence.episodes)
    if any(len(each.episodes) != len(ordinary) for each in found.shifted):
        return fault("another start was not played on all seeds")
    shares: list[float] = []
    findings: list[Finding] = []
    span = settings.full_marks_at - settings.no_marks_at
    for trial in found.shifted:
        returns = tuple(episode.episode_return for episode in trial.episodes)
        rows = (returns, trial.random_returns, ordinary)
        try:
            kept = normalized_score(*(float(np.mean(row)) for row in rows))
        except NoGap:
            findings.append(_nothing_to_keep(evidence, trial, ordinary))
            shares.append(0.0)
            continue
        interval = bootstrap_interval(
            *rows, resamples=settings.bootstrap_samples, seed=settings.bootstrap_seed
        )
        shares.append(min(max((kept - settings.no_marks_at) / span, 0.0), 1.0))
        if shares[-1] < 1.0:
            findings.append(_loses(evidence, settings, trial, kept, interval, ordinary))
    return graded(float(np.mean(shares)), tuple(findings))


def _end(episodes: Sequence[TrialEpisode]) -> Incident | None:
    return next((each.incident for each in episodes if each.incident is not None), None)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _nothing_to_keep(
    evidence: AgentEvidence, trial: ShiftedTrial, ordinary: Sequence[float]
) -> Finding:
    return Finding(
        code=BesideCode.NOTHING_TO_KEEP, severity=Severity.ERROR,
        claim="The agent's ordinary play is no better than random play, so there is nothing that "
        "it could keep from another start.",
        where=evidence.place("act"),
        expected=f"a mean return above {_mean(trial.random_returns):.1f}",
        received=f"{_mean(ordinary):.1f}",
        try_="Make it play well from the ordinary starts first.",
    )  # fmt: skip


def _loses(
    evidence: AgentEvidence,
    settings: GeneralisesSettings,
    trial: ShiftedTrial,
    kept: float,
    interval: Interval,
    ordinary: Sequence[float],
) -> Finding:
    returns = [episode.episode_return for episode in trial.episodes]
    return Finding(
        code=BesideCode.LOSES_ELSEWHERE, severity=Severity.ERROR,
        claim=f"The agent plays worse where {trial.title}.", where=evidence.place("act"),
        expected=f"{settings.full_marks_at:.0%} of its ordinary return above random play",
        received=f"{kept:.0%} (95 % interval {interval.low:.0%} to {interval.high:.0%}): a mean "
        f"return of {_mean(returns):.1f}, ordinarily {_mean(ordinary):.1f}, random play "
        f"{_mean(trial.random_returns):.1f}",
        try_="Train from many different starts, and stop training before the agent knows one kind "
        "of episode by heart.",
    )  # fmt: skip


# --- training -----------------------------------------------------------------------------------


def judge_learns(request: JudgeInput) -> Verdict:
    """Points by how far training raises the mean return, where the rise is no accident."""
    evidence: AgentEvidence = request.evidence
    settings: AgentLearnsSettings = request.settings
    found = examination_or_verdict(evidence)
    if isinstance(found, Verdict):
        return found
    curve = found.learning
    if curve is None:
        return fault("no agent was trained")
    if curve.accepted and not curve.points:
        return _no_training(evidence, curve)
    ends = [("training", curve.incident)]
    ends += [(f"after {point.steps} steps", _end(point.episodes)) for point in curve.points]
    if (badly := ended_badly(evidence, ends)) is not None:
        return badly
    if len(curve.points) < 2:
        return fault("no agent was trained")
    before, after = (_returns(curve.points[at]) for at in (0, -1))
    gain = _mean(after) - _mean(before)
    interval = gain_interval(before, after, settings)
    if interval.low > 0 and gain >= settings.gain:
        return graded(1.0, ())
    told = (
        f"{gain:+.1f} (95 % interval {interval.low:+.1f} to {interval.high:+.1f}); mean returns: "
    )
    told += ", ".join(f"{_mean(_returns(p)):.1f} after {p.steps} steps" for p in curve.points)
    sure = interval.low > 0
    finding = Finding(
        code=BesideCode.LEARNS_LITTLE if sure else BesideCode.DOES_NOT_LEARN,
        severity=Severity.ERROR,
        claim="Training raises the agent's returns, but not by enough."
        if sure
        else "Training does not raise the agent's returns beyond what may be chance.",
        where=evidence.place("train"),
        expected=f"a mean return that is {settings.gain:g} higher after {curve.points[-1].steps} "
        "steps of training",
        received=told,
        try_="Check that `train` changes the network that `act` asks, that it is given enough of "
        "its steps for learning, and that `act` does not explore.",
    )
    return graded(gain / settings.gain if sure else 0.0, (finding,))


def _returns(point: LearningPoint) -> list[float]:
    return [episode.episode_return for episode in point.episodes]


def gain_interval(
    before: Sequence[float], after: Sequence[float], settings: AgentLearnsSettings
) -> Interval:
    """Percentile bootstrap interval (95 %) of the growth of the mean return, seed by seed.

    Args:
        before: returns before the training.
        after: returns after it on the same seeds, in the same order.
        settings: how often seeds are drawn again, and from where.
    """
    gains = np.array(after, dtype=np.float64) - np.array(before, dtype=np.float64)
    drawn = draws(len(gains), settings.bootstrap_samples, settings.bootstrap_seed)
    return percentile_interval(np.concatenate([gains[each].mean(axis=1) for each in drawn]))


def _no_training(evidence: AgentEvidence, curve: LearningCurve) -> Verdict:
    accepted = " or ".join(f"`{name}`" for name in curve.accepted)
    finding = Finding(
        code=BesideCode.NO_TRAINING, severity=Severity.ERROR,
        claim="The agent has no method to train it.", where=evidence.place("agent_class"),
        expected=f"a method {accepted} that takes an environment and a number of steps",
        received=f"the methods {', '.join(f'`{name}`' for name in curve.unresolved)}",
        try_=f"Put the training into a method: `def {curve.accepted[0]}(self, env, steps):`.",
    )  # fmt: skip
    return nothing(Outcome.FAILED, (finding,))


def training_problems(settings: Mapping[str, Any]) -> list[Problem]:
    """Settings of a part with which no agent can train in its own process, where one is to.

    Args:
        settings: as they stand in the file.
    """
    if not settings.get("learning_steps"):
        return []
    problems = [
        Problem(
            (name,),
            f"agent.learns trains in the environment as Gymnasium makes it; leave `{name}` out",
        )
        for name in ("protocol", "wrappers")
        if settings.get(name)
    ]
    environment_id = settings.get("environment_id")
    if isinstance(environment_id, str) and _OF_AN_EXTRA.match(environment_id):
        text = "agent.learns trains in Gymnasium's own environments only; this one needs an extra"
        problems.append(Problem(("environment_id",), text))
    return problems


BESIDE_CHECKS: Final = (
    CheckKind(
        id="agent.generalises",
        settings=GeneralisesSettings,
        judge=judge_generalises,
        description="Share of its ordinary return above random play that it keeps from other "
        "starts; needs `shifted_starts`.",
        needs="shifted_starts",
    ),
    CheckKind(
        id="agent.learns",
        settings=AgentLearnsSettings,
        judge=judge_learns,
        description="Growth of the mean return by `learning_steps` of training, measured in "
        "episodes outside; needs that setting.",
        needs="learning_steps",
        part_problems=training_problems,
    ),
)
"""Checks of an agent that is played from other starts, or trained."""
