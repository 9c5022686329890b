"""Runs of an environment compared: one seed twice, two games at once, and other actions."""

from __future__ import annotations

import hashlib
from typing import Any, Final, Literal

import numpy as np
from gymnasium import spaces

from grader.probes.environment_game import Game, number_of
from grader.probes.environment_violations import Violations
from grader.records.environment_evidence import ChoiceTrial, EnvironmentRule, EnvironmentTrial
from grader.records.messages import Invoke
from grader.records.spaces import SpaceError
from grader.records.wire import describe, encode
from grader.sandbox.worker import Worker

Rule = EnvironmentRule

ACTION_SEED: Final = 67
COMPARED_SEEDS: Final = (4200, 4201)
_VARIETY_SEEDS: Final = tuple(range(4300, 4308))
_VARIETY_STEPS: Final = 50
_FEW_GAMES: Final = 3
"""So many different games among the seeds tried make it no accident that others are all alike."""
_CHOICE_SEEDS: Final = (4400, 4401)
_CHOICE_ACTION_SEED: Final = 7000
_AT_ONCE: Final = 20
"""Steps in one request: so few that they fit into the limits of one call."""
_ROOM_BYTES: Final = 4 << 20
"""Most bytes of what goes over in one request; a single step may take more."""
_TOGETHER, _TURN = 60, 3
"""Steps of two games that are played at once, and of one of them before it is the other's turn."""
_PARTS: Final = ("observation", "reward", "terminated", "truncated")

Trace = list[tuple[Any, Any, bool, bool]]
"""What came back from `reset` and from each step: observation, reward, terminated, truncated."""


