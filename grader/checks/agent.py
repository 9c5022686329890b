"""Judges of a game-playing agent: can it act, how well does it play, is it deterministic?"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import numpy as np

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.incidents import incident_outcome, incident_verdict
from grader.checks.interface import graded, interface_verdict, passed
from grader.checks.trials import incident_findings
from grader.records.agent_evidence import AgentEvidence, Episode, ReplayTrial
from grader.records.agent_settings import PerformanceSettings
from grader.records.incident import Incident, IncidentKind
from grader.records.report import SeedSet
from grader.records.result import EpisodeReturns, Finding, Outcome, Severity, Verdict
from grader.records.spec import EpisodeSet, PartBaseline
from grader.statistics.intervals import NoGap, bootstrap_interval, normalized_score


class AgentCode(StrEnum):
    """Codes of findings about game-playing agents."""

    OUTSIDE_SPACE = "AG101"
    SAME_ACTION = "AG102"
    BELOW_RANDOM = "AG201"
    BELOW_REFERENCE = "AG202"
    NOT_DETERMINISTIC = "AG301"


WORST_SHOWN: Final = 3
"""Episodes that are named as the worst."""

_SEE_PERFORMANCE: Final = "Mend this first; only then can two episodes be compared."

SAME_ACTION_STEPS: Final = 20
"""Actions from which always taking the same one is no chance."""


def judge_interface(request: JudgeInput) -> Verdict:
    """Everything is defined, and the agent takes a first action."""
    evidence: AgentEvidence = request.evidence
    verdict = interface_verdict(evidence)
    if verdict is not None:
        return verdict
    if not evidence.episodes:
        return _fault("no episode was played")
    first = evidence.episodes[0]
    if first.incident is not None and not first.actions:
        return incident_verdict(first.incident, place=evidence.place("act"))
    return passed()


def judge_performance(request: JudgeInput) -> Verdict:
    """Points by the normalised score of the mean return, on the reference agents' seeds."""
    evidence: AgentEvidence = request.evidence
    settings: PerformanceSettings = request.settings
    if (missing := interface_verdict(evidence)) is not None:
        return missing
    episodes = evidence.episodes
    ended = [(_occasion(episode), episode.incident) for episode in episodes]
    place = evidence.place("act")
    told = (*incident_findings(ended, place), *_outside_space(evidence))
    for outcome in (Outcome.FAULT, Outcome.INVALID):
        for _, incident in ended:
            if incident is not None and incident_outcome(incident) is outcome:
                first = incident_verdict(incident, place=place)
                return first if outcome is Outcome.FAULT else _nothing(outcome, told)
    references = _references(evidence, request.baseline)
    if isinstance(references, Verdict):
        return references
    if all(episode.incident is not None for episode in episodes):
        return _nothing(Outcome.FAILED, told)

    returns = _counted_returns(episodes, references)
    try:
        shown = _episode_returns(evidence, settings, references, returns)
    except NoGap as problem:
        return _fault(f"the baseline cannot be used: {problem}")
    span = settings.full_marks_at - settings.no_marks_at
    verdict = graded((shown.normalized_score - settings.no_marks_at) / span, told)
    if verdict.outcome is not Outcome.PASSED:
        # An episode that breaks off at an error or a wrong action says little about the policy.
        told = (*told, *(() if told else _same_action(evidence)))
        told = (*told, _shortfall(evidence, settings, shown, explained=bool(told)))
    return verdict.model_copy(update={"findings": told, "exhibits": (shown,)})


def judge_deterministic(request: JudgeInput) -> Verdict:
    """Shown the same observations, another agent in another process takes the same actions."""
    evidence: AgentEvidence = request.evidence
    if (missing := interface_verdict(evidence)) is not None:
        return missing
    replays = evidence.replays
    if not replays:
        return _unreplayed(evidence)
    ended = [(f"seed {replay.seed}", replay.incident) for replay in replays]
    outcomes = {incident_outcome(incident) for _, incident in ended if incident is not None}
    if Outcome.FAULT in outcomes:
        return _nothing(Outcome.FAULT, incident_findings(ended))
    place = evidence.place("act")
    different = [replay for replay in replays if replay.difference is not None]
    findings = (*incident_findings(ended, place), *_different(evidence, different))
    if findings:
        invalid = Outcome.INVALID in outcomes and not different
        return _nothing(Outcome.INVALID if invalid else Outcome.FAILED, findings)
    if not all(replay.compared for replay in replays):
        return _fault("an episode was replayed without a single action")
    return passed()


