"""Many calls of one function or method in a row, and what a container returned by one holds."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np

from grader.worker import models
from grader.worker.binding import call

OVERWRITTEN: Final = -77
"""What arrays are filled with after a call that must have copied them."""
_DEPTH: Final = 4


def call_each(
    function: Any, calls: list[dict[str, Any]], *, overwrite: bool, keep_going: bool,
    whole: bool = False,
) -> list[Any]:  # fmt: skip
    """The results of several calls, in order.

    Args:
        function: what is called.
        calls: arguments of each call, by name; arrays are the callee's own.
        overwrite: whether each call's arrays are overwritten in place after it.
        keep_going: whether an exception ends a call only; its answer is then the error's name.
        whole: whether what takes one thing only gets all arguments of a call as one tuple.

    Raises:
        FailedCall: one of them raised, and `keep_going` is not set.
    """
    results: list[Any] = []
    packed = whole and bool(calls) and takes_one_thing(function, calls[0])
    for index, arguments in enumerate(calls):
        try:
            offered = {"whole": tuple(arguments.values())} if packed else arguments
            results.append(contents(call(function, offered)))
        except Exception as error:
            if not keep_going:
                raise FailedCall(index, error) from error
            results.append({"raised": type(error).__name__})
        if overwrite:
            _overwrite(tuple(arguments.values()))
    return results


def takes_one_thing(function: Callable[..., Any], offered: dict[str, Any]) -> bool:
    """Whether a callable has one parameter only, which is none of what is offered.

    `*args` takes any number of things, so that what is offered goes there one by one.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    if len(parameters) != 1 or parameters[0].name in offered:
        return False
    return parameters[0].kind not in (
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD,
    )


def _overwrite(values: tuple[Any, ...]) -> None:
    for value in values:
        if isinstance(value, np.ndarray):
            value.fill(OVERWRITTEN)
        elif isinstance(value, tuple):
            _overwrite(value)


class FailedCall(Exception):
    """One of several calls raised."""

    def __init__(self, index: int, error: BaseException) -> None:
        self.index = index
        self.error = error
        super().__init__(index)


def contents(value: Any, depth: int = 0) -> Any:
    """A value with tensors as arrays; containers of any class as lists, tuples and dicts."""
    if depth < _DEPTH:
        if is_dataclass(value) and not isinstance(value, type):
            return {item.name: contents(getattr(value, item.name), depth + 1)
                    for item in fields(value)}  # fmt: skip
        if isinstance(value, Mapping):
            return {str(key): contents(item, depth + 1) for key, item in value.items()}
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            return {key: contents(item, depth + 1) for key, item in value._asdict().items()}
        if isinstance(value, tuple):
            return tuple(contents(item, depth + 1) for item in value)
        if isinstance(value, list | deque):
            return [contents(item, depth + 1) for item in value]
        if isinstance(value, np.ndarray) and value.dtype == object:
            return [contents(item, depth + 1) for item in value]
    return models.plain(value)
