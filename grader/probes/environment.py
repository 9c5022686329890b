"""Probe of a student's environment: plays it, compares runs of it, and runs Gymnasium's checker.

The environment runs in its worker. Seeds, actions and every judgement of an answer are made here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from gymnasium import spaces

from grader.assignments.registry import ProbeKind, Role
from grader.probes.context import ProbeContext, load, load_again
from grader.probes.environment_checker import run_checker
from grader.probes.environment_game import Game, Step, number_of
from grader.probes.environment_inside import try_wrappers, watch
from grader.probes.environment_pictures import Pictures, check_declared, take_pictures
from grader.probes.environment_runs import (
    ACTION_SEED,
    COMPARED_SEEDS,
    Actions,
    Trace,
    compare,
    compare_seeds,
    play_two_at_once,
    trace,
    try_choices,
)
from grader.probes.environment_turns import try_turns
from grader.probes.environment_violations import PART_LIMITS, Violations
from grader.records.environment_evidence import (
    ChoiceTrial,
    EnvironmentEpisode,
    EnvironmentEvidence,
    EnvironmentRule,
    EnvironmentTrial,
)
from grader.records.messages import DescribeSpaces, Invoke
from grader.records.settings import EnvironmentSettings
from grader.records.spaces import SpaceError, space_from_data, space_text
from grader.records.text import clean_line
from grader.records.wire import Opaque, describe
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Rule = EnvironmentRule

_FIRST_ENTROPY, _SECOND_ENTROPY, _THIRD_ENTROPY, _FOURTH_ENTROPY = 801, 902, 1003, 1104
_FIRST_SEED: Final = 4100
_ALL_ACTIONS: Final = 16
"""Up to so many actions each is tried as the first; of more, the first and the last."""
_MODES_SHOWN: Final = 10
_NOT_PLAYED: Final = frozenset(
    {
        Rule.RESET_SIGNATURE, Rule.RESET_RETURN, Rule.RESET_INFO, Rule.RESET_OBSERVATION,
        Rule.STEP_RETURN, Rule.STEP_INFO, Rule.STEP_OBSERVATION, Rule.REWARD_TYPE,
        Rule.TERMINATED_TYPE, Rule.TRUNCATED_TYPE, Rule.RAISED_IN_RESET, Rule.RAISED_IN_STEP,
        Rule.RESET_AFTER_END, Rule.NOT_AN_ENV,
    }
)  # fmt: skip
"""With one of these broken, wrappers fail for reasons that are told already."""


@dataclass
class _Seen:
    """What has been seen so far; kept when the worker is gone before the end."""

    violations: Violations = field(default_factory=Violations)
    observation_space: str = ""
    action_space: str = ""
    modes: tuple[str, ...] = ()
    episodes: list[EnvironmentEpisode] = field(default_factory=list)
    trials: list[EnvironmentTrial] = field(default_factory=list)
    choices: tuple[ChoiceTrial, ...] = ()
    pictures: Pictures = field(default_factory=Pictures)
    finished: bool = False

    def fields(self) -> dict[str, Any]:
        return {
            "observation_space": self.observation_space,
            "action_space": self.action_space,
            "render_modes": self.modes,
            "violations": self.violations.all(),
            "episodes": tuple(self.episodes),
            "trials": tuple(self.trials),
            "choices": self.choices,
            "film": self.pictures.film,
            "picture_text": self.pictures.text,
            "finished": self.finished,
        }

    @property
    def deterministic(self) -> bool:
        return all(trial.difference is None for trial in self.trials)


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
            _note_end(error, seen)
    return EnvironmentEvidence(**fields, **seen.fields())


def _make(worker: Worker) -> None:
    worker.ask(Invoke(target="env_class", arguments={}, keep="env"), "making the environment")


def _examine(context: ProbeContext, worker: Worker, described: dict[str, Any], seen: _Seen) -> None:
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
    seen.modes = _metadata(described, violations)
    if observation_space is not None:
        seen.observation_space = space_text(observation_space)
    if action_space is None:
        return
    seen.action_space = space_text(action_space)
    try:
        _try_all(context, worker, observation_space, action_space, seen)
    except SpaceError as error:
        violations.add(
            Rule.NO_ACTION_SPACE, expected="a space with actions in it", received=str(error)
        )


def _try_all(
    context: ProbeContext,
    worker: Worker,
    observation_space: spaces.Space[Any] | None,
    action_space: spaces.Space[Any],
    seen: _Seen,
) -> None:
    settings: EnvironmentSettings = context.settings
    violations = seen.violations
    actions = Actions(action_space)
    game = Game(worker, violations, observation_space)
    if not _play(game, actions, settings, seen):
        return
    game.reset(None, "reset()")
    _first_actions(game, action_space)
    steps = settings.compared_steps
    traces = {seed: trace(game, actions, seed, steps, seed) for seed in COMPARED_SEEDS}
    _compare_runs(context, game, actions, traces, steps, seen)
    # What is wrong with the answers has been told already.
    quiet = Game(worker, Violations(), None)
    if Rule.RESET_SIGNATURE not in violations.broken():
        compare_seeds(quiet, actions, steps, violations, deterministic=seen.deterministic)
    if observation_space is not None:
        run_checker(
            worker, observation_space, action_space, violations, deterministic=seen.deterministic
        )
    seen.finished = True
    seen.choices = try_choices(quiet, actions, settings.searched_lists, settings.searched_steps)
    _try_apart(context, actions, observation_space, action_space, traces, seen)


def _compare_runs(
    context: ProbeContext,
    game: Game,
    actions: Actions,
    traces: dict[int, Trace],
    steps: int,
    seen: _Seen,
) -> None:
    """Two runs of the same game in one process and in two."""
    for seed in COMPARED_SEEDS:
        again = trace(game, actions, seed, steps, seed)
        seen.trials.append(compare(traces[seed], again, seed, "same"))
    with context.worker(_SECOND_ENTROPY) as second:
        try:
            load_again(context, second)
            _make(second)
            # What is wrong with the answers has been told already.
            other = Game(second, Violations(), None)
            for seed in COMPARED_SEEDS:
                again = trace(other, actions, seed, steps, seed)
                seen.trials.append(compare(traces[seed], again, seed, "separate"))
        except WorkerIncident as error:
            seen.trials.append(
                EnvironmentTrial(seed=COMPARED_SEEDS[0], compared=0, incident=error.incident)
            )


def _try_apart(
    context: ProbeContext,
    actions: Actions,
    observation_space: spaces.Space[Any] | None,
    action_space: spaces.Space[Any],
    traces: dict[int, Trace],
    seen: _Seen,
) -> None:
    """What may take a process along without spoiling what was seen before, each in one of its own.

    A process that ends here leaves out what comes after it in the same process; what ended it is
    a violation where the rule is about that, and otherwise shows in the runs before.
    """
    violations, alone = seen.violations, traces[COMPARED_SEEDS[0]]
    with context.worker(_THIRD_ENTROPY) as worker:
        try:
            load_again(context, worker)
            if seen.deterministic:
                play_two_at_once(worker, alone, actions, violations)
            watch(worker, actions, context.part.file, violations)
            if observation_space is not None and not _NOT_PLAYED & violations.broken():
                try_wrappers(worker, actions, observation_space, violations)
            outside = {Rule.RESET_OBSERVATION, Rule.STEP_OBSERVATION} & violations.broken()
            try_turns(
                worker, actions, action_space, None if outside else observation_space,
                context.settings.max_steps, violations,
            )  # fmt: skip
        except WorkerIncident as error:
            _note_end(error, seen)
    with context.worker(_FOURTH_ENTROPY) as worker:
        try:
            load_again(context, worker)
            seen.pictures = take_pictures(
                worker, seen.modes, actions, alone, violations,
                deterministic=seen.deterministic,
            )  # fmt: skip
        except WorkerIncident as error:
            _note_end(error, seen)


def _note_end(error: WorkerIncident, seen: _Seen) -> None:
    """Notes what ended a process in the middle, unless it stands in a violation already."""
    if seen.finished and error.incident.limit in PART_LIMITS:
        return  # all that is asked for had its turn, and what was beyond it took the time
    if not seen.violations.tell(error.incident):
        seen.violations.add(
            Rule.RAISED_IN_STEP, received=error.incident.message,
            at=error.incident.stage, incident=error.incident, variant="ended",
        )  # fmt: skip


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


def _metadata(described: dict[str, Any], violations: Violations) -> tuple[str, ...]:
    """Notes what is wrong with what the metadata say of rendering; answers the modes."""
    modes = described.get("render_modes")
    if not isinstance(modes, list):
        violations.add(
            Rule.NO_METADATA,
            expected='metadata = {"render_modes": [...], "render_fps": ...}',
            received="no render_modes in metadata",
        )
        return ()
    mode = described.get("render_mode")
    if mode is not None and not (isinstance(mode, str) and mode in modes):
        known = ", ".join(clean_line(str(each), 40) for each in modes[:_MODES_SHOWN])
        violations.add(
            Rule.RENDER_MODE,
            expected=f"one of [{known}], or None" if modes else "None, for there are no modes",
            received=mode if not isinstance(mode, str) else repr(mode),
        )
    named = tuple(clean_line(str(each), 40) for each in modes[:_MODES_SHOWN])
    check_declared(named, described.get("render_fps"), violations)
    return named


# --- playing ------------------------------------------------------------------------------------


def _play(game: Game, actions: Actions, settings: EnvironmentSettings, seen: _Seen) -> bool:
    """Plays episodes with random actions; answers whether a step came back."""
    actions.restart(ACTION_SEED)
    for seed in range(_FIRST_SEED, _FIRST_SEED + settings.episodes):
        if not _play_one(game, actions, seed, settings.max_steps, seen):
            break
    return bool(seen.episodes)


def _play_one(game: Game, actions: Actions, seed: int, max_steps: int, seen: _Seen) -> bool:
    """Plays an episode; answers whether another makes sense."""
    steps, total, ended = 0, 0.0, False
    rewards: set[float] = set()
    last = Step(None, 0.0, terminated=False, truncated=False)
    try:
        if game.reset(seed, f"reset(seed={seed})") is None:
            return False
        while steps < max_steps and not ended:
            step = game.step(actions.draw(), f"step {steps + 1} after reset(seed={seed})")
            if step is None:
                return False
            steps, last = steps + 1, step
            rewards.add(number_of(step.reward))
            total += number_of(step.reward)
            ended = step.ended
    finally:
        # An episode that was cut short shows that steps came back.
        if steps:
            seen.episodes.append(
                EnvironmentEpisode(
                    seed=seed, steps=steps, episode_return=total, ended=ended,
                    terminated=last.terminated, truncated=last.truncated, varied=len(rewards) > 1,
                )
            )  # fmt: skip
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


PROBE = ProbeKind(
    id="environment",
    roles=(
        Role("env_class", "class", ("GameEnv",)),
        Role("reset", "method", ("reset",), owner="env_class"),
        Role("step", "method", ("step",), owner="env_class"),
        Role("render", "method", ("render",), owner="env_class", optional=True),
        Role("close", "method", ("close",), owner="env_class", optional=True),
    ),
    settings=EnvironmentSettings,
    evidence=EnvironmentEvidence,
    collect=collect,
    uses_seeds=False,
)
"""Kind `environment`."""
