"""Lets an agent train under a budget, and plays it before, in between and after.

The environment it trains in belongs to the worker: what is earned there is the student's word and
is not looked at. What counts are episodes in this process, on seeds that the training never saw.
The steps are a budget for honest code; what all code is held to is the part's processor time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from grader.episodes.rollout import Game
from grader.probes.agent_bench import ENTROPY, Single, found_networks, shuffle_networks
from grader.probes.agent_examination import play_one
from grader.probes.agent_players import Cast
from grader.probes.agent_players import Game as ToldGame
from grader.probes.context import ProbeContext, load
from grader.records.agent_examination import LearningCurve, LearningPoint, TrialEpisode
from grader.records.agent_requests import Train
from grader.records.agent_settings import AgentSettings
from grader.records.environments import PlayedEnvironment
from grader.records.incident import Incident
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

ROLE: Final = "train"
_SHUFFLE: Final = 107
_TRAINING_SEED: Final = 1_000_003
"""Of the environment to train in; far from the seeds of episodes."""


def learning_curve(context: ProbeContext, cast: Cast, told: ToldGame) -> LearningCurve:
    """Plays, trains and plays again, as often as the assignment says.

    The networks that a new agent holds are shuffled first, so that it starts untrained whatever it
    has loaded.
    """
    settings: AgentSettings = context.settings
    seeds = context.seeds[: settings.learning_episodes]
    points: list[LearningPoint] = []
    networks: list[str] = []
    with context.worker(ENTROPY) as worker:
        loaded = load(context, worker)
        names = {role.name: context.names(role) for role in context.kind.roles}
        if loaded.incident is not None:
            return LearningCurve(incident=loaded.incident)
        if not any(symbol.role == ROLE for symbol in loaded.symbols):
            methods = [symbol.name for symbol in loaded.symbols]
            return LearningCurve(unresolved=tuple(methods), accepted=names.get(ROLE, ()))
        player = Single(context, worker, cast, told)
        try:
            player.begin(seeds[0])
            networks = found_networks(worker)
            shuffle_networks(worker, len(networks), _SHUFFLE)
            points.append(_point(player, settings.played(), seeds, 0))
            for number in range(settings.learning_rounds):
                if worker.ended:
                    break
                _train(worker, settings, number)
                steps = _steps_after(settings, number)
                points.append(_point(player, settings.played(), seeds, steps))
        except WorkerIncident as error:
            return _curve(networks, points, error.incident)
    return _curve(networks, points)


def _curve(
    networks: Sequence[str], points: Sequence[LearningPoint], incident: Incident | None = None
) -> LearningCurve:
    return LearningCurve(networks=tuple(networks), points=tuple(points), incident=incident)


def _steps_after(settings: AgentSettings, number: int) -> int:
    """Steps of training that are over after a round."""
    return settings.learning_steps * (number + 1) // settings.learning_rounds


def _train(worker: Worker, settings: AgentSettings, number: int) -> None:
    before = _steps_after(settings, number - 1)
    request = Train(
        target="agent", method=ROLE, environment_id=settings.environment_id,
        environment_kwargs=dict(settings.environment_kwargs),
        max_episode_steps=settings.max_episode_steps,
        seed=_TRAINING_SEED + number, steps=_steps_after(settings, number) - before,
    )  # fmt: skip
    worker.ask(request, f"training the agent (round {number + 1})")


def _point(
    player: Single, settings: PlayedEnvironment, seeds: Sequence[int], steps: int
) -> LearningPoint:
    episodes: list[TrialEpisode] = []
    for seed in seeds:
        with Game(settings, seed) as game:
            episodes.append(play_one(player, game, fresh=False))
    return LearningPoint(steps=steps, episodes=tuple(episodes))
