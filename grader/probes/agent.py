"""Probe of a game-playing agent: episodes under given seeds, and the same observations again.

The environment, its seed, its rewards and its step limit live in this process; the worker gets
observations and answers actions. A fresh environment and a fresh agent are made for every episode,
so that an episode's result depends on the submission and the seed alone. What a file keeps outside
its agents, in its module, lives on; the second agent sees the episodes in the other order, and then
acts differently.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any, Final

import gymnasium

from grader.assignments.registry import ProbeKind, Role
from grader.episodes.actions import InvalidAction, recorded, to_action
from grader.episodes.rollout import Played, environment, play, versions
from grader.errors import GraderFault
from grader.probes.context import ProbeContext, load, load_again
from grader.records.agent_evidence import AgentEvidence, Episode, ReplayTrial
from grader.records.agent_settings import AgentSettings
from grader.records.incident import Incident, IncidentKind
from grader.records.messages import Invoke, Seed, Space
from grader.records.spaces import SpaceError, space_data, space_text
from grader.records.wire import describe
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

    def __init__(self, worker: Worker, env: gymnasium.Env[Any, Any], entropy: int) -> None:
        self._worker = worker
        self._entropy = entropy
        try:
            self._spaces = {
                "observation_space": Space(data=space_data(env.observation_space)),
                "action_space": Space(data=space_data(env.action_space)),
            }
        except SpaceError as error:
            raise GraderFault(f"agents cannot be told the spaces of {env}: {error}") from error

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


def _replay(player: _Player, space: gymnasium.Space[Any], played: Played) -> ReplayTrial:
    """Shows an episode's observations to a new agent and compares its actions.

    Compared is what the environment would get, so that `1`, `numpy.int64(1)` and `array([1])` are
    the same action.
    """
    seed = played.episode.seed
    compared = len(played.episode.actions)
    try:
        player.make(seed)
        for step, first in enumerate(played.episode.actions):
            answer = player.act(played.observations[step], step)
            # An answer outside the space is never the same: the first one was in it.
            again: object = answer
            with contextlib.suppress(InvalidAction):
                again = recorded(to_action(space, answer))
                if again == first:
                    continue
            return ReplayTrial(
                seed=seed,
                compared=compared,
                difference=step,
                first_action=describe(first),
                second_action=describe(again),
            )
    except WorkerIncident as error:
        return ReplayTrial(seed=seed, compared=compared, incident=error.incident)
    return ReplayTrial(seed=seed, compared=compared)


def play_all(context: ProbeContext) -> AgentEvidence:
    """Plays all seeds; without the comparison of a second agent."""
    evidence, _ = _played(context)
    return evidence


def _wrappers(env: gymnasium.Env[Any, Any]) -> tuple[str, ...]:
    """Names of the wrappers around an environment, outermost first."""
    names: list[str] = []
    while isinstance(env, gymnasium.Wrapper):
        names.append(type(env).__name__)
        env = env.env
    return tuple(names)


def _played(context: ProbeContext) -> tuple[AgentEvidence, list[Played]]:
    """Plays all seeds; also answers the episodes that are to be shown again."""
    settings: AgentSettings = context.settings
    with context.worker(_FIRST_ENTROPY) as worker, environment(settings) as env:
        loaded = load(context, worker)
        fields = context.base(
            **loaded.fields(),
            environment_id=settings.environment_id,
            action_space=space_text(env.action_space),
            wrappers=_wrappers(env),
            versions=versions(),
            seed_set=context.seed_set,
        )
        if not loaded.complete:
            return AgentEvidence(**fields), []
        player = _Player(worker, env, _FIRST_ENTROPY)
        try:
            player.make(context.seeds[0])
        except WorkerIncident as error:
            return AgentEvidence(**fields, construction=error.incident), []
        episodes: list[Episode] = []
        kept: list[Played] = []
        for seed in context.seeds:
            game = _episode(player, settings, seed)
            episodes.append(game.episode)
            if game.episode.actions and len(kept) < settings.replayed_episodes:
                kept.append(game)
            ended_by = game.episode.incident
            if ended_by is not None and ended_by.kind in _ENDS_ALL:
                break
    return AgentEvidence(**fields, episodes=tuple(episodes)), kept


def collect(context: ProbeContext) -> AgentEvidence:
    """Plays all seeds, then shows the first episodes' observations to another agent."""
    evidence, kept = _played(context)
    if not kept:
        return evidence
    with context.worker(_SECOND_ENTROPY) as worker, environment(context.settings) as env:
        try:
            load_again(context, worker)
        except WorkerIncident as error:
            failed = ReplayTrial(seed=kept[0].episode.seed, compared=0, incident=error.incident)
            return evidence.model_copy(update={"replays": (failed,)})
        player = _Player(worker, env, _SECOND_ENTROPY)
        # Backwards, so that what is carried over from one episode to the next shows.
        replays = [_replay(player, env.action_space, game) for game in reversed(kept)]
    return evidence.model_copy(update={"replays": tuple(reversed(replays))})


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
