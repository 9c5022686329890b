"""What an environment does when it is used wrongly: steps out of turn, actions that are none.

How it answers is up to the student: raising is right, ignoring is fine. Wrong is only what takes
the process along, or spoils the games that follow.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from gymnasium import spaces

from grader.probes.environment_game import Game, Step
from grader.probes.environment_observations import fits, is_number, misfit
from grader.probes.environment_runs import Actions, call_of, sketch
from grader.probes.environment_violations import Violations
from grader.records.environment_evidence import EnvironmentRule
from grader.records.messages import Invoke
from grader.records.spaces import space_text
from grader.records.wire import describe
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Rule = EnvironmentRule

_SEED: Final = 4600
_ACTION_SEED: Final = 69
_STEPS_AFTER_END: Final = 3
_MAX_STEPS: Final = 2000
"""An episode that is longer is not played to its end once more."""


def try_turns(
    worker: Worker,
    actions: Actions,
    action_space: spaces.Space[Any],
    observation_space: spaces.Space[Any] | None,
    max_steps: int,
    violations: Violations,
) -> None:
    """Takes steps before `reset` and after the end, and invalid actions.

    Args:
        worker: holds the class; it may be gone afterwards.
        actions: random actions.
        action_space: of the environment.
        observation_space: what observations are compared with.
        max_steps: steps within which an episode must end.
        violations: added to.
    """
    actions.restart(_ACTION_SEED)
    try:
        _before_reset(worker, actions, violations)
        _invalid(worker, action_space, observation_space, violations)
        _after_end(worker, actions, max_steps, violations)
    except WorkerIncident:
        return  # noted where it happened, or told by the runs that were compared


def _fresh(worker: Worker) -> Game:
    worker.ask(Invoke(target="env_class", arguments={}, keep="turns"), "making the environment")
    return Game(worker, Violations(), None, "turns")


def _before_reset(worker: Worker, actions: Actions, violations: Violations) -> None:
    game = _fresh(worker)
    at = "step 1 of a new environment, before `reset`"
    try:
        game.step(actions.draw(), at)
    except WorkerIncident as error:
        violations.raised(
            Rule.STEP_BEFORE_RESET, error, expected="an answer or an exception", at=at
        )
        raise


def _after_end(worker: Worker, actions: Actions, max_steps: int, violations: Violations) -> None:
    if Rule.NEVER_ENDS in violations.broken():
        return
    game = _fresh(worker)
    played = sketch(game, actions, _SEED, min(max_steps, _MAX_STEPS) + 1, _ACTION_SEED)
    if not played or played[-1][2:] == (False, False):
        return
    number = len(played) - 1
    for later in range(1, _STEPS_AFTER_END + 1):
        at = f"step {number + later} after {call_of(_SEED)}, {later} after the end of the episode"
        try:
            if game.step(actions.draw(), at) is None:
                return
        except WorkerIncident as error:
            violations.raised(
                Rule.STEP_AFTER_END, error, expected="an answer or an exception", at=at
            )
            raise


def _invalid(
    worker: Worker,
    action_space: spaces.Space[Any],
    observation_space: spaces.Space[Any] | None,
    violations: Violations,
) -> None:
    for action in invalid_actions(action_space):
        game = _fresh(worker)
        if game.reset(_SEED, call_of(_SEED)) is None:
            return
        at = f"step 1 after {call_of(_SEED)}, action {describe(action)}"
        expected = f"an exception, or a step that stays in order; {space_text(action_space, 80)}"
        try:
            step = game.step(action, at)
        except WorkerIncident as error:
            violations.raised(Rule.INVALID_ACTION, error, expected=expected, at=at)
            raise
        known = violations.broken()
        wrong = "" if step is None else _spoilt(step, observation_space, known)
        once = Rule.RESET_AFTER_END in known
        if not wrong and not once and game.reset(_SEED, call_of(_SEED)) is None:
            wrong = "`reset` fails after it"
        if wrong:
            violations.add(Rule.INVALID_ACTION, expected=expected, received=wrong, at=at)


def _spoilt(step: Step, space: spaces.Space[Any] | None, known: frozenset[EnvironmentRule]) -> str:
    """What is wrong with an answer to an invalid action; empty when nothing is."""
    if space is not None and not fits(space, step.observation):
        return f"an observation outside its space: {misfit(space, step.observation)}"
    if Rule.REWARD_NOT_FINITE in known:
        return ""
    if is_number(step.reward) and not np.isfinite(step.reward):
        return f"the reward {describe(step.reward)}"
    return ""


def invalid_actions(space: spaces.Space[Any]) -> tuple[Any, ...]:
    """Actions that are not in a space, as mistakes of an agent give them."""
    match space:
        case spaces.Discrete():
            first = int(space.start)
            return (np.int64(first + int(space.n)), np.int64(first - 1))
        case spaces.MultiDiscrete():
            return (np.asarray(space.start + space.nvec, space.dtype),)
        case spaces.Box() if np.issubdtype(space.dtype, np.floating) and space.is_bounded():
            return ((space.high + 10 * (space.high - space.low)).astype(space.dtype),)
    return ()
