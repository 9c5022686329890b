"""A module `gym` made of Gymnasium, for files that were written before 2022.

It is put where Python looks for imported modules before the student's file is run, and only where
the assignment allows it. `gym` itself is not installed and could not be used: its last version
fails at the first step under numpy 2.
"""

from __future__ import annotations

import importlib
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from grader.worker import gym_adapters, old_gym

VERSIONS: Final = {False: "0.21.0", True: "0.26.2"}
"""What `gym.__version__` says, by whether files take five things from `step`."""
_RENAMED: Final = {
    "GrayScaleObservation": ("GrayscaleObservation", {}),
    "FrameStack": ("FrameStackObservation", {"num_stack": "stack_size", "k": "stack_size"}),
    "TransformObservation": ("TransformObservation", {"f": "func"}),
    "TransformReward": ("TransformReward", {"f": "func"}),
    "PixelObservationWrapper": ("AddRenderObservation", {}),
    "StepAPICompatibility": (None, {}), "EnvCompatibility": (None, {}),
    "Monitor": (None, {}), "RecordVideo": (None, {}), "OrderEnforcing": (None, {}),
}  # fmt: skip
"""Wrappers that have another name or other arguments today; None for those that do nothing here."""
_ID: Final = re.compile(r"(.+)-v(\d+)")


def install(root: Path) -> None:
    """Makes `import gym` find the module of this file.

    Args:
        root: the folder with the student's files; their text tells which API they know.
    """
    five = old_gym.takes_five(root)
    gym = _module("gym", __version__=VERSIONS[five])
    spaces = importlib.import_module("gymnasium.spaces")
    error = importlib.import_module("gymnasium.error")
    logger = importlib.import_module("gymnasium.logger")
    make = _make(five)
    wrappers = _Wrappers("gym.wrappers")
    wrappers.five = five
    seeding = _module("gym.utils.seeding", np_random=gym_adapters.np_random,
                      RandomNumberGenerator=gym_adapters.RandomNumberGenerator)  # fmt: skip
    utils = _module("gym.utils", seeding=seeding, EzPickle=_ez_pickle())
    registry = {"make": make, "register": _register, "spec": _gymnasium().spec,
                "registry": _gymnasium().registry}  # fmt: skip
    registration = _module("gym.envs.registration", **registry)
    envs = _module("gym.envs", registration=registration, **registry)
    bases = {
        name: getattr(gym_adapters, name)
        for name in ("Env", "GoalEnv", "Wrapper", "ObservationWrapper", "RewardWrapper",
                     "ActionWrapper")
    }  # fmt: skip
    core = _module("gym.core", **bases)
    quiet = _module("gym.logger", set_level=lambda *_: None, setLevel=lambda *_: None,
                    **{name: getattr(logger, name) for name in ("warn", "error", "deprecation")},
                    debug=lambda *_: None, info=lambda *_: None,
                    DEBUG=10, INFO=20, WARN=30, ERROR=40, DISABLED=50)  # fmt: skip
    parts = {"spaces": spaces, "error": error, "logger": quiet, "wrappers": wrappers, "core": core,
             "utils": utils, "envs": envs}  # fmt: skip
    vars(gym).update(**parts, **registry, **bases, Space=spaces.Space)
    modules = {f"gym.{name}": module for name, module in parts.items()}
    for name in ("box", "discrete", "dict", "tuple", "multi_discrete", "multi_binary", "space"):
        modules[f"gym.spaces.{name}"] = importlib.import_module(f"gymnasium.spaces.{name}")
    sys.modules.update(
        {"gym": gym, **modules, seeding.__name__: seeding, registration.__name__: registration}
    )


def is_installed() -> bool:
    """Whether this process has the module."""
    return getattr(sys.modules.get("gym"), "__doc__", None) == __doc__


def _gymnasium() -> Any:
    return importlib.import_module("gymnasium")


