"""Judges of an `environment` part: its interface, Gymnasium's API, and determinism."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from grader.assignments.registry import JudgeInput
from grader.checks.environment_findings import (
    is_open,
    merged,
    rule_findings,
    short,
    total_cost,
    violation_cost,
)
from grader.checks.environment_rules import RULES, SEVERE_COST, EnvironmentCode
from grader.checks.incidents import incident_finding, incident_verdict
from grader.checks.interface import graded, interface_verdict, passed
from grader.records.environment_evidence import (
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
RENDER_ROLE: Final = "render"
CLOSE_ROLE: Final = "close"

UNFINISHED_LIMIT: Final = 0.5
"""Most that conformance can earn when an error of the code kept some rules from being tried."""

_R = EnvironmentRule
_NO_ENVIRONMENT: Final = frozenset(
    {_R.NOT_AN_ENV, _R.NO_OBSERVATION_SPACE, _R.NO_ACTION_SPACE, _R.RESET_SIGNATURE}
)
_DETERMINISM: Final = re.compile(r"determinis|same seed", re.IGNORECASE)
"""What Gymnasium's checker says when a seed does not decide the game."""
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
        _R.RAISED_IN_RESET, _R.SEED_IGNORED, _R.GENERATOR_NOT_SEEDED, _R.SAME_GAME_AGAIN,
        _R.NEXT_GAME_DIFFERS,
    }
)  # fmt: skip
_STEP_RULES: Final = frozenset(
    {
        _R.RAISED_IN_STEP, _R.OBSERVATION_OVERWRITTEN, _R.OBSERVATION_SHARED, _R.INFO_SHARED,
        _R.INFO_KEYS, _R.ACTION_OVERWRITTEN, _R.INVALID_ACTION, _R.STEP_AFTER_END,
        _R.STEP_BEFORE_RESET,
    }
)  # fmt: skip


def judge_interface(given: JudgeInput) -> Verdict:
    """Whether the environment can be made, reset and stepped."""
    evidence: EnvironmentEvidence = given.evidence
    missing = incomplete(evidence)
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
            findings=findings_of(broken, evidence),
        )
    if stepped:
        return passed()
    return incident_verdict(stopped(evidence) or never_tried())


def judge_conformance(given: JudgeInput) -> Verdict:
    """Which rules of Gymnasium's API are broken; each broken rule costs once.

    A rule whose breaking follows from another's costs nothing: what Gymnasium's own checker says
    is mostly the same again, and a reset that raises starts no new episode either. What has to do
    with seeds is told by `environment.deterministic`; what has to do with pictures by
    `environment.render`, where the assignment has that check, and otherwise here, as a warning.
    """
    evidence: EnvironmentEvidence = given.evidence
    missing = incomplete(evidence)
    if missing is not None:
        return missing
    violations = merged(v for v in evidence.violations if not _about_seeds(v, evidence))
    pictures = [v for v in violations if RULES[v.rule].told_by == "render"]
    violations = tuple(v for v in violations if v not in pictures)
    asked = has_check(given, "render")
    warned = () if asked else findings_of(pictures, evidence, costs=False)
    findings = (*findings_of(violations, evidence), *warned)
    stop = stopped(evidence)
    if not evidence.finished and stop is not None and is_open(stop):
        told = any(violation.incident == stop for violation in violations)
        extra = () if told else (incident_finding(stop),)
        return Verdict(outcome=Outcome.INVALID, fraction=0.0, findings=(*extra, *findings))
    costs: dict[EnvironmentRule, float] = {}
    for violation in violations:
        costs[violation.rule] = max(costs.get(violation.rule, 0.0), violation_cost(violation))
    costly = {rule for rule, cost in costs.items() if cost > 0}
    if costly != {_R.CHECKER}:
        costly.discard(_R.CHECKER)
    if _R.RAISED_IN_RESET in costly:
        costly.discard(_R.RESET_AFTER_END)
    fraction = 1.0 - total_cost(costs[rule] for rule in costly)
    if not evidence.finished:
        fraction = min(fraction, UNFINISHED_LIMIT if _stepped(evidence) else 0.0)
    return graded(fraction, findings)


