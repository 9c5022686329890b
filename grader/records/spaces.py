"""Gymnasium spaces as text and as plain data, and back."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np
from gymnasium import spaces

from grader.records.arrays import ALLOWED_DTYPES

Data = dict[str, Any]
_Name = TypeVar("_Name")

MAX_ELEMENTS: Final = 1 << 22
"""Most numbers that an element of a space holds, over all spaces inside it."""
MAX_SPACES: Final = 1000
"""Most spaces in one `Dict` or `Tuple`."""
MAX_NESTING: Final = 8
"""Deepest nesting of spaces in spaces."""
_USUAL_LENGTH: Final = 64
"""Length that hardly any sequence drawn by Gymnasium reaches (4 on average)."""
_TEXT_WEIGHT: Final = 64
"""Numbers that can be drawn in the time of one character."""


class SpaceError(ValueError):
    """A text or a datum describes no supported space; its author must act."""


def space_data(space: spaces.Space[Any]) -> Data:
    """A space as plain data.

    Raises:
        SpaceError: the space is of an unsupported kind, or lacks what such a space has.
    """
    try:
        return _space_data(space)
    except SpaceError:
        raise
    except Exception as error:  # a student's subclass may lack or redefine anything
        raise SpaceError(
            f"a {type(space).__name__} does not say what it contains: {error}"
        ) from error


def _space_data(space: spaces.Space[Any]) -> Data:
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
            items = {str(key): _space_data(inner) for key, inner in space.spaces.items()}
            return {"type": "Dict", "spaces": items}
        case spaces.Tuple():
            return {"type": "Tuple", "spaces": [_space_data(inner) for inner in space.spaces]}
        case spaces.OneOf():
            return {"type": "OneOf", "spaces": [_space_data(inner) for inner in space.spaces]}
        case spaces.Sequence() if not space.stack:
            return {"type": "Sequence", "space": _space_data(space.feature_space)}
        case spaces.Text():
            return {
                "type": "Text",
                "lengths": [int(space.min_length), int(space.max_length)],
                "charset": "".join(sorted(space.character_set)),
            }
    raise SpaceError(f"a {type(space).__name__} is none of the supported spaces")


def _integers(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise SpaceError("a count is no whole number")
    if array.size > MAX_ELEMENTS:  # before it is copied as 64-bit numbers, and copied again
        raise SpaceError(f"there are more than {MAX_ELEMENTS} counts")
    return array.astype(np.int64)


def _build_discrete(data: Data, _: int) -> spaces.Space[Any]:
    return spaces.Discrete(int(data["n"]), start=int(data["start"]))


def _build_multi_discrete(data: Data, _: int) -> spaces.Space[Any]:
    return spaces.MultiDiscrete(_integers(data["nvec"]), start=_integers(data["start"]))


def _build_multi_binary(data: Data, _: int) -> spaces.Space[Any]:
    sides = [int(side) for side in data["n"]]
    return spaces.MultiBinary(sides[0] if len(sides) == 1 else sides)


def _box(
    low: Any, high: Any, shape: tuple[int, ...] | None = None, dtype: Any = "float32"
) -> spaces.Space[Any]:
    if dtype not in ALLOWED_DTYPES:
        raise SpaceError(f"a Box of {dtype} is not supported")
    sides = np.shape(low) if shape is None else tuple(shape)
    if math.prod(sides) > MAX_ELEMENTS:
        raise SpaceError(f"a Box holds more than {MAX_ELEMENTS} numbers")
    kind: Any = np.dtype(dtype).type
    # Gymnasium warns when it has to convert bounds itself.
    least: Any = np.full(sides, low, kind)
    most: Any = np.full(sides, high, kind)
    box: spaces.Space[Any] = spaces.Box(least, most, dtype=kind)
    return box


def _build_box(data: Data, _: int) -> spaces.Space[Any]:
    if any(np.asarray(data[bound]).dtype.name != data["dtype"] for bound in ("low", "high")):
        raise SpaceError("the bounds of a Box are of another kind than its elements")
    return _box(data["low"], data["high"], np.shape(data["low"]), data["dtype"])


def _build_dict(data: Data, depth: int) -> spaces.Space[Any]:
    inner = _not_too_many(data["spaces"]).items()
    return spaces.Dict({str(key): _built(item, depth + 1) for key, item in inner})


def _build_tuple(data: Data, depth: int) -> spaces.Space[Any]:
    return spaces.Tuple([_built(item, depth + 1) for item in _not_too_many(data["spaces"])])


def _build_one_of(data: Data, depth: int) -> spaces.Space[Any]:
    return spaces.OneOf([_built(item, depth + 1) for item in _not_too_many(data["spaces"])])


def _build_sequence(data: Data, depth: int) -> spaces.Space[Any]:
    return spaces.Sequence(_built(data["space"], depth + 1))


def _build_text(data: Data, _: int) -> spaces.Space[Any]:
    least, most = data["lengths"]
    if not 0 <= least <= most <= MAX_ELEMENTS:
        raise SpaceError(f"a Text is longer than {MAX_ELEMENTS} characters")
    return spaces.Text(int(most), min_length=int(least), charset=str(data["charset"]))


def _not_too_many(inner: Any) -> Any:
    if len(inner) > MAX_SPACES:
        raise SpaceError(f"there are more than {MAX_SPACES} spaces in one")
    return inner


_BUILDERS: Final[dict[str, Callable[[Data, int], spaces.Space[Any]]]] = {
    "Discrete": _build_discrete,
    "MultiDiscrete": _build_multi_discrete,
    "MultiBinary": _build_multi_binary,
    "Box": _build_box,
    "Dict": _build_dict,
    "Tuple": _build_tuple,
    "OneOf": _build_one_of,
    "Sequence": _build_sequence,
    "Text": _build_text,
}


def _built(data: Data, depth: int) -> spaces.Space[Any]:
    if depth > MAX_NESTING:
        raise SpaceError("the spaces are nested too deeply")
    return _BUILDERS[data["type"]](data, depth)


def _elements(space: spaces.Space[Any], depth: int = 0) -> int:
    """Numbers in an element of a space, as far as they cost time to draw."""
    if depth > MAX_NESTING:
        raise SpaceError("the spaces are nested too deeply")
    match space:
        case spaces.Dict():
            return sum(_elements(inner, depth + 1) for inner in space.spaces.values())
        case spaces.Tuple():
            return sum(_elements(inner, depth + 1) for inner in space.spaces)
        case spaces.OneOf():
            return max((_elements(inner, depth + 1) for inner in space.spaces), default=0)
        case spaces.Sequence():
            return _elements(space.feature_space, depth + 1) * _USUAL_LENGTH
        case spaces.Text():
            return int(space.max_length) * _TEXT_WEIGHT
    return math.prod(space.shape or ())


def _usable(make: Callable[[], spaces.Space[Any]]) -> spaces.Space[Any]:
    """A space, when elements can be drawn from it.

    Bounds may be accepted by Gymnasium and still be too far apart to draw between them; whoever
    draws from the space later is not the one to blame.
    """
    with np.errstate(all="raise"):
        tried = make()
        if _elements(tried) > MAX_ELEMENTS:
            raise SpaceError(f"an element of the space holds more than {MAX_ELEMENTS} numbers")
        tried.seed(0)
        tried.sample()
        return make()  # not the tried one, whose generator now has a seed


def space_from_data(data: Data) -> spaces.Space[Any]:
    """A space from plain data.

    Raises:
        SpaceError: the data describe no supported space, or one that nothing can be drawn from.
    """
    try:
        return _usable(lambda: _built(data, 0))
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
        expression = ast.parse(text.strip(), mode="eval").body
        return _usable(lambda: _space_of(expression))
    except SpaceError:
        raise
    except Exception as error:  # syntax errors, wrong arguments
        raise SpaceError(f"{text!r} is no Gymnasium space: {error}") from error


_CLASSES: Final[dict[str, Callable[..., spaces.Space[Any]]]] = {
    "Discrete": spaces.Discrete,
    "MultiDiscrete": spaces.MultiDiscrete,
    "MultiBinary": spaces.MultiBinary,
    "Box": _box,
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
    keywords = {_named(word.arg): _argument(word.value) for word in node.keywords}
    return _CLASSES[name](*arguments, **keywords)


def _named(name: _Name | None) -> _Name:
    if name is None:
        raise SpaceError("`**` is not supported")
    return name


def _argument(node: ast.expr) -> Any:
    match node:
        case ast.Name(id="inf") | ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="inf"):
            return np.inf
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name() | ast.Attribute()):
            return -_argument(node.operand)
        case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name):
            return name
        case ast.Call():
            return _space_of(node)
        case ast.Dict(keys, values):
            return {
                ast.literal_eval(_named(key)): _argument(value)
                for key, value in zip(keys, values, strict=True)
            }
        case ast.Tuple(items) if any(isinstance(item, ast.Call) for item in items):
            return tuple(_argument(item) for item in items)
        case ast.List(items) if any(isinstance(item, ast.Call) for item in items):
            return [_argument(item) for item in items]
    return ast.literal_eval(node)
