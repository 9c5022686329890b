"""Plays an episode: the environment, its seed and its rewards live here, actions come from outside.

The loop is that of Brockman et al. 2016, OpenAI Gym, section 2, with Gymnasium's split of the end
of an episode into `terminated` and `truncated`; either of them ends it. Every episode gets an
environment of its own: some carry a last action or a random generator over a reset.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self

import gymnasium
import numpy as np

from grader.episodes.actions import InvalidAction, Receipt, recorded, restored, to_action
from grader.episodes.environments import environment
from grader.episodes.lanes import Beat
from grader.errors import GraderFault
from grader.records.agent_evidence import Episode
from grader.records.environments import PlayedEnvironment
from grader.records.incident import Incident


@dataclass
class Played:
    """A finished episode: its receipt, and the observations for showing it to another agent."""

    episode: Episode
    observations: list[Any] = field(default_factory=list)


class Game:
    """One episode while it is played. Used as a context; leaving it closes the environment.

    Args:
        settings: which environment.
        seed: seed of the environment; no agent sees it.
        beat: told of each call of the environment.

    Raises:
        GraderFault: the environment cannot be made or reset; the instructor must act.
    """

    def __init__(self, settings: PlayedEnvironment, seed: int, beat: Beat | None = None) -> None:
        self.seed = seed
        self.over = False
        self.actions: list[Receipt] = []
        self.rewards: list[float] = []
        self._ending: dict[str, Any] = {}
        self._beat = beat or Beat()
        self._id = settings.environment_id
        with ExitStack() as opened:
            with self._beat:
                self.env: gymnasium.Env[Any, Any] = opened.enter_context(environment(settings))
                self.observation: Any = self._reset()
            self._opened = opened.pop_all()

    def _reset(self) -> Any:
        try:
            observation, _ = self.env.reset(seed=self.seed)
        except Exception as error:
            raise GraderFault(f"{self._id} cannot be reset: {error}") from error
        self.env.action_space.seed(self.seed)
        return observation

    def take(self, answer: object) -> None:
        """Takes an agent's answer; one outside the action space ends the episode.

        Raises:
            GraderFault: the environment failed; the instructor must act.
        """
        try:
            action = to_action(self.env.action_space, answer)
        except InvalidAction as invalid:
            self._end(invalid_action=invalid.received)
            return
        self.step(action)

    def step(self, action: Any) -> None:
        """Takes an action in the form that the environment takes.

        Raises:
            GraderFault: the environment failed; the instructor must act.
        """
        taken = recorded(action)
        try:
            with self._beat:
                self.observation, reward, terminated, truncated, _ = self.env.step(action)
        except Exception as error:
            raise GraderFault(
                f"{self._id} failed in step {len(self.actions)} after reset(seed={self.seed}): "
                f"{type(error).__name__}: {error}"
            ) from error
        self.actions.append(taken)
        self.rewards.append(float(reward))
        if terminated or truncated:
            self._end(terminated=bool(terminated), truncated=bool(truncated))

    def interrupt(self, incident: Incident) -> None:
        """Ends the episode early; it counts with the return reached so far."""
        self._end(incident=incident)

    def _end(self, **ending: Any) -> None:
        self.over = True
        self._ending = ending
        self._opened.close()

    def episode(self) -> Episode:
        """The receipt of what was played."""
        return Episode(
            seed=self.seed,
            actions=tuple(self.actions),
            rewards=tuple(self.rewards),
            episode_return=sum_of(self.rewards),
            **self._ending,
        )

    def __enter__(self) -> Self:
        """The game itself."""
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()


def play(
    settings: PlayedEnvironment,
    seed: int,
    act: Callable[[Any, int], object],
    stopped_by: Callable[[BaseException], Incident | None] = lambda _: None,
    beat: Beat | None = None,
    *,
    keep_observations: bool = True,
) -> Played:
    """Plays one episode in a fresh environment.

    Args:
        settings: which environment.
        seed: seed of the environment; the agent never sees it.
        act: called with the observation and the step number, answers an action of any form.
        stopped_by: given an exception out of `act`, the incident that ends the episode, or None
            to let the exception pass.
        beat: told of each call of the environment.
        keep_observations: whether to answer the observations, too.

    Returns:
        The receipt. An action outside the space or an incident ends the episode early; it counts
        with the return reached so far.
    """
    observations: list[Any] = []
    with Game(settings, seed, beat) as game:
        while not game.over:
            if keep_observations:
                # Some environments hand out one buffer again and again.
                observations.append(copy.deepcopy(game.observation))
            try:
                answer = act(game.observation, len(game.actions))
            except Exception as error:
                incident = stopped_by(error)
                if incident is None:
                    raise
                game.interrupt(incident)
                break
            game.take(answer)
    return Played(game.episode(), observations)


def show_again(
    settings: PlayedEnvironment,
    episode: Episode,
    show: Callable[[Any, int], bool],
    beat: Beat | None = None,
) -> None:
    """Plays the actions of an episode again and shows what is seen before each of them.

    Args:
        settings: which environment.
        episode: the receipt.
        show: called with the observation and the step number; answers whether to go on.
        beat: told of each call of the environment.

    Raises:
        GraderFault: the same actions earned other rewards, so that nothing played in this
            environment can be repeated; the instructor must act.
    """
    with Game(settings, episode.seed, beat) as game:
        for step, (action, reward) in enumerate(zip(episode.actions, episode.rewards, strict=True)):
            if game.over or not show(game.observation, step):
                break
            game.step(restored(game.env.action_space, action))
            if game.rewards[-1] != reward:
                raise GraderFault(
                    f"{settings.environment_id} is not reproducible: step {step} after "
                    f"reset(seed={episode.seed}) earned {reward:g}, and {game.rewards[-1]:g} when "
                    "it was played again"
                )


def sum_of(rewards: list[float]) -> float:
    """The episode return, added up in one way wherever it is needed."""
    return float(np.sum(np.asarray(rewards, dtype=np.float64)))


def wrappers_of(env: gymnasium.Env[Any, Any]) -> tuple[str, ...]:
    """Names of the wrappers around an environment, outermost first."""
    names: list[str] = []
    while isinstance(env, gymnasium.Wrapper):
        names.append(type(env).__name__)
        env = env.env
    return tuple(names)
