"""Judges of an `environment` part: its interface, Gymnasium's API, and determinism."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.environment_rules import (
    RULES,
    EnvironmentCode,
    is_open,
    merged,
    rule_findings,
    short,
    violation_cost,
)
from grader.checks.incidents import incident_finding, incident_verdict
from grader.checks.interface import graded, interface_verdict, passed
from grader.records.evidence import (
    EnvironmentEvidence,
    EnvironmentRule,
    EnvironmentTrial,
    Violation,
)
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Finding, Outcome, Severity, Verdict

CLASS_ROLE: Final = "env_class"
RESET_ROLE: Final = "reset"
STEP_ROLE: Final = "step"

UNFINISHED_LIMIT: Final = 0.5
"""Most that conformance can earn when an error of the code kept some rules from being tried."""

_R = EnvironmentRule
_NO_ENVIRONMENT: Final = frozenset(
    {_R.NOT_AN_ENV, _R.NO_OBSERVATION_SPACE, _R.NO_ACTION_SPACE, _R.RESET_SIGNATURE}
)
_DETERMINISM: Final = re.compile(r"determinis|same seed", re.IGNORECASE)
"""What Gymnasium's checker says when a seed does not decide the game."""
_STOPPING_COST: Final = 0.3
"""Rules of at least this cost can keep the grader from trying the rest."""
_STEP_ANSWERED: Final = frozenset(
    {
        _R.STEP_RETURN, _R.STEP_OBSERVATION, _R.REWARD_TYPE, _R.REWARD_NOT_FINITE,
        _R.TERMINATED_TYPE, _R.TRUNCATED_TYPE, _R.STEP_INFO, _R.NEVER_ENDS, _R.RESET_AFTER_END,
    }
)  # fmt: skip
"""Rules that only a step that came back can break."""
_RESET_RULES: Final = frozenset(
    {
        _R.RESET_SIGNATURE, _R.RESET_RETURN, _R.RESET_INFO, _R.RESET_OBSERVATION,
        _R.RAISED_IN_RESET, _R.SEED_IGNORED,
    }
)  # fmt: skip


def judge_interface(given: JudgeInput) -> Verdict:
    """Whether the environment can be made, reset and stepped."""
    evidence: EnvironmentEvidence = given.evidence
    missing = _incomplete(evidence)
    if missing is not None:
        return missing
    stepped = _stepped(evidence)
    broken = [
        violation
        for violation in evidence.violations
        if violation.rule in _NO_ENVIRONMENT or (_stops(violation) and not stepped)
    ]
    if broken:
        # A reset or a first step that was ended leaves open what it would have done.
        ended = all(v.incident is not None and is_open(v.incident) for v in broken)
        return Verdict(
            outcome=Outcome.INVALID if ended else Outcome.FAILED,
            fraction=0.0,
            findings=_findings(broken, evidence),
        )
    if stepped:
        return passed()
    return incident_verdict(_stopped(evidence) or _never_tried())


def judge_conformance(given: JudgeInput) -> Verdict:
    """Which rules of Gymnasium's API are broken; each broken rule costs once.

    A rule whose breaking follows from another's costs nothing: what Gymnasium's own checker says
    is mostly the same again, and a reset that raises starts no new episode either. What has to do
    with seeds is told by `environment.deterministic`.
    """
    evidence: EnvironmentEvidence = given.evidence
    missing = _incomplete(evidence)
    if missing is not None:
        return missing
    violations = merged(v for v in evidence.violations if not _about_seeds(v, evidence))
    findings = _findings(violations, evidence)
    stopped = _stopped(evidence)
    if not evidence.finished and stopped is not None and is_open(stopped):
        told = any(violation.incident == stopped for violation in violations)
        extra = () if told else (incident_finding(stopped),)
        return Verdict(outcome=Outcome.INVALID, fraction=0.0, findings=(*extra, *findings))
    costs: dict[EnvironmentRule, float] = {}
    for violation in violations:
        costs[violation.rule] = max(costs.get(violation.rule, 0.0), violation_cost(violation))
    costly = {rule for rule, cost in costs.items() if cost > 0}
    if costly != {_R.CHECKER}:
        costly.discard(_R.CHECKER)
    if _R.RAISED_IN_RESET in costly:
        costly.discard(_R.RESET_AFTER_END)
    # Sorted, because a sum of floats depends on its order and the order of a set on nothing known.
    fraction = max(0.0, 1.0 - sum(sorted(costs[rule] for rule in costly)))
    if not evidence.finished:
        fraction = min(fraction, UNFINISHED_LIMIT if _stepped(evidence) else 0.0)
    return graded(fraction, findings)


