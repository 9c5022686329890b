"""Probe of a game-playing agent: episodes under given seeds, and the same observations again.

The environment, its seed, its rewards and its step limit live in this process; the worker gets
observations and answers actions. A fresh environment and a fresh agent are made for every episode,
so that an episode's result depends on the submission and the seed alone.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from grader.assignments.registry import ProbeKind, Role
from grader.episodes.rollout import Played, environment, play, versions
from grader.probes.context import ProbeContext, load
from grader.records.evidence import AgentEvidence, Episode, Incident, IncidentKind, ReplayTrial
from grader.records.settings import AgentSettings
from grader.records.spaces import space_data
from grader.records.wire import Invoke, Seed, Space, describe, encode
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

_FIRST_ENTROPY, _SECOND_ENTROPY = 501, 602
_ENDS_ALL: Final = frozenset(
    {IncidentKind.LIMIT, IncidentKind.EXITED, IncidentKind.PROTOCOL, IncidentKind.FAULT}
)


def _entropy(base: int, seed: int) -> int:
    """Start of the agent's own random generators in an episode.

    Derived one way, so that the worker does not learn the environment's seed from it.
    """
    return int.from_bytes(hashlib.sha256(f"agent {base} {seed}".encode()).digest()[:4], "big")


class _Player:
    """Makes agents in one worker and asks them for actions."""

    def __init__(self, worker: Worker, settings: AgentSettings, entropy: int) -> None:
        self._worker = worker
        self._entropy = entropy
        with environment(settings) as env:
            self._spaces = {
                "observation_space": Space(data=space_data(env.observation_space)),
                "action_space": Space(data=space_data(env.action_space)),
            }

    def make(self, seed: int) -> None:
        self._worker.ask(Seed(seed=_entropy(self._entropy, seed)), "seeding the worker")
        self._worker.ask(
            Invoke(target="agent_class", arguments=dict(self._spaces), keep="agent"),
            "making the agent",
        )

    def act(self, observation: Any, step: int) -> Any:
        return self._worker.ask(
            Invoke(target="agent", method="act", arguments={"observation": observation}),
            f"calling act (step {step})",
        )


def _incident(error: BaseException) -> Incident | None:
    return error.incident if isinstance(error, WorkerIncident) else None


def _episode(player: _Player, settings: AgentSettings, seed: int) -> Played:
    try:
        player.make(seed)
    except WorkerIncident as error:
        episode = Episode(
            seed=seed, actions=(), rewards=(), episode_return=0.0, incident=error.incident
        )
        return Played(episode)
    return play(settings, seed, player.act, _incident)


def _replay(player: _Player, played: Played) -> ReplayTrial:
    """Shows an episode's observations to a new agent and compares its actions."""
    seed = played.episode.seed
    observations = played.observations[: len(played.episode.actions)]
    try:
        player.make(seed)
        for step, observation in enumerate(observations):
            answer = player.act(observation, step)
            first = played.episode.actions[step]
            if encode(_scalar(answer)) != encode(_scalar(first)):
                return ReplayTrial(
                    seed=seed,
                    compared=len(observations),
                    difference=step,
                    first_action=describe(first),
                    second_action=describe(answer),
                )
    except WorkerIncident as error:
        return ReplayTrial(seed=seed, compared=len(observations), incident=error.incident)
    return ReplayTrial(seed=seed, compared=len(observations))


def _scalar(action: Any) -> Any:
    """An action in one form, so that `1`, `numpy.int64(1)` and `array([1])` are the same."""
    listed = action.tolist() if hasattr(action, "tolist") else action
    if isinstance(listed, list | tuple):
        flat = [_scalar(item) for item in listed]
        return flat[0] if len(flat) == 1 else flat
    return listed


def play_all(context: ProbeContext) -> AgentEvidence:
    """Plays all seeds; without the comparison of a second agent."""
    evidence, _ = _played(context)
    return evidence


def _played(context: ProbeContext) -> tuple[AgentEvidence, list[Played]]:
    settings: AgentSettings = context.settings
    with context.worker(_FIRST_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(
            **loaded.fields(),
            environment_id=settings.environment_id,
            versions=versions(),
            seed_set=context.seed_set,
        )
        if not loaded.complete:
            return AgentEvidence(**fields), []
        player = _Player(worker, settings, _FIRST_ENTROPY)
        try:
            player.make(context.seeds[0])
        except WorkerIncident as error:
            return AgentEvidence(**fields, construction=error.incident), []
        games: list[Played] = []
        for seed in context.seeds:
            games.append(_episode(player, settings, seed))
            ended_by = games[-1].episode.incident
            if ended_by is not None and ended_by.kind in _ENDS_ALL:
                break
    return AgentEvidence(**fields, episodes=tuple(game.episode for game in games)), games


def collect(context: ProbeContext) -> AgentEvidence:
    """Plays all seeds, then shows the first episodes' observations to another agent."""
    settings: AgentSettings = context.settings
    evidence, games = _played(context)
    replays: list[ReplayTrial] = []
    answered = [game for game in games if game.episode.actions]
    if answered:
        with context.worker(_SECOND_ENTROPY) as worker:
            again = load(context, worker)
            player = _Player(worker, settings, _SECOND_ENTROPY)
            for game in answered[: settings.replayed_episodes]:
                if again.incident is not None:
                    replays.append(
                        ReplayTrial(seed=game.episode.seed, compared=0, incident=again.incident)
                    )
                    break
                replays.append(_replay(player, game))
    return evidence.model_copy(update={"replays": tuple(replays)})


PROBE = ProbeKind(
    id="agent",
    roles=(
        Role("agent_class", "class", ("DQNAgent",)),
        Role("act", "method", ("act",), owner="agent_class"),
    ),
    settings=AgentSettings,
    evidence=AgentEvidence,
    collect=collect,
    uses_baseline=True,
)
"""Kind `agent`."""
