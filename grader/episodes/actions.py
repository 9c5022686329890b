"""Actions that came from a worker: whether they are in the space, and in which form."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from grader.errors import GraderFault
from grader.records.wire import describe

Receipt = int | float | tuple[int | float, ...]
"""An action as it stands in an episode's receipt."""


class InvalidAction(ValueError):
    """An action is not in the action space; the agent's author must act.

    Attributes:
        received: the action as text.
    """

    def __init__(self, received: object) -> None:
        self.received = describe(received)
        super().__init__(self.received)


def to_action(space: spaces.Space[Any], value: object) -> Any:
    """An action in the form that environments take.

    An integer may come as `int`, numpy integer, 0-d or one-element integer array; an array may
    come as a list or tuple of numbers. Floats, booleans and strings are no integers, booleans are
    no numbers, and NaN and infinity are in no space.

    Args:
        space: the action space.
        value: what the agent returned, as decoded from the channel.

    Raises:
        InvalidAction: it is not in the space.
        GraderFault: actions of such a space cannot be judged; the assignment's author must act.
    """
    try:
        action = _convert(space, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidAction(value) from error
    if not space.contains(action):
        raise InvalidAction(value)
    return action


def _convert(space: spaces.Space[Any], value: object) -> Any:
    match space:
        case spaces.Discrete():
            return np.int64(_integer(value))
        case spaces.MultiDiscrete():
            return _whole(_numbers(value, space.shape), space.dtype)
        case spaces.MultiBinary():
            return _whole(_numbers(value, space.shape, booleans=True), space.dtype)
        case spaces.Box():
            array = _numbers(value, space.shape)
            if np.dtype(space.dtype).kind != "f":
                return _whole(array, space.dtype)
            with np.errstate(over="ignore"):  # too large is infinite, and infinite is refused
                numbers = array.astype(space.dtype)
            if not np.isfinite(numbers).all():
                raise ValueError("not finite")
            return numbers
        case spaces.Dict():
            if not isinstance(value, dict) or set(value) != set(space.spaces):
                raise TypeError("not a dict with the space's keys")
            return {key: _convert(inner, value[key]) for key, inner in space.spaces.items()}
        case spaces.Tuple():
            if not isinstance(value, tuple | list) or len(value) != len(space.spaces):
                raise TypeError("not a tuple of the space's length")
            pairs = zip(space.spaces, value, strict=True)
            return tuple(_convert(inner, item) for inner, item in pairs)
    raise GraderFault(f"actions of a {type(space).__name__} space cannot be judged")


def _integer(value: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iu":
        return int(value.reshape(-1)[0])
    raise TypeError("not a whole number")


def _numbers(
    value: object, shape: tuple[int, ...] | None, *, booleans: bool = False
) -> npt.NDArray[Any]:
    if not isinstance(value, np.ndarray | np.generic | list | tuple | int | float):
        raise TypeError("not numbers")
    array = np.asarray(value)
    if array.shape != shape:
        raise TypeError("not an array of the space's shape")
    if array.dtype.kind not in ("iufb" if booleans else "iuf"):
        raise TypeError("not numbers")
    # numpy makes 1 of a True that stands among numbers.
    if not booleans and _holds_boolean(value):
        raise TypeError("a boolean is no number")
    return array


def _holds_boolean(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_boolean, value))
    return isinstance(value, bool | np.bool_) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "b"
    )


def _whole(array: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    if array.dtype.kind == "f":
        raise TypeError("not whole numbers")
    cast = array.astype(dtype)
    if not np.array_equal(cast, array):  # 256 would wrap around to a valid 0
        raise OverflowError("too large for the space's dtype")
    return cast


def recorded(action: Any) -> Receipt:
    """An action as it stands in a receipt: a number, or all its numbers in the space's order."""
    numbers = tuple(_flat(action))
    plain = not isinstance(action, dict | tuple) and np.ndim(action) == 0
    return numbers[0] if plain else numbers


def _flat(item: Any) -> list[int | float]:
    if isinstance(item, dict):
        return [number for inner in item.values() for number in _flat(inner)]
    if isinstance(item, tuple):
        return [number for inner in item for number in _flat(inner)]
    numbers: list[int | float] = np.asarray(item).reshape(-1).tolist()
    return numbers


def restored(space: spaces.Space[Any], receipt: Receipt) -> Any:
    """The action that a receipt records, in the form that environments take.

    Raises:
        ValueError: the receipt has not as many numbers as the space, or not its kind of numbers.
    """
    numbers = iter(receipt if isinstance(receipt, tuple) else (receipt,))
    action = _restored(space, numbers)
    if next(numbers, None) is not None:
        raise ValueError(f"a receipt holds more numbers than an action of {space}")
    return action


def _restored(space: spaces.Space[Any], numbers: Iterator[int | float]) -> Any:
    match space:
        case spaces.Dict():
            return {key: _restored(inner, numbers) for key, inner in space.spaces.items()}
        case spaces.Tuple():
            return tuple(_restored(inner, numbers) for inner in space.spaces)
    shape = space.shape or ()
    taken = [number for _, number in zip(range(math.prod(shape)), numbers, strict=False)]
    if len(taken) != math.prod(shape):
        raise ValueError(f"a receipt holds fewer numbers than an action of {space}")
    array = np.array(taken, dtype=space.dtype).reshape(shape)
    if array.reshape(-1).tolist() != taken:  # 0.7 would be cut to a valid 0
        raise ValueError(f"a receipt holds a number that no action of {space} has")
    return array if shape or isinstance(space, spaces.Box) else array[()]
