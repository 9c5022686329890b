"""Tries an agent beside playing: other observations, other weights, other starts, training.

An agent is shown observations, and its actions are compared with those it takes otherwise; all of
that is decided here. The observations come from its own episodes, made again from their receipts.
What is played for a number (`generalises`, `learns`) is played as any episode: environment, seed
and rewards stay in this process.

What a determined cheat could still do: an agent may notice that its weights were changed, and act
at random then, so that it seems to use a network that its play does not need. Two things hold
against it: its play is judged by the rewards, and `learns` asks for play that training improved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from grader.episodes.random_play import random_actions
from grader.episodes.rollout import Game
from grader.probes.agent_bench import (
    Bench,
    Single,
    actions,
    compared,
    found_networks,
    fresh_actions,
)
from grader.probes.agent_players import Cast
from grader.probes.agent_players import Game as ToldGame
from grader.probes.context import ProbeContext
from grader.probes.step_times import time_class
from grader.records.agent_evidence import Episode
from grader.records.agent_examination import (
    ActionsTrial,
    AgentExamination,
    NetworkTrial,
    ShiftedStart,
    ShiftedTrial,
    StepTimeTrial,
    TrialEpisode,
)
from grader.records.agent_settings import AgentSettings
from grader.records.environments import PlayedEnvironment
from grader.sandbox.incident import WorkerIncident

_ORDER_SEED: Final = 89
_SHUFFLES: Final = (97, 101, 103)
_WARM_UP: Final = 20
"""Steps that are not timed: the first calls of a network compile it."""
_TIMED: Final = 200
_TIMED_ROUNDS: Final = 3


def examine(
    context: ProbeContext, cast: Cast, told: ToldGame, episodes: Sequence[Episode]
) -> AgentExamination | None:
    """Tries what the assignment asks for.

    Args:
        context: the part; its settings say what is tried.
        cast: who played.
        told: what it was told of the environment.
        episodes: that were played.

    Returns:
        None where nothing is asked for.
    """
    settings: AgentSettings = context.settings
    asked = (
        settings.step_time_ms is not None, settings.examine_observations,
        settings.examine_network, settings.examine_memory, settings.shifted_starts,
    )  # fmt: skip
    if not any(asked):
        return None
    bench = Bench(context, cast, told, episodes)
    if not bench.games:
        return AgentExamination()
    limit = settings.step_time_ms
    return AgentExamination(
        step_time=None if limit is None else _step_time(bench, limit),
        observations=_observations(bench) if settings.examine_observations else (),
        network=_network(bench) if settings.examine_network else None,
        memory=_memory(bench) if settings.examine_memory else (),
        shifted=tuple(_shifted(bench, start) for start in settings.shifted_starts),
    )


# --- what it sees --------------------------------------------------------------------------------


def _observations(bench: Bench) -> tuple[ActionsTrial, ...]:
    """Whether other observations lead to other actions, step by step."""
    shown = bench.shown[0]
    others = {"the same observations in another order": _reordered(shown)}
    if (mirrored := _mirrored(shown)) is not None:
        others["every number mirrored between its lowest and its highest value"] = mirrored
        others["numbers drawn at random around those seen"] = _drawn(shown)
    if len(bench.shown) > 1:
        others["the observations of another episode"] = bench.shown[1]
    try:
        own = fresh_actions(bench, shown)
    except WorkerIncident as error:
        return (ActionsTrial(label="the same observations again", incident=error.incident),)
    trials: list[ActionsTrial] = []
    for label, observations in others.items():
        count = min(len(own), len(observations))
        try:
            taken = fresh_actions(bench, observations[:count])
        except WorkerIncident as error:
            # An agent may refuse what its game never shows.
            trials.append(ActionsTrial(label=label, incident=error.incident))
        else:
            trials.append(compared(label, own[:count], taken))
    return tuple(trials)


def _reordered(shown: Sequence[Any]) -> list[Any]:
    order = np.random.Generator(np.random.PCG64(_ORDER_SEED)).permutation(len(shown))
    return [shown[at] for at in order]


def _mirrored(shown: Sequence[Any]) -> list[Any] | None:
    """Each number as far below its highest value as it was above its lowest one.

    None where an observation is not one array of numbers.
    """
    arrays = [np.asarray(each) for each in shown]
    if any(each.dtype.kind not in "biuf" or each.shape != arrays[0].shape for each in arrays):
        return None
    stack = np.stack(arrays)
    low, high = stack.min(axis=0), stack.max(axis=0)
    if stack.dtype.kind == "b":
        return [np.where(low == high, each, ~each) for each in arrays]
    whole = isinstance(shown[0], int | np.integer)
    mirrored = [(high - (each - low)).astype(stack.dtype) for each in arrays]
    return [int(each) if whole else each for each in mirrored]


def _drawn(shown: Sequence[Any]) -> list[Any]:
    """Arrays of numbers that reach as far beyond those seen as these lie apart."""
    stack = np.stack([np.asarray(each) for each in shown]).astype(np.float64)
    low, high = stack.min(axis=0), stack.max(axis=0)
    generator = np.random.Generator(np.random.PCG64(_ORDER_SEED))
    first = np.asarray(shown[0])
    reach = high - low if first.dtype.kind == "f" else 0.0  # whole numbers may be codes
    drawn = [generator.uniform(low - reach, high + reach) for _ in shown]
    if first.dtype.kind != "f":
        drawn = [np.rint(each) for each in drawn]
    whole = isinstance(shown[0], int | np.integer)
    return [int(each) if whole else np.asarray(each, first.dtype) for each in drawn]


# --- what its network says ----------------------------------------------------------------------


def _network(bench: Bench) -> NetworkTrial:
    """Whether other weights lead to other actions."""
    shown = bench.shown[0]
    found: dict[str, Any] = {}
    trials: list[ActionsTrial] = []
    try:
        with bench.player() as (worker, player, env):
            player.begin(bench.games[0].seed)
            found["networks"] = tuple(found_networks(worker))
            if not found["networks"]:
                return NetworkTrial()
            own = actions(player, env, shown)
        again = fresh_actions(bench, shown)
        found["unchanged"] = compared("its own weights", own, again)
        for number, seed in enumerate(_SHUFFLES):
            taken = fresh_actions(bench, shown, seed)
            trials.append(compared(f"shuffled weights {number + 1}", own, taken))
    except WorkerIncident as error:
        found["incident"] = error.incident
    return NetworkTrial(**found, trials=tuple(trials))


# --- memory -------------------------------------------------------------------------------------


def _memory(bench: Bench) -> tuple[ActionsTrial, ...]:
    """Whether an episode is played alike in a fresh process and after others."""
    last, shown = bench.games[0], bench.shown[0]
    label = "the same episode in a process that has seen others"
    try:
        with bench.player() as (_, player, env):
            player.begin(last.seed)
            alone = actions(player, env, shown)
        with bench.player() as (_, player, env):
            for game, observations in reversed(list(zip(bench.games, bench.shown, strict=True))):
                player.begin(game.seed)
                actions(player, env, observations)
            player.begin(last.seed)
            after = actions(player, env, shown)
    except WorkerIncident as error:
        return (ActionsTrial(label=label, incident=error.incident),)
    return (compared(label, alone, after),)


# --- time ---------------------------------------------------------------------------------------


def _step_time(bench: Bench, limit_ms: float) -> StepTimeTrial:
    """Processor time of the worker for each step, as a class.

    Each round has a process of its own: answers remembered in one are no quicker in another.
    """
    observations = [each for shown in bench.shown for each in shown]
    rounds: list[list[float]] = []
    try:
        for _ in range(_TIMED_ROUNDS):
            times: list[float] = []
            with bench.player() as (worker, player, _):
                player.begin(bench.games[0].seed)
                for step in range(_WARM_UP + _TIMED):
                    before = worker.cpu_s
                    player.act(observations[step % len(observations)], step)
                    times.append((worker.cpu_s - before) * 1e3)
            rounds.append(times[_WARM_UP:])
    except WorkerIncident as error:
        return StepTimeTrial(limit_ms=limit_ms, incident=error.incident)
    return StepTimeTrial(
        limit_ms=limit_ms, at_most=time_class(rounds, limit_ms), steps=_TIMED, warm_up=_WARM_UP
    )


# --- other starts -------------------------------------------------------------------------------


class _ShiftedGame(Game):
    """An episode that starts under options of `reset`."""

    def __init__(self, settings: PlayedEnvironment, seed: int, start: ShiftedStart) -> None:
        self._options = None if start.options is None else dict(start.options)
        super().__init__(settings, seed)

    def _reset(self) -> Any:
        if self._options is None:
            return super()._reset()
        observation, _ = self.env.reset(seed=self.seed, options=self._options)
        self.env.action_space.seed(self.seed)
        return observation


def _shifted(bench: Bench, start: ShiftedStart) -> ShiftedTrial:
    """Plays the part's seeds from another start, the agent and a random one."""
    kwargs = {**bench.environment.environment_kwargs, **start.environment_kwargs}
    settings = bench.environment.model_copy(update={"environment_kwargs": kwargs})
    seeds = bench.context.seeds
    random_returns = []
    for seed in seeds:
        with _ShiftedGame(settings, seed, start) as game:
            act = random_actions(game.env.action_space, seed)
            while not game.over:
                game.take(act(game.observation, len(game.actions)))
            random_returns.append(game.episode().episode_return)
    episodes: list[TrialEpisode] = []
    try:
        with bench.player() as (worker, player, _):
            for seed in seeds:
                with _ShiftedGame(settings, seed, start) as game:
                    episodes.append(play_one(player, game, fresh=True))
                if worker.ended:
                    break
    except WorkerIncident as error:
        episodes.append(TrialEpisode(seed=seeds[len(episodes)], incident=error.incident))
    return ShiftedTrial(
        title=start.title, episodes=tuple(episodes), random_returns=tuple(random_returns)
    )


def play_one(player: Single, game: Game, *, fresh: bool) -> TrialEpisode:
    """Plays an episode to its end, with a new agent or with the one there is."""
    incident = None
    try:
        if fresh:
            player.begin(game.seed)
        while not game.over:
            game.take(player.act(game.observation, len(game.actions)))
    except WorkerIncident as error:
        incident = error.incident
    played = game.episode()
    return TrialEpisode(
        seed=game.seed, actions=played.actions, episode_return=played.episode_return,
        invalid_action=played.invalid_action, incident=incident,
    )  # fmt: skip
