"""What plays in a worker: an agent of a class, a function, or a network; for one or many rows."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces

from grader.episodes.lock_step import WrongRows
from grader.errors import GraderFault
from grader.probes.context import ProbeContext
from grader.records.agent_evidence import PlayedBy
from grader.records.agent_settings import AgentSettings
from grader.records.evidence import Symbol
from grader.records.incident import Incident, IncidentKind
from grader.records.messages import Filled, Invoke, PreparedCall, Seed, Space
from grader.records.playing_requests import ActGreedily, LoadModel, LoadWeights
from grader.records.spaces import SpaceError, space_data, space_text
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

FIRST_ENTROPY: Final = 501
SECOND_ENTROPY: Final = 602
_NOT_A_SEED: Final = frozenset(
    {"observation", "obs", "state", "env", "environment", "info", "model", "weights"}
)
"""Parameters of a method `reset` that is about something else than a new episode."""


def derived(purpose: str, seed: int) -> int:
    """A number for the student's code, from which nobody learns the seed of the environment.

    Args:
        purpose: what it is for; different purposes give unrelated numbers.
        seed: the environment's seed.
    """
    return int.from_bytes(hashlib.sha256(f"{purpose} {seed}".encode()).digest()[:4], "big")


def stopped_by(error: BaseException) -> Incident | None:
    """The incident that ends an episode, out of what was raised for an action."""
    if isinstance(error, WorkerIncident):
        return error.incident
    if isinstance(error, WrongRows):
        return Incident(kind=IncidentKind.PROTOCOL, stage="acting on a batch", message=str(error))
    return None


@dataclass(frozen=True)
class Game:
    """What a part's agents are told of their environment."""

    spaces: dict[str, Space]
    """As arguments of the agent's class."""
    shape: tuple[int, ...] | None
    """Of an observation; None where that is no array."""
    example: Any
    """A batch of one observation, all zeros."""
    actions: int | None
    """Number of actions; None where they are not numbered."""
    action_space: str
    """Written as a call."""

    @classmethod
    def of(cls, env: gymnasium.Env[Any, Any]) -> Game:
        """What there is to tell of an environment.

        Raises:
            GraderFault: its spaces have no plain form; the instructor must act.
        """
        seen, done = env.observation_space, env.action_space
        try:
            told = {
                "observation_space": Space(data=space_data(seen)),
                "action_space": Space(data=space_data(done)),
            }
        except SpaceError as error:
            raise GraderFault(f"agents cannot be told the spaces of {env}: {error}") from error
        is_array = isinstance(seen, spaces.Box | spaces.MultiBinary | spaces.MultiDiscrete)
        numbered = isinstance(done, spaces.Discrete) and int(done.start) == 0
        return cls(
            spaces=told,
            shape=seen.shape if is_array else () if isinstance(seen, spaces.Discrete) else None,
            example=np.zeros((1, *(seen.shape or ())), seen.dtype),
            actions=int(done.n) if numbered else None,  # type: ignore[attr-defined]
            action_space=space_text(done),
        )


@dataclass(frozen=True)
class Cast:
    """Who plays, as far as the submission decides it."""

    by: PlayedBy
    resets: bool = False
    """Whether the agent is told of a new episode by its method `reset`."""

    @property
    def in_step(self) -> bool:
        """Whether all episodes are played at once."""
        return self.by in {PlayedBy.BATCH, PlayedBy.NETWORK}


def cast_of(symbols: tuple[Symbol, ...]) -> Cast:
    """Who plays, out of what was found in a file; a network where there is nothing else."""
    found = {symbol.role: symbol for symbol in symbols}
    if "agent_class" in found:
        reset = found.get("reset")
        resets = reset is not None and not _NOT_A_SEED & set(reset.parameters)
        return Cast(PlayedBy.BATCH if "act_batch" in found else PlayedBy.AGENT, resets)
    return Cast(PlayedBy.FUNCTION if "policy" in found else PlayedBy.NETWORK)


