"""Gymnasium spaces as text and as plain data, and back."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from gymnasium import spaces

Data = dict[str, Any]


class SpaceError(ValueError):
    """A text or a datum describes no supported space; its author must act."""


def _numbers(value: object) -> list[Any]:
    listed = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    return listed if isinstance(listed, list) else [listed]


def space_data(space: spaces.Space[Any]) -> Data:
    """A space as plain data.

    Raises:
        SpaceError: the space is of an unsupported kind.
    """
    match space:
        case spaces.Discrete():
            return {"type": "Discrete", "n": int(space.n), "start": int(space.start)}
        case spaces.MultiDiscrete():
            return {
                "type": "MultiDiscrete",
                "nvec": np.asarray(space.nvec).tolist(),
                "start": np.asarray(space.start).tolist(),
            }
        case spaces.MultiBinary():
            return {"type": "MultiBinary", "n": [int(side) for side in space.shape]}
        case spaces.Box():
            return {
                "type": "Box",
                "low": space.low,
                "high": space.high,
                "dtype": np.dtype(space.dtype).name,
            }
        case spaces.Dict():
            items = {str(key): space_data(inner) for key, inner in space.spaces.items()}
            return {"type": "Dict", "spaces": items}
        case spaces.Tuple():
            return {"type": "Tuple", "spaces": [space_data(inner) for inner in space.spaces]}
    raise SpaceError(f"a {type(space).__name__} is none of the supported spaces")


def _build_discrete(data: Data) -> spaces.Space[Any]:
    return spaces.Discrete(int(data["n"]), start=int(data["start"]))


def _build_multi_discrete(data: Data) -> spaces.Space[Any]:
    return spaces.MultiDiscrete(np.array(data["nvec"]), start=np.array(data["start"]))


def _build_multi_binary(data: Data) -> spaces.Space[Any]:
    sides = [int(side) for side in data["n"]]
    return spaces.MultiBinary(sides[0] if len(sides) == 1 else sides)


def _build_box(data: Data) -> spaces.Space[Any]:
    low, high = np.asarray(data["low"]), np.asarray(data["high"])
    if low.size > 1 << 24:
        raise SpaceError("a Box has too many elements")
    dtype: Any = np.dtype(str(data["dtype"])).type
    return spaces.Box(low, high, dtype=dtype)


def _build_dict(data: Data) -> spaces.Space[Any]:
    return spaces.Dict({str(key): space_from_data(inner) for key, inner in data["spaces"].items()})


def _build_tuple(data: Data) -> spaces.Space[Any]:
    return spaces.Tuple([space_from_data(inner) for inner in data["spaces"]])


_BUILDERS: Final[dict[str, Callable[[Data], spaces.Space[Any]]]] = {
    "Discrete": _build_discrete,
    "MultiDiscrete": _build_multi_discrete,
    "MultiBinary": _build_multi_binary,
    "Box": _build_box,
    "Dict": _build_dict,
    "Tuple": _build_tuple,
}


def space_from_data(data: Data) -> spaces.Space[Any]:
    """A space from plain data.

    Raises:
        SpaceError: the data describe no supported space.
    """
    try:
        return _BUILDERS[data["type"]](data)
    except SpaceError:
        raise
    except Exception as error:  # Gymnasium raises assertions and others; the data may be hostile
        raise SpaceError(f"no space can be made of this: {error}") from error


def space_text(space: spaces.Space[Any], limit: int = 200) -> str:
    """A space as a student writes it, shortened."""
    text = " ".join(str(space).split())
    return text if len(text) <= limit else text[:limit] + "…"


def parse_space(text: str) -> spaces.Space[Any]:
    """A space from a call such as `Dict({'steer': Discrete(3)})`, without evaluating code.

    Raises:
        SpaceError: the text is no such call.
    """
    try:
        return _space_of(ast.parse(text, mode="eval").body)
    except SpaceError:
        raise
    except Exception as error:  # syntax errors, wrong arguments
        raise SpaceError(f"{text!r} is no Gymnasium space: {error}") from error


_CLASSES: Final[dict[str, Callable[..., spaces.Space[Any]]]] = {
    "Discrete": spaces.Discrete,
    "MultiDiscrete": spaces.MultiDiscrete,
    "MultiBinary": spaces.MultiBinary,
    "Box": spaces.Box,
    "Dict": spaces.Dict,
    "Tuple": spaces.Tuple,
}


def _space_of(node: ast.expr) -> spaces.Space[Any]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise SpaceError("a space is a call such as Discrete(4)")
    name = node.func.id
    if name not in _CLASSES:
        raise SpaceError(f"{name!r} is none of {', '.join(_CLASSES)}")
    arguments = [_argument(argument) for argument in node.args]
    keywords = {word.arg: _argument(word.value) for word in node.keywords if word.arg}
    if name == "Box":
        low, high = arguments[:2]
        arguments[:2] = [
            np.asarray(bound, np.float32) if isinstance(bound, list) else bound
            for bound in (low, high)
        ]
    return _CLASSES[name](*arguments, **keywords)


def _argument(node: ast.expr) -> Any:
    match node:
        case ast.Call():
            return _space_of(node)
        case ast.Dict(keys, values):
            return {
                ast.literal_eval(key): _argument(value)
                for key, value in zip(keys, values, strict=True)
                if key is not None
            }
        case ast.Tuple(items) if any(isinstance(item, ast.Call) for item in items):
            return tuple(_argument(item) for item in items)
        case ast.List(items) if any(isinstance(item, ast.Call) for item in items):
            return [_argument(item) for item in items]
    return ast.literal_eval(node)
