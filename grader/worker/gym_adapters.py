"""Environments of `gym` in the clothes of Gymnasium's, and the other way round.

Two APIs of `gym` are alive in coursework: that of 0.21 and before (`reset` returns the observation,
`step` four things, `seed` is a method) and that of 0.26 (the five things of Gymnasium). Which of
the two a file was written for is read from its text, see `grader.worker.old_gym`.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import Any, Final

import gymnasium
import numpy as np

_TIME_LIMIT: Final = "TimeLimit.truncated"
_OLD_MODES: Final = "render.modes"


class RandomNumberGenerator(np.random.Generator):
    """The generator of an environment of gym 0.22 to 0.25; it still knows the older names."""

    def rand(self, *size: int) -> Any:
        """As `numpy.random.rand`."""
        return self.random(size or None)

    def randn(self, *size: int) -> Any:
        """As `numpy.random.randn`."""
        return self.standard_normal(size or None)

    def randint(self, low: Any, high: Any = None, size: Any = None, dtype: Any = int) -> Any:
        """As `numpy.random.randint`."""
        return self.integers(low, high, size, dtype)

    random_sample = np.random.Generator.random


def np_random(seed: int | None = None) -> tuple[RandomNumberGenerator, int]:
    """A generator, and the seed that it was made with."""
    sequence = np.random.SeedSequence(seed)
    return RandomNumberGenerator(np.random.PCG64(sequence)), int(np.asarray(sequence.entropy))


class Env:
    """`gym.Env`: the class that students' environments and wrappers inherit from."""

    metadata: dict[str, Any] = {_OLD_MODES: []}  # noqa: RUF012  as it stands in gym
    reward_range = (-float("inf"), float("inf"))
    spec: Any = None
    render_mode: str | None = None
    action_space: Any
    observation_space: Any
    _np_random: Any = None

    @property
    def np_random(self) -> Any:
        """The environment's own generator, made when it is first asked for."""
        if self._np_random is None:
            self._np_random, _ = np_random()
        return self._np_random

    @np_random.setter
    def np_random(self, value: Any) -> None:
        self._np_random = value

    def seed(self, seed: int | None = None) -> list[int]:
        """Seeds the environment's generator."""
        self._np_random, used = np_random(seed)
        return [used]

    def reset(
        self,
        *,
        seed: int | None = None,
        return_info: bool = False,  # noqa: ARG002  as in gym
        options: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """What a subclass calls to seed its generator; gym 0.22 to 0.26."""
        if seed is not None:
            self._np_random, _ = np_random(seed)

    def step(self, action: Any) -> Any:
        """One step; a subclass has to say what it does."""
        raise NotImplementedError

    def render(self, mode: str = "human") -> Any:
        """Shows nothing."""

    def close(self) -> None:
        """Nothing to clean up."""

    @property
    def unwrapped(self) -> Any:
        """The environment itself."""
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class GoalEnv(Env):
    """`gym.GoalEnv`."""


class Adapted(Env):
    """An environment of Gymnasium, as `gym.make` handed it out.

    Args:
        env: the environment.
        five: whether `step` returns five things and `reset` two, as from gym 0.26 on.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], *, five: bool) -> None:
        self.env = env
        self._five = five
        self._seed: int | None = None
        self.spec = env.spec
        self.metadata = {**env.metadata, _OLD_MODES: env.metadata.get("render_modes", [])}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "env":
            raise AttributeError(name)
        return getattr(self.env, name)

    @property
    def action_space(self) -> Any:
        """That of the environment."""
        return self.env.action_space

    @property
    def observation_space(self) -> Any:
        """That of the environment."""
        return self.env.observation_space

    @property
    def unwrapped(self) -> Any:
        """The environment of Gymnasium without its wrappers."""
        inner = self.env.unwrapped
        return inner.env.unwrapped if isinstance(inner, Modern) else inner

    def seed(self, seed: int | None = None) -> list[Any]:
        """Remembers the seed for the next `reset`."""
        self._seed = seed
        return [seed]

    def reset(
        self,
        *,
        seed: int | None = None,
        return_info: bool = False,
        options: dict[str, Any] | None = None,
    ) -> Any:
        """The first observation; with its info where that is asked for."""
        chosen = self._seed if seed is None else seed
        self._seed = None
        observation, info = self.env.reset(seed=chosen, options=options)
        return (observation, info) if self._five or return_info else observation

    def step(self, action: Any) -> Any:
        """Four things, or five."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if self._five:
            return observation, reward, terminated, truncated, info
        if truncated or _TIME_LIMIT in info:
            info = {**info, _TIME_LIMIT: bool(truncated and not terminated)}
        return observation, reward, bool(terminated or truncated), info

    def render(self, mode: str | None = None, **_: Any) -> Any:
        """A picture where one is asked for; a window is never shown."""
        if mode not in {None, "rgb_array"}:
            return None
        return self.env.render() if self.env.render_mode is not None else None

    def close(self) -> None:
        """Closes the environment."""
        self.env.close()

    def __str__(self) -> str:
        return str(self.env)


class Modern(gymnasium.Env[Any, Any]):
    """An environment written for `gym`, for those who know Gymnasium alone."""

    def __init__(self, env: Any) -> None:
        self.env = env
        metadata = getattr(env, "metadata", None)
        if isinstance(metadata, dict):
            modes = metadata.get("render_modes", metadata.get(_OLD_MODES, []))
            self.metadata = {**metadata, "render_modes": modes}
        self.render_mode = getattr(env, "render_mode", None)

    def __getattr__(self, name: str) -> Any:
        # The spaces too: an environment that has none is told so.
        if name.startswith("__") or name == "env":
            raise AttributeError(name)
        return getattr(self.env, name)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Hands the seed on by `reset`, or by the method `seed` where `reset` takes none."""
        super().reset(seed=seed)
        offered = {"seed": seed, "options": options}
        with contextlib.suppress(TypeError, ValueError):
            taken = inspect.signature(self.env.reset).parameters
            if not any(each.kind is each.VAR_KEYWORD for each in taken.values()):
                offered = {name: value for name, value in offered.items() if name in taken}
        if "seed" not in offered and seed is not None:
            self.env.seed(seed)
        result = self.env.reset(**offered)
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict):
            return result
        return result, {}

    def step(self, action: Any) -> Any:
        """Splits the end of an episode in two, where it is told as one."""
        result = self.env.step(action)
        if not isinstance(result, tuple) or len(result) != 4:
            return result
        observation, reward, done, info = result
        late = bool(info.get(_TIME_LIMIT, False)) if isinstance(info, dict) else False
        return observation, reward, done and not late, late, info

    def render(self) -> Any:
        """A picture, where the environment has one."""
        takes_mode = "mode" in inspect.signature(self.env.render).parameters
        return self.env.render(mode="rgb_array") if takes_mode else self.env.render()

    def close(self) -> None:
        """Closes the environment."""
        if callable(getattr(self.env, "close", None)):
            self.env.close()


class Wrapper(Env):
    """`gym.Wrapper`: hands everything on to the environment inside."""

    def __init__(self, env: Any, *_: Any, **__: Any) -> None:
        self.env = env
        for name in ("action_space", "observation_space", "metadata", "reward_range", "spec"):
            if hasattr(env, name):
                setattr(self, name, getattr(env, name))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "env":
            raise AttributeError(name)
        return getattr(self.env, name)

    @property
    def unwrapped(self) -> Any:
        """The innermost environment."""
        return self.env.unwrapped

    def seed(self, seed: int | None = None) -> Any:
        """Seeds the environment inside."""
        return self.env.seed(seed)

    def reset(self, **options: Any) -> Any:
        """As the environment inside."""
        return self.env.reset(**options)

    def step(self, action: Any) -> Any:
        """As the environment inside."""
        return self.env.step(action)

    def render(self, mode: str | None = None, **_: Any) -> Any:
        """As the environment inside."""
        return self.env.render() if mode is None else self.env.render(mode)

    def close(self) -> None:
        """Closes the environment inside."""
        self.env.close()


class ObservationWrapper(Wrapper):
    """`gym.ObservationWrapper`: a subclass says in `observation` what is seen instead."""

    def reset(self, **options: Any) -> Any:
        """The first observation, changed."""
        result = self.env.reset(**options)
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict):
            return self.observation(result[0]), result[1]
        return self.observation(result)

    def step(self, action: Any) -> Any:
        """A step, its observation changed."""
        observation, *rest = self.env.step(action)
        return (self.observation(observation), *rest)

    def observation(self, observation: Any) -> Any:
        """What is seen instead of an observation."""
        raise NotImplementedError


class RewardWrapper(Wrapper):
    """`gym.RewardWrapper`: a subclass says in `reward` what is paid instead."""

    def step(self, action: Any) -> Any:
        """A step, its reward changed."""
        observation, reward, *rest = self.env.step(action)
        return (observation, self.reward(reward), *rest)

    def reward(self, reward: Any) -> Any:
        """What is paid instead of a reward."""
        raise NotImplementedError


class ActionWrapper(Wrapper):
    """`gym.ActionWrapper`: a subclass says in `action` what is done instead."""

    def step(self, action: Any) -> Any:
        """A step with another action."""
        return self.env.step(self.action(action))

    def action(self, action: Any) -> Any:
        """What is done instead of an action."""
        raise NotImplementedError


def is_old(kind: object) -> bool:
    """Whether something is a class of environments written for `gym`."""
    return inspect.isclass(kind) and issubclass(kind, Env)


def modern_class(kind: Any) -> Any:
    """A class whose environments are those of a class written for `gym`, as Gymnasium has them."""

    def initialise(self: Modern, *positional: Any, **keywords: Any) -> None:
        Modern.__init__(self, kind(*positional, **keywords))

    initialise.__signature__ = inspect.signature(kind.__init__)  # type: ignore[attr-defined]
    initialise.__wrapped__ = kind.__init__  # type: ignore[attr-defined]
    methods = {name: _standing_for(name, kind) for name in ("reset", "step", "render", "close")}
    made = type(kind.__name__, (Modern,), {"__init__": initialise, **methods})
    made.__wrapped__ = kind  # type: ignore[attr-defined]  # where its source is looked for
    return made


def _standing_for(name: str, kind: Any) -> Any:
    """A method of `Modern` that knows on which line the student wrote it."""
    method = getattr(Modern, name)

    def standing(self: Modern, *positional: Any, **keywords: Any) -> Any:
        return method(self, *positional, **keywords)

    standing.__name__ = name
    standing.__wrapped__ = getattr(kind, name, method)  # type: ignore[attr-defined]
    standing.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
    return standing
