"""Whether an observation is in its space, and what Gymnasium says while it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces

from grader.records.wire import describe

_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)
_gymnasium_warn: Final[Callable[..., None]] = gymnasium.logger.warn


def _warn(
    msg: str, *args: object, category: type[Warning] | None = None, stacklevel: int = 1
) -> None:
    heard = _heard.get()
    if heard is None:
        _gymnasium_warn(msg, *args, category=category, stacklevel=stacklevel + 1)
    else:
        heard.append(msg % args if args else msg)


# `warnings.catch_warnings` belongs to the whole process, and submissions are graded in several
# threads: one would hear what is said of another.
gymnasium.logger.warn = _warn


@contextmanager
def listening() -> Iterator[list[str]]:
    """Gathers what Gymnasium warns of in this thread, instead of printing it."""
    heard: list[str] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def is_number(value: Any) -> bool:
    """Whether a value is an int or a float, Python's or numpy's; a boolean is not."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def fits(space: spaces.Space[Any], observation: Any) -> bool:
    """Whether an observation is in a space, without the conversions Gymnasium forgives.

    `Box.contains` makes an array of a list; a network or a wrapper does not.
    """
    match space:
        case spaces.Dict():
            return (
                isinstance(observation, dict)
                and observation.keys() == space.spaces.keys()
                and all(fits(inner, observation[key]) for key, inner in space.spaces.items())
            )
        case spaces.Tuple():
            return (
                isinstance(observation, tuple | list)
                and len(observation) == len(space.spaces)
                and all(map(fits, space.spaces, observation))
            )
        case spaces.Box() if not isinstance(observation, np.ndarray):
            if space.shape != () or not is_number(observation):
                return False
    try:
        with listening(), np.errstate(all="ignore"):
            return bool(space.contains(observation))
    except Exception:  # noqa: BLE001  the observation may be anything, `contains` may raise
        return False


def misfit(space: spaces.Space[Any], observation: Any, place: str = "") -> str:
    """An observation that does not fit as text, with what is wrong about it."""
    match space:
        case spaces.Dict() if isinstance(observation, dict):
            if observation.keys() != space.spaces.keys():
                return f"{place}the keys {sorted(observation)[:20]}"
            for key, inner in space.spaces.items():
                if not fits(inner, observation[key]):
                    return misfit(inner, observation[key], f"{place}[{key!r}] ")
        case spaces.Tuple() if isinstance(observation, tuple | list):
            if len(observation) != len(space.spaces):
                return f"{place}{len(observation)} parts"
            for index, (inner, part) in enumerate(zip(space.spaces, observation, strict=True)):
                if not fits(inner, part):
                    return misfit(inner, part, f"{place}[{index}] ")
        case spaces.Box():
            return f"{place}{describe(observation)}: {_box_misfit(space, observation)}"
    return f"{place}{describe(observation)}"


def _box_misfit(space: spaces.Box, observation: Any) -> str:
    if not isinstance(observation, np.ndarray):
        return "it is no array"
    dtype = np.dtype(space.dtype)
    if observation.shape != space.shape:
        return f"the shape is not {space.shape}"
    if not np.can_cast(observation.dtype, dtype):
        return f"the dtype is not {dtype.name}"
    if observation.dtype.kind == "f" and np.isnan(observation).any():
        return "a value is NaN"
    return "a value lies outside the bounds"
