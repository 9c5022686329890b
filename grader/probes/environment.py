"""Probe of a student's environment: plays it, compares runs of it, and runs Gymnasium's checker.

The environment runs in its worker. Seeds, actions and every judgement of an answer are made here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from gymnasium import spaces

from grader.assignments.registry import ProbeKind, Role
from grader.probes.context import ProbeContext, load, load_again
from grader.probes.environment_checker import run_checker
from grader.probes.environment_game import Game, Violations, number_of
from grader.records.evidence import (
    EnvironmentEpisode,
    EnvironmentEvidence,
    EnvironmentRule,
    EnvironmentTrial,
)
from grader.records.messages import DescribeSpaces, Invoke
from grader.records.settings import EnvironmentSettings
from grader.records.spaces import SpaceError, space_from_data, space_text
from grader.records.text import clean_line
from grader.records.wire import Opaque, describe, encode
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Rule = EnvironmentRule

_FIRST_ENTROPY, _SECOND_ENTROPY = 801, 902
_FIRST_SEED: Final = 4100
_ACTION_SEED: Final = 67
_COMPARED_SEEDS: Final = (4200, 4201)
_VARIETY_SEEDS: Final = tuple(range(4300, 4308))
_VARIETY_STEPS: Final = 50
_ALL_ACTIONS: Final = 16
"""Up to so many actions each is tried as the first; of more, the first and the last."""
_MODES_SHOWN: Final = 10


@dataclass
class _Seen:
    """What has been seen so far; kept when the worker is gone before the end."""

    violations: Violations = field(default_factory=Violations)
    observation_space: str = ""
    action_space: str = ""
    episodes: list[EnvironmentEpisode] = field(default_factory=list)
    trials: list[EnvironmentTrial] = field(default_factory=list)
    finished: bool = False

    def fields(self) -> dict[str, Any]:
        return {
            "observation_space": self.observation_space,
            "action_space": self.action_space,
            "violations": self.violations.all(),
            "episodes": tuple(self.episodes),
            "trials": tuple(self.trials),
            "finished": self.finished,
        }


class _Actions:
    """Random actions that depend on a seed alone."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        self._space = space

    def restart(self, seed: int) -> None:
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


