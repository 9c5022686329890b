"""Judges of the game itself: that it can be drawn, that it ends, and that playing it matters."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from grader.assignments.registry import JudgeInput
from grader.checks.environment_findings import is_open, total_cost
from grader.checks.environment_judges import (
    CLASS_ROLE,
    STEP_ROLE,
    findings_of,
    incomplete,
    never_tried,
    stopped,
)
from grader.checks.environment_rules import RULES, EnvironmentCode
from grader.checks.incidents import incident_verdict
from grader.checks.interface import graded, passed
from grader.records.base import Record
from grader.records.environment_evidence import (
    ChoiceTrial,
    EnvironmentEvidence,
    EnvironmentRule,
    Violation,
)
from grader.records.result import Finding, Outcome, Severity, Verdict

_R = EnvironmentRule

_PICTURE_MODES: Final = frozenset({"rgb_array", "ansi"})
RENDER_MODE_COST: Final = 0.3
"""Cost of a render mode that is not taken or not kept, where pictures are asked for; a warning of
`environment.conformance` otherwise."""
ENDLESS_COST: Final = 1.0
ONE_STEP_COST: Final = 0.5
CONSTANT_COST: Final = 0.5
_FEW_EPISODES: Final = 3
"""So many episodes of one step each, or without any reward, are no accident."""


class PlayableSettings(Record):
    """Settings of `environment.playable`."""

    gain: float = Field(default=0.0, ge=0.0)
    """By how much the best list of actions must be ahead of the mean of all that were tried, in
    units of reward, under at least one seed. At 0, any difference will do."""


def judge_render(given: JudgeInput) -> Verdict:
    """Whether the game can be drawn as a picture or a text, in every mode that it names.

    The costs of what is wrong add up; a game without any mode for pictures or texts earns nothing.
    """
    evidence: EnvironmentEvidence = given.evidence
    missing = incomplete(evidence) or _not_played(evidence)
    if missing is not None:
        return missing
    if not _PICTURE_MODES & set(evidence.render_modes):
        return graded(0.0, (_no_picture(evidence),))
    about = [v for v in evidence.violations if v.rule is _R.RENDER_MODE or _of_pictures(v)]
    findings = findings_of(about, evidence)
    ended = [v for v in about if v.incident is not None and is_open(v.incident)]
    if ended:
        return Verdict(outcome=Outcome.INVALID, fraction=0.0, findings=findings)
    costs: dict[EnvironmentRule, float] = {}
    for violation in about:
        mode = violation.rule is _R.RENDER_MODE
        costs[violation.rule] = RENDER_MODE_COST if mode else RULES[violation.rule].cost
    return graded(1.0 - total_cost(costs.values()), findings)


def _no_picture(evidence: EnvironmentEvidence) -> Finding:
    return Finding(
        code=EnvironmentCode.NO_PICTURE, severity=Severity.ERROR,
        claim="There is no picture of the game to be had.", where=evidence.place(CLASS_ROLE),
        expected="\"rgb_array\" or \"ansi\" among the render modes of `metadata`",
        received=", ".join(evidence.render_modes) or "no render mode",
        try_="Name the mode in `metadata`, and return an array of uint8 of shape (height, width, "
        "3) from `render`. A window (\"human\") cannot be seen by a program.",
    )  # fmt: skip


def _of_pictures(violation: Violation) -> bool:
    return RULES[violation.rule].told_by == "render"


def judge_episodes(given: JudgeInput) -> Verdict:
    """Whether the episodes of a random agent end, last longer than a step, and earn something.

    An episode that does not end costs everything; episodes of one step, or rewards that are the
    same in every step of episodes of one length, cost half.
    """
    evidence: EnvironmentEvidence = given.evidence
    missing = incomplete(evidence) or _not_played(evidence)
    if missing is not None:
        return missing
    endless = [v for v in evidence.violations if v.rule is _R.NEVER_ENDS]
    if endless:
        return graded(1.0 - ENDLESS_COST, findings_of(endless, evidence))
    stop = stopped(evidence)
    if not all(episode.ended for episode in evidence.episodes):
        return incident_verdict(stop or never_tried())
    if len(evidence.episodes) < _FEW_EPISODES:
        return passed()
    if all(episode.steps == 1 for episode in evidence.episodes):
        return graded(1.0 - ONE_STEP_COST, (_one_step(evidence),))
    lengths = {episode.steps for episode in evidence.episodes}
    returns = {episode.episode_return for episode in evidence.episodes}
    # Of different lengths, the same reward at every step is a result all the same.
    if len(lengths) == len(returns) == 1 and not any(each.varied for each in evidence.episodes):
        words = [v for v in evidence.violations if v.rule is _R.REWARD_TYPE]
        if words:  # none of them counted
            return graded(1.0 - CONSTANT_COST, findings_of(words, evidence))
        return graded(1.0 - CONSTANT_COST, (_constant(evidence),))
    return passed()


def _one_step(evidence: EnvironmentEvidence) -> Finding:
    return _finding(
        evidence, EnvironmentCode.ONE_STEP, "Every episode is over after one step.",
        "games of several steps", f"{len(evidence.episodes)} episodes of one step each",
        "Look at what makes `terminated` or `truncated` true at once; a game in which nothing "
        "follows from an action needs no reinforcement learning.",
    )  # fmt: skip


def _constant(evidence: EnvironmentEvidence) -> Finding:
    episode = evidence.episodes[0]
    return _finding(
        evidence, EnvironmentCode.CONSTANT_REWARD,
        "Every step of every episode earns the same reward.",
        "rewards that tell good from bad",
        f"{episode.episode_return / episode.steps:g} in each of {episode.steps} steps of "
        f"{len(evidence.episodes)} episodes",
        "Give a reward for what the player should achieve, and make it so near that random play "
        "meets it now and then: an agent learns from differences only.",
    )  # fmt: skip


def judge_playable(given: JudgeInput) -> Verdict:
    """Whether games under one seed differ when the actions do, in what is seen and what is earned.

    All points, or none: an agent has something to learn, or it has not. Only where one seed means
    one game can it be told what the actions did.
    """
    evidence: EnvironmentEvidence = given.evidence
    missing = incomplete(evidence) or _not_played(evidence)
    if missing is not None:
        return missing
    differs = [trial for trial in evidence.trials if trial.difference is not None]
    if differs:
        return Verdict(outcome=Outcome.INVALID, fraction=0.0, findings=(_undecided(evidence),))
    if not evidence.choices:
        return incident_verdict(stopped(evidence) or never_tried())
    if all(trial.distinct_games == 1 for trial in evidence.choices):
        return graded(0.0, (_ignored(evidence),))
    settings: PlayableSettings = given.settings or PlayableSettings()
    if any(trial.distinct_results > 1 and _gain(trial) >= settings.gain
           for trial in evidence.choices):  # fmt: skip
        return passed()
    return graded(0.0, (_fixed(evidence, settings.gain),))


def _gain(trial: ChoiceTrial) -> float:
    """By how much the best list of actions is ahead of the mean of all."""
    return max(trial.returns) - sum(trial.returns) / len(trial.returns)


def _games(evidence: EnvironmentEvidence) -> str:
    lists = len(evidence.choices[0].returns)
    return f"{lists} different lists of random actions under each of {len(evidence.choices)} seeds"


def _ignored(evidence: EnvironmentEvidence) -> Finding:
    return _finding(
        evidence, EnvironmentCode.ACTIONS_IGNORED,
        "The actions change nothing: the game is the same whatever the player does.",
        "observations and rewards that depend on the actions",
        f"one and the same game for {_games(evidence)}",
        "Use `action` in `step`. If it is used, look for a comparison that never holds, such as "
        "`action == \"left\"` where actions are numbers.",
    )  # fmt: skip


def _fixed(evidence: EnvironmentEvidence, gain: float) -> Finding:
    best = max(map(_gain, evidence.choices))
    more = f", at least {gain:g} ahead of their mean" if gain > 0 else ""
    return _finding(
        evidence, EnvironmentCode.RESULT_FIXED,
        "What the player does hardly matters for what is earned."
        if gain > 0 else "What is earned, and when the game ends, does not depend on the actions.",
        f"some list of actions that earns more than others{more}",
        f"the best is {best:g} ahead of the mean, of {_games(evidence)}",
        "Give the reward for what the player has brought about, and let random play meet it now "
        "and then: make the game smaller, or reward steps on the way.",
    )  # fmt: skip


def _undecided(evidence: EnvironmentEvidence) -> Finding:
    return _finding(
        evidence, EnvironmentCode.DIFFERS_BETWEEN_PROCESSES,
        "One seed gives different games, so that nobody can tell what the actions did.",
        "one game for one seed and one list of actions", "different games",
        "Mend first what is said about the same seed and different games.",
    )  # fmt: skip


def _finding(
    evidence: EnvironmentEvidence,
    code: EnvironmentCode,
    claim: str,
    expected: str,
    received: str,
    advice: str,
) -> Finding:
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim,
        where=evidence.place(STEP_ROLE), expected=expected, received=received, try_=advice,
    )  # fmt: skip


def _not_played(evidence: EnvironmentEvidence) -> Verdict | None:
    """The verdict when no episode was played; None when there is something to look at."""
    if evidence.episodes and (evidence.finished or stopped(evidence) is None):
        return None
    incident = stopped(evidence)
    if incident is not None:
        return incident_verdict(incident)
    reasons = [v for v in evidence.violations if RULES[v.rule].cost > 0]
    if not reasons:
        return incident_verdict(never_tried())
    return Verdict(outcome=Outcome.INVALID, fraction=0.0, findings=findings_of(reasons, evidence))
