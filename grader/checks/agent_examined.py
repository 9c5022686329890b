"""Judges of what an agent's actions depend on: what it sees, its network, what it saw before."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.incidents import incident_outcome
from grader.checks.interface import graded, interface_verdict, passed
from grader.checks.played import fault, nothing, occasion, outside_space
from grader.checks.trials import incident_findings
from grader.records.agent_evidence import AgentEvidence
from grader.records.agent_examination import (
    ActionsTrial,
    AgentExamination,
    ChangedActionsSettings,
)
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Finding, Outcome, Severity, Verdict

_HALF_AT: Final = 2.0
"""Multiple of the time limit that earns half of the points; beyond it there are none."""
_MEND_FIRST: Final = "Mend this first; only then can more be tried."


class ExaminedCode(StrEnum):
    """Codes of findings about what an agent's actions depend on, and how long they take.

    AG4xx: time, AG5xx: what it looks at, AG8xx: what it keeps.
    """

    SLOW = "AG401"
    IGNORES_OBSERVATION = "AG501"
    NO_NETWORK = "AG511"
    DECORATION = "AG512"
    CARRIES_OVER = "AG801"


def examination_or_verdict(evidence: AgentEvidence) -> AgentExamination | Verdict:
    """What was tried beside playing, or the verdict where nothing could be."""
    if (missing := interface_verdict(evidence)) is not None:
        return missing
    if not any(episode.actions for episode in evidence.episodes):
        return _no_episode(evidence)
    if evidence.examination is None:
        return fault("it was never tried; the part's settings do not ask for it")
    return evidence.examination


def _no_episode(evidence: AgentEvidence) -> Verdict:
    """Not one action was taken: why, is told in full by the check of the performance."""
    if not evidence.episodes:
        return fault("no episode was played")
    ended = [(occasion(episode), episode.incident) for episode in evidence.episodes]
    told = incident_findings(ended, evidence.place("act"))
    outcomes = {incident_outcome(incident) for _, incident in ended if incident is not None}
    outcome = Outcome.FAULT if Outcome.FAULT in outcomes else Outcome.INVALID
    told = (*told, *outside_space(evidence))
    return nothing(outcome, tuple(f.model_copy(update={"try_": _MEND_FIRST}) for f in told))


def ended_badly(
    evidence: AgentEvidence, trials: Sequence[tuple[str, Incident | None]]
) -> Verdict | None:
    """The verdict when a trial did not come to its end; None when all did."""
    ends = [incident for _, incident in trials if incident is not None]
    if not ends:
        return None
    worst = next((each for each in ends if each.kind is IncidentKind.FAULT), ends[0])
    findings = incident_findings(trials, evidence.place("act"))
    return nothing(incident_outcome(worst), findings)


# --- what it looks at ---------------------------------------------------------------------------


def judge_observes(request: JudgeInput) -> Verdict:
    """Other observations lead to other actions."""
    evidence: AgentEvidence = request.evidence
    settings: ChangedActionsSettings = request.settings
    found = examination_or_verdict(evidence)
    if isinstance(found, Verdict):
        return found
    trials = found.observations
    if not trials:
        return fault("no other observations were shown")
    best = max(map(_share, trials))
    if best >= settings.changed:
        return passed()
    if (
        badly := ended_badly(evidence, [(each.label, each.incident) for each in trials])
    ) is not None:
        return badly
    finding = Finding(
        code=ExaminedCode.IGNORES_OBSERVATION, severity=Severity.ERROR,
        claim="The agent takes the same actions whatever it observes."
        if best == 0
        else "What the agent observes hardly matters for its actions.",
        where=evidence.place("act"),
        expected=f"other actions in at least {settings.changed:.0%} of the steps",
        received=_told(trials),
        try_="Choose the action by the Q-values of the observation that `act` is given: "
        "`int(numpy.argmax(self.model(observation[None])[0]))`.",
    )  # fmt: skip
    return graded(best / settings.changed, (finding,))


def _share(trial: ActionsTrial) -> float:
    return trial.changed / trial.compared if trial.compared else 0.0


def _told(trials: Sequence[ActionsTrial]) -> str:
    return "; ".join(
        f"{trial.changed} of {trial.compared} actions changed ({trial.label})"
        for trial in trials
        if trial.incident is None
    )


def judge_uses_network(request: JudgeInput) -> Verdict:
    """Other weights lead to other actions."""
    evidence: AgentEvidence = request.evidence
    settings: ChangedActionsSettings = request.settings
    found = examination_or_verdict(evidence)
    if isinstance(found, Verdict):
        return found
    network = found.network
    if network is None:
        return fault("no network was looked for")
    ends = [("changing the weights", network.incident)]
    if not network.trials and (badly := ended_badly(evidence, ends)) is not None:
        return badly
    place = evidence.place("agent_class")
    if not network.networks:
        finding = Finding(
            code=ExaminedCode.NO_NETWORK, severity=Severity.ERROR,
            claim="The agent holds no Keras network.", where=place,
            expected="a Keras model in an attribute of the agent, or at the top level of the file",
            received="none was found",
            try_="Keep the model that `act` asks in an attribute, such as `self.model`.",
        )  # fmt: skip
        return nothing(Outcome.FAILED, (finding,))
    # What changes without a change of the weights is chance, and no use of a network.
    chance = _share(network.unchanged) if network.unchanged is not None else 0.0
    best = max(_share(trial) for trial in network.trials) - chance
    if best >= settings.changed:
        return passed()
    if (badly := ended_badly(evidence, ends)) is not None:
        return badly
    beside = f"; {chance:.0%} change by themselves" if chance else ""
    finding = Finding(
        code=ExaminedCode.DECORATION, severity=Severity.ERROR,
        claim="Other weights in the agent's network do not change what it does.",
        where=evidence.place("act"),
        expected=f"other actions in at least {settings.changed:.0%} of the steps",
        received=f"{_told(network.trials)}{beside}; networks: {', '.join(network.networks)}",
        try_="Ask the network at every step, and let its largest Q-value decide. Weights that are "
        "copied out of the network when the agent is made do not change with it.",
    )  # fmt: skip
    return graded(max(best, 0.0) / settings.changed, (finding,))


# --- what it keeps ------------------------------------------------------------------------------


def judge_stateless(request: JudgeInput) -> Verdict:
    """An episode is played alike in a fresh process and after others."""
    evidence: AgentEvidence = request.evidence
    found = examination_or_verdict(evidence)
    if isinstance(found, Verdict):
        return found
    trials = found.memory
    if not trials:
        return fault("no episode was shown after others")
    changed = [trial for trial in trials if trial.changed]
    if not changed:
        badly = ended_badly(evidence, [(each.label, each.incident) for each in trials])
        return badly or passed()
    finding = Finding(
        code=ExaminedCode.CARRIES_OVER, severity=Severity.ERROR,
        claim="The agent acts differently after other episodes than in a fresh process.",
        where=evidence.place("act"),
        expected="the same actions: both times a new agent was made",
        received=_told(changed),
        try_="Keep what belongs to an episode in attributes that `__init__` sets, and neither at "
        "the top level of the file nor in the class.",
    )  # fmt: skip
    return nothing(Outcome.FAILED, (finding,))


# --- how long it takes --------------------------------------------------------------------------


def judge_step_time(request: JudgeInput) -> Verdict:
    """Nearly all steps keep the limit; up to twice the limit earns half."""
    evidence: AgentEvidence = request.evidence
    found = examination_or_verdict(evidence)
    if isinstance(found, Verdict):
        return found
    timed = found.step_time
    if timed is None:
        return fault("no step was timed")
    if (badly := ended_badly(evidence, [("timed steps", timed.incident)])) is not None:
        return badly
    if timed.at_most is None:
        return fault("no step was timed")
    if timed.at_most <= 1.0:
        return passed()
    finding = Finding(
        code=ExaminedCode.SLOW, severity=Severity.ERROR,
        claim="A step takes too long.", where=evidence.place("act"),
        expected=f"at most {timed.limit_ms:g} ms of processor time in 95 % of the steps, the first "
        f"{timed.warm_up} left out",
        received=f"more than that, and at most {timed.at_most * timed.limit_ms:g} ms"
        if timed.at_most < _BEYOND else f"more than {_BEYOND:g} times that",
        try_="Load the network once, in `__init__`, and ask it once per step, with nothing beside "
        "that belongs to training.",
    )  # fmt: skip
    return graded(0.5 if timed.at_most <= _HALF_AT else 0.0, (finding,))


_BEYOND: Final = 100.0

EXAMINED_CHECKS: Final = (
    CheckKind(
        id="agent.observes",
        settings=ChangedActionsSettings,
        judge=judge_observes,
        description="Other observations lead to other actions; needs `examine_observations`.",
        needs="examine_observations",
    ),
    CheckKind(
        id="agent.uses_network",
        settings=ChangedActionsSettings,
        judge=judge_uses_network,
        description="Other weights in the agent's networks lead to other actions; needs "
        "`examine_network`.",
        needs="examine_network",
    ),
    CheckKind(
        id="agent.stateless",
        settings=NoSettings,
        judge=judge_stateless,
        description="An episode is played alike in a fresh process and after others; needs "
        "`examine_memory`.",
        needs="examine_memory",
    ),
    CheckKind(
        id="agent.step_time",
        settings=NoSettings,
        judge=judge_step_time,
        description="95 % of the steps take at most `step_time_ms` of processor time; needs that "
        "setting. Up to twice the limit earns half.",
        needs="step_time_ms",
    ),
)
"""Checks of what an agent's actions depend on."""