class Actions:
    """Random actions that depend on a seed alone."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        self._space = space

    def restart(self, seed: int) -> None:
        """Begins the list of actions of a seed."""
        self._space.seed(seed)

    def draw(self) -> Any:
        """The next action.

        Raises:
            SpaceError: the space has none to give, such as a Box without a float between bounds.
        """
        try:
            with np.errstate(all="ignore"):
                return self._space.sample()
        except Exception as error:  # the student's bounds may make numpy raise anything
            raise SpaceError(f"no action can be drawn from it: {error}") from error

    def draw_many(self, most: int, room_bytes: int = _ROOM_BYTES) -> list[Any]:
        """The next actions: as many as asked for, fewer where they are large, one at least."""
        drawn = [self.draw()]
        few = room_bytes // max(1, len(encode(drawn[0])))
        return drawn + [self.draw() for _ in range(min(most, few) - 1)]


def call_of(seed: int | None) -> str:
    """`reset` as a student writes it."""
    return "reset()" if seed is None else f"reset(seed={seed})"


def trace(game: Game, actions: Actions, seed: int | None, steps: int, action_seed: int) -> Trace:
    """Answers of one episode under a seed, with actions that depend on their seed alone."""
    actions.restart(action_seed)
    start = game.reset(seed, call_of(seed))
    if start is None:
        return []
    answers: Trace = [(start.observation, 0.0, False, False)]
    while len(answers) < steps:
        step = game.step(actions.draw(), f"step {len(answers)} after {call_of(seed)}")
        if step is None:
            break
        answers.append(tuple(step))
        if step.ended:
            break
    return answers


def sketch(game: Game, actions: Actions, seed: int | None, steps: int, action_seed: int) -> Trace:
    """As `trace`, several steps in one request: fast, and nothing is noted."""
    actions.restart(action_seed)
    start = game.reset(seed, call_of(seed))
    if start is None:
        return []
    answers: Trace = [(start.observation, 0.0, False, False)]
    most = max(1, min(_AT_ONCE, _ROOM_BYTES // max(1, len(encode(start.observation)))))
    while len(answers) < steps:
        drawn = actions.draw_many(min(most, steps - len(answers)))
        taken = game.steps(drawn, f"steps from {len(answers)} after {call_of(seed)}")
        answers += map(tuple, taken)
        if len(taken) < len(drawn) or taken[-1].ended:
            break
    return answers


def compare(
    first: Trace, second: Trace, seed: int, processes: Literal["same", "separate"]
) -> EnvironmentTrial:
    """Where two runs differ for the first time."""
    for step, (one, two) in enumerate(zip(first, second, strict=False)):
        for what, a, b in zip(_PARTS, one, two, strict=True):
            if encode(a) != encode(b):
                return EnvironmentTrial(
                    seed=seed, compared=step + 1, difference=step, what=what,
                    first=describe(a), second=describe(b), processes=processes,
                )  # fmt: skip
    if len(first) != len(second):
        shorter = min(len(first), len(second))
        return EnvironmentTrial(
            seed=seed, compared=shorter, difference=shorter, what="length of the episode",
            first=f"{len(first)} steps", second=f"{len(second)} steps", processes=processes,
        )  # fmt: skip
    return EnvironmentTrial(seed=seed, compared=len(first), processes=processes)


def told(trial: EnvironmentTrial) -> str:
    """A difference in words."""
    step = "at `reset`" if trial.difference == 0 else f"at step {trial.difference}"
    return f"{trial.what} {step}: {trial.first}, and then {trial.second}"


def compare_seeds(
    game: Game, actions: Actions, steps: int, violations: Violations, *, deterministic: bool
) -> None:
    """Whether games under different seeds differ, and what `reset` without a seed plays."""
    steps = min(steps, _VARIETY_STEPS)
    games: set[bytes] = set()
    for seed in _VARIETY_SEEDS:
        answers = sketch(game, actions, seed, steps, ACTION_SEED)
        if len(answers) < 2:
            return  # no game to speak of; why, is told
        games.add(digest(answers))
    if len(games) == 1:
        violations.add(
            Rule.SEED_IGNORED,
            expected="different games under different seeds",
            received=f"one and the same game under {len(_VARIETY_SEEDS)} seeds",
        )
    if deterministic:
        _unseeded(game, actions, steps, violations, varied=len(games) >= _FEW_GAMES)


def _unseeded(
    game: Game, actions: Actions, steps: int, violations: Violations, *, varied: bool
) -> None:
    """Games that are started with `reset()`, after one that was started with a seed."""
    seed = COMPARED_SEEDS[0]
    following: list[Trace] = []
    for _ in range(2):
        first = sketch(game, actions, seed, steps, ACTION_SEED)
        following.append(sketch(game, actions, None, steps, ACTION_SEED))
    if not all(following):
        return
    trial = compare(following[0], following[1], seed, "same")
    if trial.difference is not None:
        violations.add(
            Rule.NEXT_GAME_DIFFERS,
            expected=f"the same game after {call_of(seed)} and then reset(), each time",
            received=told(trial),
        )
        return
    again = [first, following[1]]
    again += [sketch(game, actions, None, steps, ACTION_SEED) for _ in _VARIETY_SEEDS[2:]]
    if varied and len({digest(answers) for answers in again}) == 1:
        violations.add(
            Rule.SAME_GAME_AGAIN,
            expected="another game after every reset()",
            received=f"{len(again) - 1} times the game of {call_of(seed)}",
        )


def digest(answers: Trace) -> bytes:
    """A short stand-in for a game, equal for equal games."""
    return hashlib.sha256(encode([list(answer) for answer in answers])).digest()


def play_two_at_once(
    worker: Worker, alone: Trace, actions: Actions, violations: Violations
) -> None:
    """Plays a game again while another object of the class plays in the same process.

    Args:
        worker: holds the class.
        alone: the game under the first of the compared seeds, played without another.
        actions: random actions.
        violations: added to, when the two are not the same.

    Raises:
        WorkerIncident: the worker is gone, or the class cannot be made again.
    """
    seed, other_seed = COMPARED_SEEDS
    for name in ("one", "other"):
        request = Invoke(target="env_class", arguments={}, keep=name)
        worker.ask(request, "making a second environment")
    # What is wrong with the answers has been told already.
    one = Game(worker, Violations(), None, "one")
    other = Game(worker, Violations(), None, "other")
    actions.restart(seed)
    drawn = actions.draw_many(len(alone[1 : _TOGETHER + 1]))
    start = one.reset(seed, call_of(seed))
    if len(alone) < 2 or start is None or other.reset(other_seed, call_of(other_seed)) is None:
        return
    answers: Trace = [(start.observation, 0.0, False, False)]
    other_plays = True
    for first in range(0, len(drawn), _TURN):
        turn = drawn[first : first + _TURN]
        taken = one.steps(turn, "beside another environment")
        answers += map(tuple, taken)
        if len(taken) < len(turn) or taken[-1].ended:
            break
        if other_plays:
            elsewhere = other.steps(turn, "beside another environment")
            other_plays = bool(elsewhere) and not elsewhere[-1].ended
    alone = alone[: len(drawn) + 1]
    trial = compare(alone, answers, seed, "same")
    if trial.difference is not None:
        violations.add(
            Rule.INSTANCES_SHARE,
            expected="the same game whether or not another environment plays beside it",
            received=told(trial),
        )


def try_choices(game: Game, actions: Actions, lists: int, steps: int) -> tuple[ChoiceTrial, ...]:
    """Games under one seed with different random actions: does it matter what is done?"""
    trials: list[ChoiceTrial] = []
    for seed in _CHOICE_SEEDS:
        returns: list[float] = []
        games: set[bytes] = set()
        results: set[bytes] = set()
        for index in range(lists):
            answers = sketch(game, actions, seed, steps, _CHOICE_ACTION_SEED + index)
            if len(answers) < 2:
                return tuple(trials)
            returns.append(sum(number_of(answer[1]) for answer in answers))
            games.add(digest(answers))
            results.add(digest([(None, *answer[1:]) for answer in answers]))
        trials.append(
            ChoiceTrial(
                seed=seed, returns=tuple(returns), distinct_games=len(games),
                distinct_results=len(results),
            )
        )  # fmt: skip
    return tuple(trials)
