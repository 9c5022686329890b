"""Judges of a game-playing agent: can it act, how well does it play, is it deterministic?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.agent_beside import BESIDE_CHECKS
from grader.checks.agent_examined import EXAMINED_CHECKS
from grader.checks.incidents import incident_outcome, incident_verdict
from grader.checks.interface import interface_verdict, passed
from grader.checks.performance import judge_performance
from grader.checks.played import AgentCode, fault, nothing, occasion, outside_space
from grader.checks.trials import incident_findings
from grader.records.agent_evidence import AgentEvidence, ReplayTrial
from grader.records.agent_settings import PerformanceSettings
from grader.records.result import Finding, Outcome, Severity, Verdict

_SEE_PERFORMANCE: Final = "Mend this first; only then can two episodes be compared."


def judge_interface(request: JudgeInput) -> Verdict:
    """Everything is defined, and the agent takes a first action."""
    evidence: AgentEvidence = request.evidence
    verdict = interface_verdict(evidence)
    if verdict is not None:
        return verdict
    if not evidence.episodes:
        return fault("no episode was played")
    first = evidence.episodes[0]
    if first.incident is not None and not first.actions:
        return incident_verdict(first.incident, place=evidence.place("act"))
    return passed()


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
        return nothing(Outcome.FAULT, incident_findings(ended))
    place = evidence.place("act")
    different = [replay for replay in replays if replay.difference is not None]
    findings = (*incident_findings(ended, place), *_different(evidence, different))
    if findings:
        invalid = Outcome.INVALID in outcomes and not different
        return nothing(Outcome.INVALID if invalid else Outcome.FAILED, findings)
    if not all(replay.compared for replay in replays):
        return fault("an episode was replayed without a single action")
    return passed()


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
        return fault("no episode was replayed")
    ended = [(occasion(episode), episode.incident) for episode in evidence.episodes]
    incidents = [incident for _, incident in ended if incident is not None]
    outcomes = {incident_outcome(incident) for incident in incidents}
    outcome = Outcome.FAULT if Outcome.FAULT in outcomes else Outcome.INVALID
    # Why there was no action is told in full by `agent.performance`.
    told = (*incident_findings(ended, evidence.place("act")), *outside_space(evidence))
    return nothing(outcome, tuple(f.model_copy(update={"try_": _SEE_PERFORMANCE}) for f in told))


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
    *EXAMINED_CHECKS,
    *BESIDE_CHECKS,
)
"""What an `agent` part can be checked for."""