def judge_deterministic(given: JudgeInput) -> Verdict:
    """Whether one seed and the same actions give the same game.

    Half for two runs in one process (nothing is carried over from one game to the next), half for
    runs in separate processes (nothing depends on the process). Of that, games that are disturbed
    by another environment, or are not decided by the seed after the first one, take their share
    away. A seed that changes nothing is a warning without loss: a game in which nothing is left to
    chance is a game too, and from outside it looks the same.
    """
    evidence: EnvironmentEvidence = given.evidence
    missing = incomplete(evidence)
    if missing is not None:
        return missing
    about = [v for v in evidence.violations if RULES[v.rule].told_by == "deterministic"]
    ignored = findings_of(about, evidence)
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
        *findings_of(reasons, evidence),
        *ignored,
    )
    if any(map(is_open, incidents)):
        return Verdict(outcome=Outcome.INVALID, fraction=0.0, findings=findings)
    held = [all(map(_equal, group)) for group in groups.values()]
    lost = total_cost({violation.rule: RULES[violation.rule].cost for violation in about}.values())
    return graded(sum(held) / len(held) * (1.0 - lost), findings)


# --- what is missing ----------------------------------------------------------------------------


def incomplete(evidence: EnvironmentEvidence) -> Verdict | None:
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
    if RULES[violation.rule].told_by == "deterministic":
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


def stopped(evidence: EnvironmentEvidence) -> Incident | None:
    """What kept the environment from being tried in full."""
    incidents = list(_incidents(evidence))
    return next((i for i in incidents if is_open(i)), incidents[0] if incidents else None)


def _stops(violation: Violation) -> bool:
    """Whether it can keep the grader from trying the rest."""
    rule = RULES[violation.rule]
    return rule.told_by == "conformance" and rule.cost >= SEVERE_COST


def _stepped(evidence: EnvironmentEvidence) -> bool:
    """Whether at least one step came back."""
    return any(episode.steps > 0 for episode in evidence.episodes) or any(
        violation.rule in _STEP_ANSWERED for violation in evidence.violations
    )


def never_tried() -> Incident:
    """The grader's own fault: something was not tried, and nothing says why."""
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
    return None if tried or explained else incident_verdict(never_tried())


def _untried(evidence: EnvironmentEvidence, ignored: tuple[Finding, ...]) -> Verdict:
    """The verdict on determinism when no two runs could be compared."""
    stop = stopped(evidence)
    if stop is not None:
        return incident_verdict(stop, *ignored)
    reasons = [violation for violation in evidence.violations if _stops(violation)]
    if not reasons:
        return incident_verdict(never_tried(), *ignored)
    findings = (*findings_of(reasons, evidence), *ignored)
    return Verdict(outcome=Outcome.INVALID, fraction=0.0, findings=findings)


# --- findings -----------------------------------------------------------------------------------


def findings_of(
    violations: Iterable[Violation], evidence: EnvironmentEvidence, *, costs: bool = True
) -> tuple[Finding, ...]:
    """All findings: what costs most first; of equals, as recorded.

    Args:
        violations: broken rules.
        evidence: what they were seen in.
        costs: whether the check that tells them takes points for them.
    """
    ordered = sorted(violations, key=lambda violation: -RULES[violation.rule].cost)
    return tuple(
        finding
        for violation in ordered
        for finding in rule_findings(violation, _place(violation, evidence), costs=costs)
    )


def has_check(given: JudgeInput, name: str) -> bool:
    """Whether the assignment asks for another check of the same part."""
    wanted = f"environment.{name}"
    return any(given.part.check_kind(each) == wanted for each in given.part.checks)


def _place(violation: Violation, evidence: EnvironmentEvidence) -> str:
    """The line that is known, or the method that a rule is about, or the class."""
    if violation.line is not None:
        return f"{evidence.file}:{violation.line}"
    rule = violation.rule
    role = (
        RESET_ROLE if rule in _RESET_RULES
        else STEP_ROLE if rule in _STEP_ANSWERED | _STEP_RULES
        else RENDER_ROLE if RULES[rule].told_by == "render"
        else CLOSE_ROLE if rule is _R.CLOSE
        else CLASS_ROLE
    )  # fmt: skip
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