def judge_deterministic(given: JudgeInput) -> Verdict:
    """Whether one seed and the same actions give the same game.

    Half for two runs in one process (nothing is carried over from one game to the next), half for
    runs in separate processes (nothing depends on the process). A seed that changes nothing is a
    warning without loss: a game in which nothing is left to chance is a game too, and from outside
    it looks the same.
    """
    evidence: EnvironmentEvidence = given.evidence
    missing = _incomplete(evidence)
    if missing is not None:
        return missing
    ignored = _findings([v for v in evidence.violations if v.rule is _R.SEED_IGNORED], evidence)
    if not evidence.trials:
        return _untried(evidence, ignored)
    incidents = list(dict.fromkeys(t.incident for t in evidence.trials if t.incident is not None))
    groups = {
        kind: [trial for trial in evidence.trials if trial.processes == kind]
        for kind in dict.fromkeys(trial.processes for trial in evidence.trials)
    }
    # Runs that broke off before there was anything to compare were told as broken rules.
    unseen = any(trial.compared == 0 and trial.incident is None for trial in evidence.trials)
    reasons = [violation for violation in evidence.violations if unseen and _stops(violation)]
    findings = (
        *_differences(groups, evidence),
        *(incident_finding(incident, evidence.place(CLASS_ROLE)) for incident in incidents),
        *_findings(reasons, evidence),
        *ignored,
    )
    if any(map(is_open, incidents)):
        return Verdict(outcome=Outcome.INVALID, fraction=0.0, findings=findings)
    held = [all(map(_equal, group)) for group in groups.values()]
    return graded(sum(held) / len(held), findings)


# --- what is missing ----------------------------------------------------------------------------


def _incomplete(evidence: EnvironmentEvidence) -> Verdict | None:
    """The verdict when there is no environment to judge; None when there is."""
    absent = [missing for missing in evidence.unresolved if missing.role in (RESET_ROLE, STEP_ROLE)]
    if not absent:
        return interface_verdict(evidence) or _fault(evidence)
    # Every subclass of `gymnasium.Env` inherits both methods.
    rule = RULES[_R.NOT_AN_ENV]
    names = ", ".join(f"`{name}`" for name in absent[0].available) or "no method"
    finding = Finding(
        code=rule.code, severity=Severity.ERROR, claim=rule.claim,
        where=evidence.place(CLASS_ROLE),
        expected=f"{rule.expected}, with {' and '.join(f'`{m.accepted[0]}`' for m in absent)}",
        received=f"a class with {names}", try_=rule.advice,
    )  # fmt: skip
    return Verdict(outcome=Outcome.FAILED, fraction=0.0, findings=(finding,))


def _about_seeds(violation: Violation, evidence: EnvironmentEvidence) -> bool:
    """Whether `environment.deterministic` tells it: what Gymnasium's checker says of it as well."""
    if violation.rule is _R.SEED_IGNORED:
        return True
    differs = any(trial.difference is not None for trial in evidence.trials)
    return (
        differs
        and violation.rule is _R.CHECKER
        and _DETERMINISM.search(violation.received) is not None
    )


# --- what kept it from being tried --------------------------------------------------------------


def _incidents(evidence: EnvironmentEvidence) -> Iterable[Incident]:
    for violation in evidence.violations:
        if violation.incident is not None:
            yield violation.incident
    for trial in evidence.trials:
        if trial.incident is not None:
            yield trial.incident


def _stopped(evidence: EnvironmentEvidence) -> Incident | None:
    """What kept the environment from being tried in full."""
    incidents = list(_incidents(evidence))
    return next((i for i in incidents if is_open(i)), incidents[0] if incidents else None)


def _stops(violation: Violation) -> bool:
    return RULES[violation.rule].cost >= _STOPPING_COST


def _stepped(evidence: EnvironmentEvidence) -> bool:
    """Whether at least one step came back."""
    return any(episode.steps > 0 for episode in evidence.episodes) or any(
        violation.rule in _STEP_ANSWERED for violation in evidence.violations
    )


def _never_tried() -> Incident:
    return Incident(
        kind=IncidentKind.FAULT,
        stage="trying the environment",
        message="the environment was not tried in full, and nothing says why",
    )


