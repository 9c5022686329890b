"""What trials of an agent start from: its observations again, its actions, its networks."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any, Final

import gymnasium
import numpy as np
import numpy.typing as npt

from grader.episodes.actions import InvalidAction, recorded, to_action
from grader.episodes.environments import environment
from grader.episodes.lock_step import WrongRows, rows_of, stacked
from grader.episodes.rollout import show_again
from grader.probes.agent_episodes import reload
from grader.probes.agent_players import Cast, Player, stopped_by
from grader.probes.agent_players import Game as ToldGame
from grader.probes.context import ProbeContext, expect
from grader.records.agent_evidence import Episode, PlayedBy
from grader.records.agent_examination import ActionsTrial
from grader.records.agent_requests import FindNetworks
from grader.records.agent_settings import AgentSettings
from grader.records.environments import PlayedEnvironment
from grader.records.incident import Incident, IncidentKind
from grader.records.messages import ReadWeights, WriteWeights
from grader.records.wire import encode
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]
Env = gymnasium.Env[Any, Any]

ENTROPY: Final = 703
_SHOWN: Final = 200
"""Observations of an episode that are shown again, at most."""
_GAMES: Final = 2
"""Episodes whose observations are shown."""
_NO_ROW: Final = Incident(kind=IncidentKind.PROTOCOL, stage="asking the network")


class Single:
    """A player that is shown one observation at a time, whoever plays."""

    def __init__(self, context: ProbeContext, worker: Worker, cast: Cast, told: ToldGame) -> None:
        self._player = Player(context, worker, cast, told, ENTROPY)
        self._is_network = cast.by is PlayedBy.NETWORK

    def begin(self, seed: int) -> None:
        """Makes a fresh agent for an episode.

        Raises:
            WorkerIncident: that failed.
        """
        self._player.begin(seed)

    def act(self, observation: Any, step: int) -> Any:
        """The action for an observation.

        Raises:
            WorkerIncident: there is none.
        """
        if not self._is_network:
            return self._player.act(observation, step)
        try:
            return rows_of(self._player.act_batch(stacked([observation]), step, 1), 1)[0]
        except WrongRows as error:
            raise WorkerIncident(stopped_by(error) or _NO_ROW) from error


class Bench:
    """What all trials start from.

    Args:
        context: the part.
        cast: who played.
        told: what it was told of the environment.
        episodes: that were played.
    """

    def __init__(
        self, context: ProbeContext, cast: Cast, told: ToldGame, episodes: Sequence[Episode]
    ) -> None:
        self.context = context
        self.settings: AgentSettings = context.settings
        self.environment: PlayedEnvironment = self.settings.played()
        self._cast = cast
        self._told = told
        self.games = [each for each in episodes if each.actions][:_GAMES]
        self.shown = [self._observations(each) for each in self.games]

    def _observations(self, episode: Episode) -> list[Any]:
        """What was seen in an episode, before each of its actions."""
        kept: list[Any] = []

        def show(observation: Any, step: int) -> bool:
            del step
            kept.append(copy.deepcopy(observation))
            return len(kept) < _SHOWN

        show_again(self.environment, episode, show)
        return kept

    @contextlib.contextmanager
    def player(self) -> Iterator[tuple[Worker, Single, Env]]:
        """A worker with the file loaded; what it does does not count for the part's limits.

        Raises:
            WorkerIncident: it did not load again.
        """
        context = self.context
        with (
            context.worker(ENTROPY) as worker,
            environment(self.environment) as env,
            context.usage.free(worker),
        ):
            reload(context, worker)
            yield worker, Single(context, worker, self._cast, self._told), env


# --- actions --------------------------------------------------------------------------------------


def actions(player: Single, env: Env, observations: Sequence[Any]) -> list[bytes]:
    """Answers to observations in order, in a form that can be compared.

    Compared is what the environment would get; an answer that it would not take stands for itself.
    """
    taken: list[bytes] = []
    for step, observation in enumerate(observations):
        answer = player.act(observation, step)
        try:
            taken.append(encode([True, recorded(to_action(env.action_space, answer))]))
        except InvalidAction as invalid:
            taken.append(encode([False, invalid.received]))
    return taken


def compared(label: str, first: Sequence[bytes], second: Sequence[bytes]) -> ActionsTrial:
    """How many of as many actions are others."""
    pairs = list(zip(first, second, strict=True))
    return ActionsTrial(label=label, compared=len(pairs), changed=sum(a != b for a, b in pairs))


def fresh_actions(
    bench: Bench, observations: Sequence[Any], shuffle: int | None = None
) -> list[bytes]:
    """Actions of a new agent in a new process, so that nothing else was seen before.

    Args:
        bench: what all trials start from.
        observations: what is shown, in order.
        shuffle: seed for shuffling the agent's networks first; None leaves them alone.

    Raises:
        WorkerIncident: there are none.
    """
    with bench.player() as (worker, player, env):
        player.begin(bench.games[0].seed)
        if shuffle is not None:
            shuffle_networks(worker, len(found_networks(worker)), shuffle)
        return actions(player, env, observations)


# --- networks -----------------------------------------------------------------------------------


def found_networks(worker: Worker) -> list[str]:
    """Where the agent of a worker holds networks; they are kept there as `network0` and so on.

    Raises:
        WorkerIncident: the answer is none.
    """
    stage = "looking for the agent's networks"
    places = worker.ask(FindNetworks(target="agent", keep="network"), stage)
    fits = isinstance(places, list) and all(isinstance(each, str) for each in places)
    expect(fits, stage, "the answer has another form")
    return list(places)


def shuffle_networks(worker: Worker, count: int, seed: int) -> None:
    """Puts the numbers of every weight of the networks in another order, all networks alike.

    Those of kernels also get other signs. So they keep their sizes, and lose what they mean.

    Raises:
        WorkerIncident: they cannot be read or written.
    """
    for index in range(count):
        stage = "reading the agent's weights"
        weights = worker.ask(ReadWeights(target=f"network{index}"), stage)
        fits = isinstance(weights, list) and all(isinstance(each, np.ndarray) for each in weights)
        expect(fits, stage, "the answer has another form")
        generator = np.random.Generator(np.random.PCG64(seed))  # an online and a target network
        shuffled = tuple(_shuffled(each, generator) for each in weights)
        request = WriteWeights(target=f"network{index}", weights=shuffled)
        worker.ask(request, "changing the agent's weights")


def _shuffled(weights: Array, generator: np.random.Generator) -> Array:
    numbers = generator.permutation(weights.reshape(-1))
    if weights.ndim > 1 and weights.dtype.kind == "f":  # variances have one axis
        numbers = numbers * generator.choice([-1, 1], numbers.size).astype(weights.dtype)
    return np.asarray(numbers.reshape(weights.shape))
