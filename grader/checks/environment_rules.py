"""The rules of Gymnasium's API: what breaking one costs, and how it is told to the student."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from grader.checks.incidents import incident_finding
from grader.records.evidence import EnvironmentRule, Violation
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Finding, Severity


class EnvironmentCode(StrEnum):
    """Codes of findings about an environment: one for each rule, and those on determinism."""

    NOT_AN_ENV = "EN101"
    NO_OBSERVATION_SPACE = "EN102"
    NO_ACTION_SPACE = "EN103"
    RESET_SIGNATURE = "EN104"
    RESET_RETURN = "EN105"
    RESET_INFO = "EN106"
    RESET_OBSERVATION = "EN107"
    STEP_RETURN = "EN108"
    STEP_OBSERVATION = "EN109"
    REWARD_TYPE = "EN110"
    REWARD_NOT_FINITE = "EN111"
    TERMINATED_TYPE = "EN112"
    TRUNCATED_TYPE = "EN113"
    STEP_INFO = "EN114"
    NEVER_ENDS = "EN115"
    RAISED_IN_RESET = "EN116"
    RAISED_IN_STEP = "EN117"
    RESET_AFTER_END = "EN118"
    NO_METADATA = "EN119"
    RENDER_MODE = "EN120"
    CHECKER = "EN121"
    CHECKER_WARNING = "EN122"
    DIFFERS_IN_PROCESS = "EN201"
    DIFFERS_BETWEEN_PROCESSES = "EN202"
    SEED_IGNORED = "EN203"


@dataclass(frozen=True)
class RuleText:
    """What a broken rule costs and how it is told."""

    code: EnvironmentCode
    cost: float
    """Share of the points of `environment.conformance` lost when it is broken; 0 is a warning."""
    claim: str
    """What is the case."""
    expected: str
    """What Gymnasium asks for, where the evidence does not say it more precisely."""
    advice: str
    """What to do next."""


_R = EnvironmentRule
_C = EnvironmentCode

# The costs follow what breaks for someone who uses the environment. 1: there is no environment to
# use. 0.4 to 0.6: no training loop runs. 0.3: it runs and learns from wrong data. 0.1 to 0.15: a
# wrong type that Python mostly forgives. 0: what Gymnasium recommends but does not require.
RULES: Final[dict[EnvironmentRule, RuleText]] = {
    _R.NOT_AN_ENV: RuleText(
        _C.NOT_AN_ENV, 1.0, "The class is no Gymnasium environment.",
        "a subclass of `gymnasium.Env`",
        "Write `class GameEnv(gymnasium.Env):` with the methods `reset` and `step`. The old "
        "package `gym` has another `Env`."),
    _R.NO_OBSERVATION_SPACE: RuleText(
        _C.NO_OBSERVATION_SPACE, 1.0, "There is no observation space.",
        "`self.observation_space`, a space of `gymnasium.spaces`",
        "Set `self.observation_space = gymnasium.spaces.Box(…)` (or another space) in `__init__`."),
    _R.NO_ACTION_SPACE: RuleText(
        _C.NO_ACTION_SPACE, 1.0, "There is no action space.",
        "`self.action_space`, a space of `gymnasium.spaces`",
        "Set `self.action_space = gymnasium.spaces.Discrete(…)` (or another space) in `__init__`."),
    _R.RESET_SIGNATURE: RuleText(
        _C.RESET_SIGNATURE, 0.5, "`reset` does not take the arguments that Gymnasium passes.",
        "`def reset(self, *, seed=None, options=None)`",
        "Take `seed` and `options`, and begin with `super().reset(seed=seed)`. The method `seed` "
        "of the old Gym API is never called any more."),
    _R.RESET_RETURN: RuleText(
        _C.RESET_RETURN, 0.4, "`reset` does not return two things.",
        "a tuple (observation, info)",
        "End `reset` with `return observation, {}`."),
    _R.RESET_INFO: RuleText(
        _C.RESET_INFO, 0.1, "The info that `reset` returns is no dictionary.", "a dict",
        "End `reset` with `return observation, {}`."),
    _R.RESET_OBSERVATION: RuleText(
        _C.RESET_OBSERVATION, 0.3,
        "The observation that `reset` returns is not in the observation space.",
        "an observation for which `observation_space.contains(observation)` is true",
        "Compare shape, dtype and bounds with those of the space."),
    _R.STEP_RETURN: RuleText(
        _C.STEP_RETURN, 0.5, "`step` does not return five things.",
        "a tuple (observation, reward, terminated, truncated, info)",
        "End `step` with `return observation, reward, terminated, truncated, {}`."),
    _R.STEP_OBSERVATION: RuleText(
        _C.STEP_OBSERVATION, 0.3,
        "An observation that `step` returns is not in the observation space.",
        "an observation for which `observation_space.contains(observation)` is true",
        "Compare shape, dtype and bounds with those of the space, at the edges of the game too; "
        "the last observation of an episode counts."),
    _R.REWARD_TYPE: RuleText(
        _C.REWARD_TYPE, 0.15, "The reward is no number.", "a float (or int)",
        "Return a plain number: `float(reward)` for an array of one element."),
    _R.REWARD_NOT_FINITE: RuleText(
        _C.REWARD_NOT_FINITE, 0.3, "The reward is not finite (NaN or infinity).",
        "a finite number", "Look for a division by zero, or infinity as a penalty."),
    _R.TERMINATED_TYPE: RuleText(
        _C.TERMINATED_TYPE, 0.15, "`terminated` is no bool.", "True or False",
        "Return `bool(terminated)`; a count of lives or None is no bool."),
    _R.TRUNCATED_TYPE: RuleText(
        _C.TRUNCATED_TYPE, 0.15, "`truncated` is no bool.", "True or False",
        "Return `False`, or `bool(self.steps >= limit)` if the game has a step limit."),
    _R.STEP_INFO: RuleText(
        _C.STEP_INFO, 0.1, "The info that `step` returns is no dictionary.", "a dict",
        "Return `{}` as the fifth thing."),
    _R.NEVER_ENDS: RuleText(
        _C.NEVER_ENDS, 0.5, "An episode does not end.",
        "`terminated` or `truncated` is True at some step",
        "Return `terminated=True` when the game is won or lost, and `truncated=True` after a "
        "number of steps."),
    _R.RAISED_IN_RESET: RuleText(
        _C.RAISED_IN_RESET, 0.6, "`reset` raises an error.", "an observation and an info",
        "Run `GameEnv().reset(seed=0)` on your machine and mend the line."),
    _R.RAISED_IN_STEP: RuleText(
        _C.RAISED_IN_STEP, 0.6, "`step` raises an error on a valid action.",
        "a step for every action in the action space",
        "Play with `env.action_space.sample()` on your machine until it happens, and mend the "
        "line."),
    _R.RESET_AFTER_END: RuleText(
        _C.RESET_AFTER_END, 0.4, "After an episode, `reset` does not start a new one.",
        "a fresh episode at every `reset`",
        "Set everything that changes during the game again in `reset`, not only in `__init__`."),
    _R.NO_METADATA: RuleText(
        _C.NO_METADATA, 0.0, "`metadata` does not name the render modes.",
        "`metadata = {\"render_modes\": […], \"render_fps\": …}` on the class",
        "Add the line to the class; the list may be empty."),
    _R.RENDER_MODE: RuleText(
        _C.RENDER_MODE, 0.0, "`render_mode` is not handled as Gymnasium asks.",
        "`self.render_mode`, None or one of `metadata[\"render_modes\"]`",
        "Write `def __init__(self, render_mode=None)` and set `self.render_mode = render_mode`."),
    _R.CHECKER: RuleText(
        _C.CHECKER, 0.2, "Gymnasium's own checker objects.",
        "`gymnasium.utils.env_checker.check_env` ends without an error",
        "Run `check_env(GameEnv())` from `gymnasium.utils.env_checker` on your machine."),
    _R.CHECKER_WARNING: RuleText(
        _C.CHECKER_WARNING, 0.0, "Gymnasium's own checker warns.",
        "`gymnasium.utils.env_checker.check_env` ends without a warning",
        "Run `check_env(GameEnv())` from `gymnasium.utils.env_checker` on your machine."),
    _R.SEED_IGNORED: RuleText(
        _C.SEED_IGNORED, 0.0, "Different seeds give one and the same game.",
        "a game that depends on its seed, if anything in it is left to chance",
        "If chance plays a part, draw with `self.np_random` after `super().reset(seed=seed)`. If "
        "every game is meant to be the same, nothing is wrong."),
}  # fmt: skip


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

DTYPE_COST: Final = 0.15
"""Cost of observations that are right but for their dtype: networks convert it in silence."""
WORD_COST: Final = 0.4
"""Cost of rewards that are words: nothing can add them up."""

_OBSERVED: Final = frozenset({_R.RESET_OBSERVATION, _R.STEP_OBSERVATION})


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


def rule_findings(violation: Violation, place: str) -> tuple[Finding, ...]:
    """The findings for a broken rule: the rule's own, and what ended the code, if anything did.

    Args:
        violation: the rule that was broken.
        place: where what broke it is defined, `file:line`.
    """
    incident = violation.incident
    if incident is not None and is_open(incident):
        ended = incident_finding(incident)
        if violation.rule in {EnvironmentRule.RAISED_IN_RESET, EnvironmentRule.RAISED_IN_STEP}:
            # Nothing was raised: the code was ended, and that is told already.
            return (ended,)
        return (ended, _rule_finding(violation, place, None))
    return (_rule_finding(violation, place, incident),)


def _rule_finding(violation: Violation, place: str, raised: Incident | None) -> Finding:
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
        code=rule.code, severity=Severity.ERROR if rule.cost > 0 else Severity.WARNING,
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
