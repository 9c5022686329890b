"""What the judges of played episodes have in common."""

from __future__ import annotations

from enum import StrEnum

from grader.checks.incidents import incident_verdict
from grader.records.agent_evidence import AgentEvidence, Episode
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Finding, Outcome, Severity, Verdict


class AgentCode(StrEnum):
    """Codes of findings about game-playing agents."""

    OUTSIDE_SPACE = "AG101"
    SAME_ACTION = "AG102"
    BELOW_RANDOM = "AG201"
    BELOW_REFERENCE = "AG202"
    BORDERLINE = "AG203"
    NOT_DETERMINISTIC = "AG301"


def fault(message: str) -> Verdict:
    """The verdict where the grader's side keeps the episodes from being judged."""
    return incident_verdict(Incident(kind=IncidentKind.FAULT, stage="judging", message=message))


def nothing(outcome: Outcome, findings: tuple[Finding, ...]) -> Verdict:
    """A verdict without points."""
    return Verdict(outcome=outcome, fraction=0.0, findings=findings)


def occasion(episode: Episode) -> str:
    """Which episode ended, and where in it."""
    return f"seed {episode.seed}, step {len(episode.rewards)}"


def outside_space(evidence: AgentEvidence) -> tuple[Finding, ...]:
    """The finding if actions outside the space ended episodes."""
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
            received=f"{ended[0].invalid_action} ({occasion(ended[0])}{same})",
            try_="Return one plain action, such as `int(numpy.argmax(q_values))`: actions count "
            "from 0, and neither the Q-values nor an array of actions is one.",
        ),
    )