def _module(name: str, **names: Any) -> types.ModuleType:
    module = types.ModuleType(name, __doc__)
    module.__path__ = []  # a package, so that `import gym.spaces` is tried at all
    vars(module).update(names)
    return module


def _ez_pickle() -> Any:
    return importlib.import_module("gymnasium.utils").EzPickle


def _make(five: bool) -> Callable[..., Any]:
    def make(id: Any, **arguments: Any) -> Any:  # noqa: A002  as in gym
        """An environment by its id, such as `CartPole-v1`."""
        for name in ("new_step_api", "apply_api_compatibility", "autoreset"):
            arguments.pop(name, None)
        env = _made(str(getattr(id, "id", id)), arguments)
        return gym_adapters.Adapted(env, five=five)

    return make


def _made(environment_id: str, arguments: dict[str, Any]) -> Any:
    """An environment, in its newest version where the one asked for is gone."""
    gymnasium = _gymnasium()
    gone = (gymnasium.error.DeprecatedEnv, gymnasium.error.VersionNotFound)
    pictures = {"render_mode": "rgb_array"} | arguments
    for chosen in (pictures, arguments):
        try:
            return gymnasium.make(environment_id, disable_env_checker=True, **chosen)
        except gone:
            if (newest := _newest(environment_id)) is None:
                raise
            return _made(newest, arguments)
        except gymnasium.error.NameNotFound:
            if not _with_atari():
                raise
        except (TypeError, ValueError):  # no such mode
            if chosen is arguments:
                raise
    return gymnasium.make(environment_id, disable_env_checker=True, **arguments)


def _newest(environment_id: str) -> str | None:
    """The id of the newest version of a game; None where this is it."""
    found = _ID.fullmatch(environment_id)
    if found is None:
        return None
    known = (_ID.fullmatch(each) for each in _gymnasium().registry)
    versions = [int(each[2]) for each in known if each is not None and each[1] == found[1]]
    return f"{found[1]}-v{max(versions)}" if versions and max(versions) != int(found[2]) else None


def _with_atari() -> bool:
    """Registers the games of the Arcade Learning Environment, where they are installed."""
    try:
        games = importlib.import_module("ale_py")
    except ImportError:
        return False
    _gymnasium().register_envs(games)
    return True


def _register(id: str, entry_point: Any = None, **options: Any) -> None:  # noqa: A002  as in gym
    """Registers an environment of the student's own."""

    def create(**arguments: Any) -> Any:
        kind = entry_point
        if isinstance(kind, str):
            module, _, name = kind.partition(":")
            kind = getattr(importlib.import_module(module), name)
        env = kind(**arguments)
        return gym_adapters.Modern(env) if isinstance(env, gym_adapters.Env) else env

    for name in ("timestep_limit", "tags", "local_only"):
        options.pop(name, None)
    _gymnasium().register(id, entry_point=create, **options)


class _Wrappers(types.ModuleType):
    """`gym.wrappers`: Gymnasium's, around environments of either kind."""

    five = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known, renamed = _RENAMED.get(name, (name, {}))
        if known is None:
            return gym_adapters.Wrapper
        wrappers = importlib.import_module("gymnasium.wrappers")
        kind = getattr(wrappers, known, None)
        if kind is None:
            raise AttributeError(f"module 'gymnasium.wrappers' has no attribute '{name}'")

        def wrapped(env: Any, *positional: Any, **keywords: Any) -> Any:
            inner = env.env if isinstance(env, gym_adapters.Adapted) else gym_adapters.Modern(env)
            keywords = {renamed.get(each, each): value for each, value in keywords.items()}
            if known == "TransformObservation":
                keywords.setdefault("observation_space", inner.observation_space)
            return gym_adapters.Adapted(kind(inner, *positional, **keywords), five=self.five)

        wrapped.__name__ = name
        return wrapped


def for_grading(value: Any) -> Any:
    """A class of environments as the grader can use it; anything else as it is."""
    return gym_adapters.modern_class(value) if gym_adapters.is_old(value) else value
