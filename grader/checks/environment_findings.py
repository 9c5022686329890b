"""How broken rules of environments are told, and what several of them cost together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from grader.checks.environment_rules import (
    DTYPE_COST,
    RULES,
    SEVERE_COST,
    SMALL_LIMIT,
    WORD_COST,
)
from grader.checks.incidents import incident_finding
from grader.records.environment_evidence import EnvironmentRule, Violation
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Finding, Severity

_R = EnvironmentRule

_PAIR: Final = re.compile(r"\b(tuple|list|None|nothing)\b")
_FOUR: Final = re.compile(
    r"\b(4|four) (values|items|things|elements)\b|\b(tuple|list|length) (of )?(4|four)\b",
    re.IGNORECASE,
)


_WORD: Final = re.compile(r"[^()…]*|(?P<quoted>.*) \(str\)", re.DOTALL)
"""A text that the code gave: as it is, or with its type as other values are told."""
_DTYPE: Final = re.compile(r": the dtype is not (\w+)$")
_BOUNDS: Final = ": a value lies outside the bounds"
_MAX_SHOWN: Final = 90
"""Characters shown of an array; the rest says nothing to anyone."""

_OBSERVED: Final = frozenset({_R.RESET_OBSERVATION, _R.STEP_OBSERVATION})


def total_cost(costs: Iterable[float]) -> float:
    """What several broken rules cost together, from 0 to 1.

    Severe ones add up; the small ones add up to `SMALL_LIMIT`.
    """
    ordered = sorted(costs)  # a sum of floats depends on its order
    small = sum(cost for cost in ordered if cost < SEVERE_COST)
    severe = sum(cost for cost in ordered if cost >= SEVERE_COST)
    return min(1.0, severe + min(small, SMALL_LIMIT))


def violation_cost(violation: Violation) -> float:
    """The share of the points of `environment.conformance` that this violation costs."""
    if violation.rule in _OBSERVED and _DTYPE.search(violation.received):
        return DTYPE_COST
    if violation.rule is _R.REWARD_TYPE and _is_word(violation):
        return WORD_COST
    return RULES[violation.rule].cost


def merged(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """The violations without those that have the same cause as another one.

    What `reset` and `step` return is usually made in one place: observations of both that are
    outside the space for the same reason are one mistake, told where `reset` shows it.
    """
    kept = list(violations)
    first = next((v for v in kept if v.rule is _R.RESET_OBSERVATION), None)
    if first is None:
        return tuple(kept)
    reason = _observation_reason(first)
    same = [
        v for v in kept
        if v.rule is _R.STEP_OBSERVATION and reason and _observation_reason(v) == reason
    ]  # fmt: skip
    if not same:
        return tuple(kept)
    count = first.count + sum(violation.count for violation in same)
    both = first.model_copy(update={"count": count, "at": f"{first.at}, and in `step`"})
    return tuple(both if v is first else v for v in kept if v not in same)


def _observation_reason(violation: Violation) -> str:
    """Why an observation is not in the space, where that is known."""
    return violation.received.rpartition(": ")[2] if ": " in violation.received else ""


def _is_word(violation: Violation) -> bool:
    return bool(violation.received) and _WORD.fullmatch(violation.received) is not None


def short(value: str) -> str:
    """A value as it is shown: of a long array only the beginning, and what is wrong with it."""
    head, separator, reason = value.partition("…")
    if not separator or len(head) <= _MAX_SHOWN:
        return value
    return f"{head[:_MAX_SHOWN].rstrip()}…{reason}"


def is_open(incident: Incident) -> bool:
    """Whether it stays open what the code would have done: it was ended, it did not raise."""
    return incident.kind is not IncidentKind.RAISED


def rule_findings(violation: Violation, place: str, *, costs: bool = True) -> tuple[Finding, ...]:
    """The findings for a broken rule: the rule's own, and what ended the code, if anything did.

    Args:
        violation: the rule that was broken.
        place: where what broke it is defined, `file:line`.
        costs: whether the check that tells it takes points for it.
    """
    incident = violation.incident
    if incident is not None and is_open(incident):
        ended = incident_finding(incident)
        if violation.rule in {EnvironmentRule.RAISED_IN_RESET, EnvironmentRule.RAISED_IN_STEP}:
            # Nothing was raised: the code was ended, and that is told already.
            return (ended,)
        return (ended, _rule_finding(violation, place, None, costs=costs))
    return (_rule_finding(violation, place, incident, costs=costs),)


def _rule_finding(
    violation: Violation, place: str, raised: Incident | None, *, costs: bool
) -> Finding:
    rule = RULES[violation.rule]
    claim, advice = _old_api(violation) or _more_precisely(violation) or (rule.claim, rule.advice)
    received = short(violation.received)
    if violation.rule in _TYPES and (word := _WORD.fullmatch(violation.received)) and word[0]:
        received = word["quoted"] or f"'{received}'"
        received = f"the text {received}"
    if raised is not None and not received:
        received = incident_finding(raised).received or ""
    times = f"{violation.count} times in all" if violation.count > 1 else ""
    return Finding(
        code=rule.code, severity=Severity.ERROR if costs and rule.cost > 0 else rule.severity,
        claim=claim, where=(raised.where() if raised is not None else None) or place,
        expected=violation.expected or rule.expected,
        received=" · ".join(text for text in (received, violation.at, times) if text) or None,
        try_=advice,
    )  # fmt: skip


_TYPES: Final = frozenset({_R.REWARD_TYPE, _R.TERMINATED_TYPE, _R.TRUNCATED_TYPE})


def _more_precisely(violation: Violation) -> tuple[str, str] | None:
    """Claim and advice where the evidence says more than that a rule is broken."""
    rule = RULES[violation.rule]
    if violation.rule is _R.REWARD_TYPE and _is_word(violation):
        return (
            rule.claim,
            "Return a number, such as 1.0 for a win, 0.0 for a draw, −1.0 for a loss.",
        )
    if violation.rule not in _OBSERVED:
        return None
    claim = rule.claim
    if violation.at.endswith(", and in `step`"):
        claim = "The observations of `reset` and `step` are not in the observation space."
    if (dtype := _DTYPE.search(violation.received)) is not None:
        return claim, (
            "Make the observation with the dtype of the space: "
            f"`np.array(values, dtype=np.{dtype[1]})`."
        )
    if violation.received.endswith(_BOUNDS):
        return claim, (
            "Keep every value between `low` and `high` of the space, with `np.clip`, or by ending "
            "the game at its edge; the last observation of an episode counts too."
        )
    return claim, rule.advice


def _old_api(violation: Violation) -> tuple[str, str] | None:
    """Claim and advice when the environment was written for the API of the old package `gym`."""
    if violation.rule is _R.RESET_RETURN and not _PAIR.search(violation.received):
        return (
            "`reset` returns only the observation, as in the old Gym API.",
            "Return two things: `return observation, {}`. Old `gym` code is recognised by "
            "`obs = env.reset()`; Gymnasium says `obs, info = env.reset(seed=…)`.",
        )
    if violation.rule is _R.STEP_RETURN and _FOUR.search(violation.received):
        return (
            "`step` returns four things, as in the old Gym API.",
            "Split `done` in two: `terminated` (the game is won or lost) and `truncated` (stopped "
            "from outside, such as by a step limit): "
            "`return observation, reward, terminated, truncated, {}`.",
        )
    return None