def _fault(message: str) -> Verdict:
    return incident_verdict(Incident(kind=IncidentKind.FAULT, stage="judging", message=message))


def _nothing(outcome: Outcome, findings: tuple[Finding, ...]) -> Verdict:
    return Verdict(outcome=outcome, fraction=0.0, findings=findings)


def _occasion(episode: Episode) -> str:
    return f"seed {episode.seed}, step {len(episode.rewards)}"


def _references(evidence: AgentEvidence, baseline: PartBaseline | None) -> EpisodeSet | Verdict:
    """The reference agents' returns on the seeds that were played, or a fault."""
    if baseline is None:
        return _fault("there is no baseline for this part")
    references = baseline.final if evidence.seed_set is SeedSet.FINAL else baseline.public
    played = tuple(episode.seed for episode in evidence.episodes)
    if not played:
        return _fault("no episode was played")
    if played != references.seeds or baseline.environment_id != evidence.environment_id:
        return _fault(
            "the baseline does not fit: its environment or its seeds are not those played"
        )
    return references


def _counted_returns(episodes: Sequence[Episode], references: EpisodeSet) -> tuple[float, ...]:
    """The return each episode counts with.

    An episode that an error or an action outside the space ended counts with its return so far.
    Where rewards can be negative, stopping early would be a way to avoid them; there it counts at
    most with the random agent's return on that seed.
    """
    penalized = any(value < 0 for value in references.random_returns) or any(
        reward < 0 for episode in episodes for reward in episode.rewards
    )
    return tuple(
        min(episode.episode_return, floor)
        if penalized and (episode.incident is not None or episode.invalid_action is not None)
        else episode.episode_return
        for episode, floor in zip(episodes, references.random_returns, strict=True)
    )


def _episode_returns(
    evidence: AgentEvidence,
    settings: PerformanceSettings,
    references: EpisodeSet,
    returns: tuple[float, ...],
) -> EpisodeReturns:
    rows = (returns, references.random_returns, references.dqn_returns)
    means = tuple(float(np.mean(row)) for row in rows)
    score = normalized_score(*means)
    interval = bootstrap_interval(
        *rows, resamples=settings.bootstrap_samples, seed=settings.bootstrap_seed
    )
    return EpisodeReturns(
        environment_id=evidence.environment_id,
        seeds=references.seeds,
        student=returns,
        random=references.random_returns,
        dqn=references.dqn_returns,
        student_mean=means[0],
        random_mean=means[1],
        dqn_mean=means[2],
        normalized_score=score,
        normalized_low=interval.low,
        normalized_high=interval.high,
    )


def _outside_space(evidence: AgentEvidence) -> tuple[Finding, ...]:
    ended = [episode for episode in evidence.episodes if episode.invalid_action is not None]
    if not ended:
        return ()
    others = len(ended) - 1
    same = f"; so end {others} more {'episode' if others == 1 else 'episodes'}" if others else ""
    space = evidence.action_space
    return (
        Finding(
            code=AgentCode.OUTSIDE_SPACE,
            severity=Severity.ERROR,
            claim="An action is not in the environment's action space; it ended the episode.",
            where=evidence.place("act"),
            expected=f"an element of {space or 'the action space'}",
            received=f"{ended[0].invalid_action} ({_occasion(ended[0])}{same})",
            try_="Return one plain action, such as `int(numpy.argmax(q_values))`: actions count "
            "from 0, and neither the Q-values nor an array of actions is one.",
        ),
    )


def _same_action(evidence: AgentEvidence) -> tuple[Finding, ...]:
    taken = [action for episode in evidence.episodes for action in episode.actions]
    if len(taken) < SAME_ACTION_STEPS or len(set(taken)) > 1:
        return ()
    return (
        Finding(
            code=AgentCode.SAME_ACTION,
            severity=Severity.ERROR,
            claim="The agent takes the same action at every step of every episode.",
            where=evidence.place("act"),
            expected="actions that depend on the observation",
            received=f"action {taken[0]}, {len(taken)} times",
            try_="Print the Q-values of a few observations. If they are nan, train again and save "
            "only weights that are finite; if they differ, take the argmax over the actions and "
            "not over the batch (`argmax(q_values, axis=-1)`).",
        ),
    )


