"""Plays an episode: the environment, its seed and its rewards live here, actions come from outside.

The loop is that of Brockman et al. 2016, OpenAI Gym, section 2, with Gymnasium's split of the end
of an episode into `terminated` and `truncated`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import gymnasium
import numpy as np

from grader.episodes.actions import InvalidAction, Receipt, recorded, restored, to_action
from grader.errors import GraderFault
from grader.records.agent_evidence import Episode
from grader.records.agent_settings import AgentSettings


@dataclass
class Played:
    """A finished episode: its receipt, and the observations for showing it to another agent."""

    episode: Episode
    observations: list[Any] = field(default_factory=list)


@contextmanager
def environment(settings: AgentSettings) -> Iterator[gymnasium.Env[Any, Any]]:
    """The environment an assignment names, closed on leaving.

    Raises:
        GraderFault: it cannot be made; the instructor must act (install an extra, mend the id).
    """
    extra: dict[str, Any] = dict(settings.environment_kwargs)
    if settings.max_episode_steps is not None:
        extra["max_episode_steps"] = settings.max_episode_steps
    try:
        env: gymnasium.Env[Any, Any] = gymnasium.make(
            settings.environment_id, disable_env_checker=True, **extra
        )
    except Exception as error:
        raise GraderFault(f"{settings.environment_id} cannot be made: {error}") from error
    try:
        yield env
    finally:
        env.close()


def versions() -> dict[str, str]:
    """Versions of the packages that decide what happens in an episode."""
    return {name: version(name) for name in ("gymnasium", "numpy")}


def play(
    settings: AgentSettings,
    seed: int,
    act: Callable[[Any, int], object],
    stopped_by: Callable[[BaseException], Any] = lambda _: None,
) -> Played:
    """Plays one episode in a fresh environment.

    Args:
        settings: which environment.
        seed: seed of the environment; the agent never sees it.
        act: called with the observation and the step number, answers an action of any form.
        stopped_by: given an exception out of `act`, the incident that ends the episode, or None
            to let the exception pass.

    Returns:
        The receipt. An action outside the space or an incident ends the episode early; it counts
        with the return reached so far.
    """
    actions: list[Receipt] = []
    rewards: list[float] = []
    observations: list[Any] = []
    ending: dict[str, Any] = {}
    with environment(settings) as env:
        observation, _ = env.reset(seed=seed)
        env.action_space.seed(seed)
        while True:
            # Some environments hand out one buffer again and again.
            observations.append(copy.deepcopy(observation))
            try:
                action = to_action(env.action_space, act(observation, len(actions)))
            except InvalidAction as invalid:
                ending = {"invalid_action": invalid.received}
                break
            except Exception as error:
                incident = stopped_by(error)
                if incident is None:
                    raise
                ending = {"incident": incident}
                break
            actions.append(recorded(action))
            observation, reward, terminated, truncated, _ = env.step(action)
            rewards.append(float(reward))
            if terminated or truncated:
                ending = {"terminated": bool(terminated), "truncated": bool(truncated)}
                break
    episode = Episode(
        seed=seed,
        actions=tuple(actions),
        rewards=tuple(rewards),
        episode_return=_sum(rewards),
        **ending,
    )
    return Played(episode, observations)


def _sum(rewards: list[float]) -> float:
    """The episode return, added up in one way wherever it is needed."""
    return float(np.sum(np.asarray(rewards, dtype=np.float64)))


def replay(settings: AgentSettings, receipt: Episode) -> float:
    """Plays the actions of a receipt again and returns the episode return they reach.

    Needs none of the student's code; with the versions the receipt was made with, the result is
    its `episode_return`.

    Args:
        settings: which environment.
        receipt: the episode.

    Raises:
        ValueError: the receipt's actions do not fit the environment, or go on after its end.
    """
    rewards: list[float] = []
    over = False
    with environment(settings) as env:
        env.reset(seed=receipt.seed)
        for action in receipt.actions:
            if over:
                raise ValueError("the receipt goes on after the end of the episode")
            _, reward, terminated, truncated, _ = env.step(restored(env.action_space, action))
            rewards.append(float(reward))
            over = bool(terminated or truncated)
    return _sum(rewards)
