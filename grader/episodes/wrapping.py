"""Puts wrappers around environments: Gymnasium's, and the few that it does not have."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from grader.episodes.derived_seeds import derived_seed
from grader.records import wrappers as listed

Env = gymnasium.Env[Any, Any]


class KeyObservation(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Observes the value under one key of a `Dict` observation."""

    def __init__(self, env: Env, key: str) -> None:
        super().__init__(env)
        inner = env.observation_space
        if not isinstance(inner, spaces.Dict):
            raise TypeError(f"the observations have no keys: they are in {inner}")
        if key not in inner.spaces:
            raise KeyError(f'no key "{key}"; the keys are {", ".join(map(str, inner.spaces))}')
        self._key = key
        self.observation_space = inner.spaces[key]

    def observation(self, observation: Any) -> Any:
        """The value under the key."""
        return observation[self._key]


class ChannelsLastObservation(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Makes the first of three axes the last."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        inner = env.observation_space
        if not isinstance(inner, spaces.Box) or len(inner.shape) != 3:
            raise ValueError(f"observations with three axes are needed; they are in {inner}")
        dtype: Any = inner.dtype
        low, high = np.moveaxis(inner.low, 0, -1), np.moveaxis(inner.high, 0, -1)
        self.observation_space = spaces.Box(low, high, dtype=dtype)

    def observation(self, observation: Any) -> Any:
        """The array with its first axis last, contiguous as convolutions want it."""
        return np.ascontiguousarray(np.moveaxis(observation, 0, -1))


class RandomActions(gymnasium.ActionWrapper[Any, Any, Any]):
    """Replaces a share of the actions by uniformly random ones.

    What is drawn follows from the seed of `reset` alone.
    """

    def __init__(self, env: Env, probability: float) -> None:
        super().__init__(env)
        self._probability = probability
        self._drawn = copy.deepcopy(env.action_space)
        self._generator = np.random.default_rng(0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Starts an episode, and the generator with it."""
        if seed is not None:
            self._generator = np.random.default_rng(derived_seed("whether at random", seed))
            self._drawn.seed(derived_seed("random share", seed))
        return super().reset(seed=seed, options=options)

    def action(self, action: Any) -> Any:
        """The agent's action, or a random one."""
        at_random = self._generator.random() < self._probability
        return self._drawn.sample() if at_random else action


def wrapped(env: Env, entry: listed.WrapperEntry) -> Env:
    """An environment with one more wrapper.

    Raises:
        Exception: of any kind, where the wrapper does not fit what it is put around.
    """
    match entry:
        case listed.KeyObservation():
            return KeyObservation(env, entry.key)
        case listed.ChannelsLastObservation():
            return ChannelsLastObservation(env)
        case listed.RandomActions():
            return RandomActions(env, entry.probability)
    arguments = entry.model_dump(exclude={"wrapper"})
    if isinstance(entry, listed.RescaleObservation):
        arguments = {name: _bound(env.observation_space, arguments[name]) for name in arguments}
    if isinstance(entry, listed.RescaleAction):
        arguments = {name: _bound(env.action_space, arguments[name]) for name in arguments}
    made: Env = getattr(gymnasium.wrappers, entry.wrapper)(env, **arguments)
    return made


def _bound(space: spaces.Space[Any], value: float | tuple[float, ...]) -> Any:
    dtype = np.dtype(space.dtype)
    if dtype.kind != "f":  # Gymnasium would round everything between the bounds
        raise ValueError(
            f"numbers of dtype {dtype} cannot be rescaled; put DtypeObservation with "
            'dtype = "float32" in front'
        )
    return np.asarray(value, dtype=dtype) if isinstance(value, tuple) else dtype.type(value)


def skips_steps(entry: listed.WrapperEntry) -> bool:
    """Whether one step of the agent is several of the environment inside."""
    return isinstance(
        entry, listed.AtariPreprocessing | listed.MaxAndSkipObservation | listed.RepeatAction
    )
