"""What is tried with an agent beside letting it act: its networks, and training it."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, Final

import gymnasium
import keras

from grader.worker import fast_call, fast_predict, gym_adapters, gym_compatibility
from grader.worker.binding import call

_DEPTH: Final = 4
_MAX_NETWORKS: Final = 16
_MAX_ITEMS: Final = 200
_LIBRARIES: Final = ("keras", "tensorflow", "builtins", "numpy", "gymnasium", "collections")


def prepare(session: Any, request: dict[str, Any]) -> None:
    """Sets up how the student's code is run, before any of it is imported."""
    if request["fast_predict"]:
        fast_call.install()
    elif request["fast_predict"] is False:
        fast_predict.uninstall()
    if request["gym"]:
        gym_compatibility.install(session.root)


# --- networks -----------------------------------------------------------------------------------


def find_networks(session: Any, request: dict[str, Any]) -> list[str]:
    """Keeps the networks that an object holds, and those at the top level of its module.

    A network inside another one is a part of it and no further one.
    """
    found: dict[int, tuple[str, Any]] = {}
    target = request["target"]
    roots = [(target, session.target(target))] if target in session.kept else []
    if "network" in session.kept:  # handed in without an agent
        roots.append(("network", session.target("network")))
    if session.module is not None:
        roots.append(("the file", _values(session.module)))
    for name, root in roots:
        for place, network in _networks(root, name, _DEPTH):
            found.setdefault(id(network), (place, network))
    inner = {
        id(part) for _, network in found.values() for part in network._flatten_layers()  # noqa: SLF001
        if part is not network
    }  # fmt: skip
    kept = [each for key, each in found.items() if key not in inner][:_MAX_NETWORKS]
    for index, (_, network) in enumerate(kept):
        session.kept[f"{request['keep']}{index}"] = network
    return [place[:100] for place, _ in kept]


def _values(module: types.ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if not name.startswith("__")}


def _networks(value: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Models, and layers that belong to none, wherever an object holds them."""
    if isinstance(value, keras.layers.Layer):
        if value.weights or isinstance(value, keras.Model):
            yield place, value
        return
    if depth == 0:
        return
    if isinstance(value, dict):
        items = [(f"{place}[{key!r}]"[:100], item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        items = [(f"{place}[{index}]", item) for index, item in enumerate(value)]
    elif _is_of_the_student(value):
        items = [(f"{place}.{name}", item) for name, item in vars(value).items()]
    else:
        return
    for inner, item in items[:_MAX_ITEMS]:
        yield from _networks(item, inner, depth - 1)


def _is_of_the_student(value: Any) -> bool:
    plain = (type, types.ModuleType, types.FunctionType, types.MethodType)
    library = type(value).__module__.partition(".")[0] in _LIBRARIES
    return hasattr(value, "__dict__") and not library and not isinstance(value, plain)


# --- training -----------------------------------------------------------------------------------


class _Spent(BaseException):
    """The steps of a training environment are used up; no `except Exception` is to stop it."""


class _Budget(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment with a number of steps."""

    def __init__(self, env: gymnasium.Env[Any, Any], steps: int, seed: int) -> None:
        super().__init__(env)
        self.left = steps
        self._first_seed: int | None = seed

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets; under the training's seed the first time, where none is given."""
        if self.left <= 0:
            raise _Spent
        if seed is None:
            seed, self._first_seed = self._first_seed, None
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        """Takes one of the steps."""
        if self.left <= 0:
            raise _Spent
        self.left -= 1
        return self.env.step(action)


def train(session: Any, request: dict[str, Any]) -> int:
    """Calls an agent's training with an environment, and with the steps that this has.

    Returns:
        Steps that were taken.
    """
    extra = dict(request["environment_kwargs"])
    if request["max_episode_steps"] is not None:
        extra["max_episode_steps"] = request["max_episode_steps"]
    made = gymnasium.make(request["environment_id"], disable_env_checker=True, **extra)
    made.action_space.seed(request["seed"])
    budget = _Budget(made, request["steps"], request["seed"])
    offered: Any = budget
    if gym_compatibility.is_installed():
        five = sys.modules["gym"].__version__ == gym_compatibility.VERSIONS[True]
        offered = gym_adapters.Adapted(budget, five=five)
    target = session.target(request["target"])
    method = getattr(target, session.names.get(request["method"], request["method"]))
    try:
        call(method, {"env": offered, "steps": request["steps"]})
    except _Spent:
        pass
    finally:
        made.close()
    return int(request["steps"] - budget.left)


HANDLERS: Final[dict[str, Callable[[Any, dict[str, Any]], Any]]] = {
    "prepare": prepare,
    "find_networks": find_networks,
    "train": train,
}
"""What a worker with an agent answers beside."""
