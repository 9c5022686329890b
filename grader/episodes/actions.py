"""Actions that came from a worker: whether they are in the space, and in which form."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from grader.records.wire import describe


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
    come as a list or tuple of numbers. Floats, booleans and strings are no integers.

    Args:
        space: the action space.
        value: what the agent returned, as decoded from the channel.

    Raises:
        InvalidAction: it is not in the space.
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
        case spaces.MultiDiscrete() | spaces.MultiBinary():
            array = _numbers(value, space.shape)
            if array.dtype.kind not in "iu" and not (
                isinstance(space, spaces.MultiBinary) and array.dtype.kind == "b"
            ):
                raise TypeError("not whole numbers")
            return array.astype(space.dtype)
        case spaces.Box():
            array = _numbers(value, space.shape)
            whole = np.dtype(space.dtype).kind in "iu"
            if array.dtype.kind not in "iuf" or (whole and array.dtype.kind == "f"):
                raise TypeError("not numbers of the space's kind")
            return array.astype(space.dtype)
        case spaces.Dict():
            if not isinstance(value, dict) or set(value) != set(space.spaces):
                raise TypeError("not a dict with the space's keys")
            return {key: _convert(inner, value[key]) for key, inner in space.spaces.items()}
        case spaces.Tuple():
            if not isinstance(value, tuple | list) or len(value) != len(space.spaces):
                raise TypeError("not a tuple of the space's length")
            pairs = zip(space.spaces, value, strict=True)
            return tuple(_convert(inner, item) for inner, item in pairs)
    raise TypeError("unsupported space")


def _integer(value: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iu":
        return int(value.reshape(-1)[0])
    raise TypeError("not a whole number")


def _numbers(value: object, shape: tuple[int, ...] | None) -> np.ndarray[Any, Any]:
    if isinstance(value, np.ndarray | np.generic | list | tuple | int | float):
        array = np.asarray(value)
        if array.shape == shape:
            return array
    raise TypeError("not an array of the space's shape")


def recorded(action: Any) -> int | float | tuple[int | float, ...]:
    """An action as it stands in a receipt: a number, or the numbers of an array."""
    if isinstance(action, dict):
        return tuple(number for item in action.values() for number in _flat(item))
    return _flat(action)[0] if np.ndim(action) == 0 else tuple(_flat(action))


def _flat(item: Any) -> list[int | float]:
    if isinstance(item, dict):
        return [number for inner in item.values() for number in _flat(inner)]
    if isinstance(item, tuple):
        return [number for inner in item for number in _flat(inner)]
    numbers: list[int | float] = np.asarray(item).reshape(-1).tolist()
    return numbers