def _shortfall(
    evidence: AgentEvidence,
    settings: PerformanceSettings,
    shown: EpisodeReturns,
    *,
    explained: bool,
) -> Finding:
    """What the agent reached, and what full marks need.

    Args:
        evidence: what was played.
        settings: where the line of points begins and ends.
        shown: the returns.
        explained: whether a finding above says why already.
    """
    gap = shown.dqn_mean - shown.random_mean
    needed = shown.random_mean + settings.full_marks_at * gap
    standing = (
        f"a mean return of {shown.student_mean:.1f}, normalised score {shown.normalized_score:.2f} "
        f"(random actions {shown.random_mean:.1f}, reference {shown.dqn_mean:.1f})"
    )
    if shown.normalized_score <= 0:
        return Finding(
            code=AgentCode.BELOW_RANDOM,
            severity=Severity.ERROR,
            claim="The agent plays no better than random actions.",
            where=evidence.place("act"),
            expected=f"a mean return of at least {needed:.1f} for full marks",
            received=standing,
            try_="Mend what is told above first."
            if explained
            else "Make sure that the trained weights are loaded, that observations are prepared as "
            "in training, and that the action with the largest Q-value is taken.",
        )
    shortfalls = np.array(shown.dqn) - np.array(shown.student)
    order = np.argsort(-shortfalls, kind="stable")[:WORST_SHOWN]
    worst = ", ".join(
        f"seed {shown.seeds[i]} ({shown.student[i]:g} instead of {shown.dqn[i]:g})"
        for i in order
        if shortfalls[i] > 0
    )
    return Finding(
        code=AgentCode.BELOW_REFERENCE,
        severity=Severity.ERROR,
        claim="The agent plays better than random actions, but not as well as the reference.",
        where=evidence.place("act"),
        expected=f"a normalised score of {settings.full_marks_at:g}, which is a mean return of "
        f"{needed:.1f}",
        received=f"{standing}; worst: {worst}",
        try_="Mend what is told above first."
        if explained
        else "Train longer and keep the weights that played best, not the last ones; then look at "
        "how the worst episodes end.",
    )


def _different(evidence: AgentEvidence, replays: Sequence[ReplayTrial]) -> tuple[Finding, ...]:
    if not replays:
        return ()
    first = replays[0]
    return (
        Finding(
            code=AgentCode.NOT_DETERMINISTIC,
            severity=Severity.ERROR,
            claim="The agent answers the same observations with different actions.",
            where=evidence.place("act"),
            expected=f"{first.first_action}, as the first time",
            received=f"{first.second_action} the second time (seed {first.seed}, step "
            f"{first.difference}; {len(replays)} of {len(evidence.replays)} episodes differ)",
            try_="Play greedily: always take the action with the largest Q-value, without "
            "exploration (epsilon = 0) and with dropout switched off (`training=False`).",
        ),
    )


def _unreplayed(evidence: AgentEvidence) -> Verdict:
    """The verdict when no episode could be shown again: none had an action, or none was tried."""
    if any(episode.actions for episode in evidence.episodes) or not evidence.episodes:
        return _fault("no episode was replayed")
    ended = [(_occasion(episode), episode.incident) for episode in evidence.episodes]
    incidents = [incident for _, incident in ended if incident is not None]
    outcomes = {incident_outcome(incident) for incident in incidents}
    outcome = Outcome.FAULT if Outcome.FAULT in outcomes else Outcome.INVALID
    # Why there was no action is told in full by `agent.performance`.
    told = (*incident_findings(ended, evidence.place("act")), *_outside_space(evidence))
    return _nothing(outcome, tuple(f.model_copy(update={"try_": _SEE_PERFORMANCE}) for f in told))


CHECKS: Final = (
    CheckKind(
        id="agent.interface",
        settings=NoSettings,
        judge=judge_interface,
        description="The class and its method are there, and it takes a first action.",
    ),
    CheckKind(
        id="agent.performance",
        settings=PerformanceSettings,
        judge=judge_performance,
        description="Mean return between the random agent's and the reference's, on their seeds.",
    ),
    CheckKind(
        id="agent.deterministic",
        settings=NoSettings,
        judge=judge_deterministic,
        description="The same observations, shown to another agent in another process, lead to "
        "the same actions.",
    ),
)
"""What an `agent` part can be checked for."""