def _fault(evidence: EnvironmentEvidence) -> Verdict | None:
    """The verdict when the grader failed, or when nothing explains why something is missing."""
    incidents = list(_incidents(evidence))
    for incident in incidents:
        if incident.kind is IncidentKind.FAULT:
            return incident_verdict(incident)
    explained = bool(incidents) or any(map(_stops, evidence.violations))
    tried = evidence.finished and bool(evidence.episodes)
    return None if tried or explained else incident_verdict(_never_tried())


def _untried(evidence: EnvironmentEvidence, ignored: tuple[Finding, ...]) -> Verdict:
    """The verdict on determinism when no two runs could be compared."""
    stopped = _stopped(evidence)
    if stopped is not None:
        return incident_verdict(stopped, *ignored)
    reasons = [violation for violation in evidence.violations if _stops(violation)]
    if not reasons:
        return incident_verdict(_never_tried(), *ignored)
    findings = (*_findings(reasons, evidence), *ignored)
    return Verdict(outcome=Outcome.INVALID, fraction=0.0, findings=findings)


# --- findings -----------------------------------------------------------------------------------


def _findings(
    violations: Iterable[Violation], evidence: EnvironmentEvidence
) -> tuple[Finding, ...]:
    """All findings: what costs most first; of equals, as recorded."""
    ordered = sorted(violations, key=lambda violation: -RULES[violation.rule].cost)
    return tuple(
        finding
        for violation in ordered
        for finding in rule_findings(violation, _place(violation.rule, evidence))
    )


def _place(rule: EnvironmentRule, evidence: EnvironmentEvidence) -> str:
    """The method that a rule is about where its line is known, otherwise the class."""
    steps = rule in _STEP_ANSWERED or rule is _R.RAISED_IN_STEP
    role = RESET_ROLE if rule in _RESET_RULES else STEP_ROLE if steps else CLASS_ROLE
    found = evidence.symbol(role)
    return evidence.place(role if found is not None and found.line else CLASS_ROLE)


def _equal(trial: EnvironmentTrial) -> bool:
    return trial.incident is None and trial.difference is None and trial.compared > 0


_LEFT_OVER: Final = (
    "Set all that changes during a game again in `reset`: something is left over from the game "
    "before, or a generator is seeded only in `__init__`."
)
_UNSEEDED: Final = (
    "Look for `random` or `np.random` without a seed, the clock, `hash` of a text, or the order of "
    "a set."
)


def _differences(
    groups: Mapping[Literal["same", "separate"], list[EnvironmentTrial]],
    evidence: EnvironmentEvidence,
) -> tuple[Finding, ...]:
    """The finding that games differ: what differs in both ways has one cause and is told once."""
    different = {
        kind: [trial for trial in trials if trial.difference is not None]
        for kind, trials in groups.items()
    }
    kinds = [kind for kind, trials in different.items() if trials]
    if not kinds:
        return ()
    if kinds == ["same"]:
        code, how, cause = EnvironmentCode.DIFFERS_IN_PROCESS, " in one process", _LEFT_OVER
    else:
        code, cause = EnvironmentCode.DIFFERS_BETWEEN_PROCESSES, _UNSEEDED
        how = " in two processes" if len(kinds) == 1 else ""
    shown = different[kinds[0]]
    first = shown[0]
    step = "at `reset`" if first.difference == 0 else f"at step {first.difference}"
    return (Finding(
        code=code, severity=Severity.ERROR,
        claim=f"The same seed and the same actions give two different games{how}.",
        where=evidence.place(CLASS_ROLE),
        expected=f"the same {first.what or 'game'} {step}, seed {first.seed}: {short(first.first)}",
        received=f"{short(first.second)} ({len(shown)} of {len(groups[kinds[0]])} seeds differ)",
        try_=f"{cause} Draw everything with `self.np_random`, after `super().reset(seed=seed)`.",
    ),)  # fmt: skip


CHECKS: Final = (
    CheckKind(
        id="environment.interface", settings=NoSettings, judge=judge_interface,
        description="The environment can be made, reset and stepped.",
    ),
    CheckKind(
        id="environment.conformance", settings=NoSettings, judge=judge_conformance,
        description="It keeps to Gymnasium's API; each broken rule costs by how much it breaks.",
    ),
    CheckKind(
        id="environment.deterministic", settings=NoSettings, judge=judge_deterministic,
        description="The same seed and actions give the same game, in one process and in two.",
    ),
)  # fmt: skip