class Player:
    """One worker that plays.

    Args:
        context: the part.
        worker: has loaded the part's file.
        cast: who plays.
        game: what it is told.
        entropy: where the worker's own random generators start.
    """

    def __init__(
        self, context: ProbeContext, worker: Worker, cast: Cast, game: Game, entropy: int
    ) -> None:
        self._settings: AgentSettings = context.settings
        self._worker = worker
        self._cast = cast
        self._game = game
        self._entropy = entropy
        target, method = ("policy", None) if cast.by is PlayedBy.FUNCTION else ("agent", "act")
        self._act = PreparedCall(target, method, "observation")
        self._act_batch = PreparedCall("agent", "act_batch", "observations")
        self._shares_us: list[float] = []
        self._cpu_s = worker.cpu_s

    def begin(self, seed: int) -> None:
        """Makes a fresh agent for an episode, or for the group that begins with it.

        Raises:
            WorkerIncident: that failed.
        """
        number = derived(f"agent {self._entropy}", seed)
        self._worker.ask(Seed(seed=number), "seeding the worker")
        if self._cast.by is PlayedBy.NETWORK:
            self._load_network()
        elif self._cast.by is not PlayedBy.FUNCTION:
            arguments = dict(self._game.spaces)
            making = Invoke(target="agent_class", arguments=arguments, keep="agent")
            self._worker.ask(making, "making the agent")
            if self._cast.resets:
                told = {"seed": derived("reset", seed)}
                reset = Invoke(target="agent", method="reset", arguments=told, keep="told")
                self._worker.ask(reset, "calling reset before the episode")

    def _load_network(self) -> None:
        settings, game = self._settings, self._game
        if game.actions is None or game.shape is None:
            raise GraderFault(
                f"a network cannot play {settings.environment_id}: its observations must be arrays "
                "and its actions numbered from 0"
            )
        if settings.model_file is not None:
            loading = LoadModel(file=settings.model_file, keep="network")
            self._worker.ask(loading, f"loading {settings.model_file}")
            return
        built = Invoke(target="network", arguments=self._offered(), keep="network")
        self._worker.ask(built, "building the network")
        if settings.weights_file is not None:
            self._worker.ask(
                LoadWeights(
                    target="network", file=settings.weights_file, observations=game.example
                ),
                f"loading {settings.weights_file}",
            )

    def _offered(self) -> dict[str, Any]:
        """Arguments of a builder; by position the first two, by name all."""
        game = self._game
        shape = game.shape or ()
        return {
            "num_actions": game.actions, "observation_shape": shape,
            "n_actions": game.actions, "action_size": game.actions, "action_dim": game.actions,
            "input_shape": shape, "state_shape": shape,
            "state_size": math.prod(shape), "state_dim": math.prod(shape),
            **game.spaces,
        }  # fmt: skip

    def act(self, observation: Any, step: int) -> Any:
        """The action for one observation.

        Raises:
            WorkerIncident: there is none.
        """
        begun = time.perf_counter_ns()
        answer = self._worker.ask(Filled(self._act, observation), f"calling act (step {step})")
        self._shares_us.append((time.perf_counter_ns() - begun) / 1000)
        return answer

    def act_batch(self, observations: Any, step: int, running: int) -> Any:
        """One action for each row.

        Raises:
            WorkerIncident: there are none.
        """
        begun = time.perf_counter_ns()
        if self._cast.by is PlayedBy.NETWORK:
            actions = self._game.actions or 0
            request = ActGreedily(target="network", observations=observations, actions=actions)
            answer = self._worker.ask(request, f"asking the network (step {step})")
        else:
            filled = Filled(self._act_batch, observations)
            answer = self._worker.ask(filled, f"calling act_batch (step {step})")
        self._shares_us.append((time.perf_counter_ns() - begun) / 1000 / running)
        return answer

    def spent(self) -> tuple[float, tuple[int, ...]]:
        """Processor time in seconds, and microseconds of each step's share, since last asked."""
        cpu_s = self._worker.cpu_s - self._cpu_s
        self._cpu_s += cpu_s
        shares, self._shares_us = self._shares_us, []
        return cpu_s, tuple(map(round, shares))