def collect(context: ProbeContext) -> EnvironmentEvidence:
    """Plays the environment, compares two runs of it, and asks Gymnasium's checker."""
    seen = _Seen()
    with context.worker(_FIRST_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return EnvironmentEvidence(**fields)
        try:
            _make(worker)
            described = worker.ask(DescribeSpaces(target="env"), "reading the spaces")
        except WorkerIncident as error:
            return EnvironmentEvidence(**fields, construction=error.incident)
        try:
            _examine(context, worker, described if isinstance(described, dict) else {}, seen)
        except WorkerIncident as error:
            if not seen.violations.tell(error.incident):
                seen.violations.add(
                    Rule.RAISED_IN_STEP, received=error.incident.message,
                    at=error.incident.stage, incident=error.incident, variant="ended",
                )  # fmt: skip
    return EnvironmentEvidence(**fields, **seen.fields())


def _make(worker: Worker) -> None:
    worker.ask(Invoke(target="env_class", arguments={}, keep="env"), "making the environment")


def _examine(context: ProbeContext, worker: Worker, described: dict[str, Any], seen: _Seen) -> None:
    settings: EnvironmentSettings = context.settings
    violations = seen.violations
    if described.get("is_env") is not True:
        violations.add(
            Rule.NOT_AN_ENV,
            expected="class GameEnv(gymnasium.Env)",
            received="a class that does not inherit from gymnasium.Env",
        )
    observation_space = _space(
        described, "observation_space", Rule.NO_OBSERVATION_SPACE, violations
    )
    action_space = _space(described, "action_space", Rule.NO_ACTION_SPACE, violations)
    _metadata(described, violations)
    if observation_space is not None:
        seen.observation_space = space_text(observation_space)
    if action_space is None:
        return
    seen.action_space = space_text(action_space)
    actions = _Actions(action_space)
    game = Game(worker, violations, observation_space)
    try:
        if not _play(game, actions, settings, seen):
            return
        game.reset(None, "reset()")
        _first_actions(game, action_space)
        _compare_runs(context, game, actions, settings, seen)
    except SpaceError as error:
        violations.add(
            Rule.NO_ACTION_SPACE, expected="a space with actions in it", received=str(error)
        )
        return
    if observation_space is not None:
        equal = all(trial.difference is None for trial in seen.trials)
        run_checker(worker, observation_space, action_space, violations, deterministic=equal)
    seen.finished = True


def _space(
    described: dict[str, Any], name: str, rule: EnvironmentRule, violations: Violations
) -> spaces.Space[Any] | None:
    data = described.get(name)
    expected = f"self.{name} set in __init__, such as spaces.Discrete(4)"
    if not isinstance(data, dict):
        received = describe(data) if isinstance(data, Opaque) else "nothing"
        violations.add(rule, expected=expected, received=received)
        return None
    try:
        return space_from_data(data)
    except SpaceError as error:
        violations.add(rule, expected=expected, received=clean_line(str(error)))
        return None


def _metadata(described: dict[str, Any], violations: Violations) -> None:
    modes = described.get("render_modes")
    if not isinstance(modes, list):
        violations.add(
            Rule.NO_METADATA,
            expected='metadata = {"render_modes": [...], "render_fps": ...}',
            received="no render_modes in metadata",
        )
        return
    mode = described.get("render_mode")
    if mode is not None and not (isinstance(mode, str) and mode in modes):
        known = ", ".join(clean_line(str(each), 40) for each in modes[:_MODES_SHOWN])
        violations.add(
            Rule.RENDER_MODE,
            expected=f"one of [{known}], or None" if modes else "None, for there are no modes",
            received=mode if not isinstance(mode, str) else repr(mode),
        )


# --- playing ------------------------------------------------------------------------------------


def _play(game: Game, actions: _Actions, settings: EnvironmentSettings, seen: _Seen) -> bool:
    """Plays episodes with random actions; answers whether a step came back."""
    actions.restart(_ACTION_SEED)
    for seed in range(_FIRST_SEED, _FIRST_SEED + settings.episodes):
        if not _play_one(game, actions, seed, settings.max_steps, seen):
            break
    return bool(seen.episodes)


def _play_one(game: Game, actions: _Actions, seed: int, max_steps: int, seen: _Seen) -> bool:
    """Plays an episode; answers whether another makes sense."""
    steps, total, ended = 0, 0.0, False
    try:
        if game.reset(seed, f"reset(seed={seed})") is None:
            return False
        while steps < max_steps and not ended:
            step = game.step(actions.draw(), f"step {steps + 1} after reset(seed={seed})")
            if step is None:
                return False
            steps += 1
            total += number_of(step.reward)
            ended = step.ended
    finally:
        # An episode that was cut short shows that steps came back.
        if steps:
            seen.episodes.append(
                EnvironmentEpisode(seed=seed, steps=steps, episode_return=total, ended=ended)
            )
    if not ended:
        # The others would not end either, and each costs as long.
        seen.violations.add(
            Rule.NEVER_ENDS,
            expected=f"terminated or truncated within {max_steps} steps",
            received=f"no end after {steps} steps with random actions",
            at=f"the episode after reset(seed={seed})",
        )
    return ended


def _first_actions(game: Game, space: spaces.Space[Any]) -> None:
    """Tries actions that random play may miss: each one, or the lowest and the highest."""
    if isinstance(space, spaces.Discrete) and space.n <= _ALL_ACTIONS:
        first = int(space.start)
        tried: list[Any] = [np.int64(action) for action in range(first, first + int(space.n))]
    else:
        tried = [_extreme(space, highest=False), _extreme(space, highest=True)]
    for action in tried:
        at = f"step 1 after reset(seed={_FIRST_SEED}), action {describe(action)}"
        if game.reset(_FIRST_SEED, f"reset(seed={_FIRST_SEED})") is None:
            return
        if game.step(action, at) is None:
            return


def _extreme(space: spaces.Space[Any], *, highest: bool) -> Any:
    """The lowest or the highest action; 0 where there is no bound."""
    match space:
        case spaces.Discrete():
            return np.int64(int(space.start) + (int(space.n) - 1 if highest else 0))
        case spaces.MultiDiscrete():
            return np.asarray(space.start + (space.nvec - 1 if highest else 0), space.dtype)
        case spaces.MultiBinary():
            return np.full(space.shape, int(highest), space.dtype)
        case spaces.Box():
            near, far = (space.high, space.low) if highest else (space.low, space.high)
            bounded = np.where(np.isfinite(near), near, np.where(np.isfinite(far), far, 0))
            return bounded.astype(space.dtype)
        case spaces.Dict():
            items = space.spaces.items()
            return {key: _extreme(inner, highest=highest) for key, inner in items}
        case spaces.Tuple():
            return tuple(_extreme(inner, highest=highest) for inner in space.spaces)
    return space.sample()


# --- comparing runs -----------------------------------------------------------------------------

_PARTS: Final = ("observation", "reward", "terminated", "truncated")
_Trace = list[tuple[Any, Any, bool, bool]]


def _trace(game: Game, actions: _Actions, seed: int, steps: int, action_seed: int) -> _Trace:
    """Answers of one episode under a seed, with actions that depend on their seed alone."""
    actions.restart(action_seed)
    start = game.reset(seed, f"reset(seed={seed})")
    if start is None:
        return []
    trace: _Trace = [(start.observation, 0.0, False, False)]
    while len(trace) < steps:
        step = game.step(actions.draw(), f"step {len(trace)} after reset(seed={seed})")
        if step is None:
            break
        trace.append(tuple(step))
        if step.ended:
            break
    return trace


def _compare(
    first: _Trace, second: _Trace, seed: int, processes: Literal["same", "separate"]
) -> EnvironmentTrial:
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


def _compare_runs(
    context: ProbeContext,
    game: Game,
    actions: _Actions,
    settings: EnvironmentSettings,
    seen: _Seen,
) -> None:
    """Two runs of the same game in one process and in two, and games under different seeds."""
    steps = settings.compared_steps
    traces = {seed: _trace(game, actions, seed, steps, seed) for seed in _COMPARED_SEEDS}
    for seed in _COMPARED_SEEDS:
        again = _trace(game, actions, seed, steps, seed)
        seen.trials.append(_compare(traces[seed], again, seed, "same"))
    with context.worker(_SECOND_ENTROPY) as second:
        try:
            load_again(context, second)
            _make(second)
            # What is wrong with the answers has been told already.
            other = Game(second, Violations(), None)
            for seed in _COMPARED_SEEDS:
                again = _trace(other, actions, seed, steps, seed)
                seen.trials.append(_compare(traces[seed], again, seed, "separate"))
        except WorkerIncident as error:
            seen.trials.append(
                EnvironmentTrial(seed=_COMPARED_SEEDS[0], compared=0, incident=error.incident)
            )
    if Rule.RESET_SIGNATURE not in seen.violations.broken():
        _compare_seeds(game, actions, min(steps, _VARIETY_STEPS), seen.violations)


def _compare_seeds(game: Game, actions: _Actions, steps: int, violations: Violations) -> None:
    """Whether games under different seeds differ, all with the same actions."""
    games: set[bytes] = set()
    for seed in _VARIETY_SEEDS:
        trace = _trace(game, actions, seed, steps, _ACTION_SEED)
        if len(trace) < 2:
            return  # no game to speak of; why, is told
        games.add(hashlib.sha256(encode([list(answer) for answer in trace])).digest())
    if len(games) == 1:
        violations.add(
            Rule.SEED_IGNORED,
            expected="different games under different seeds",
            received=f"one and the same game under {len(_VARIETY_SEEDS)} seeds",
        )


PROBE = ProbeKind(
    id="environment",
    roles=(
        Role("env_class", "class", ("GameEnv",)),
        Role("reset", "method", ("reset",), owner="env_class"),
        Role("step", "method", ("step",), owner="env_class"),
    ),
    settings=EnvironmentSettings,
    evidence=EnvironmentEvidence,
    collect=collect,
    uses_seeds=False,
)
"""Kind `environment`."""
