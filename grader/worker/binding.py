"""Fits the arguments that are offered to the parameters that a student's callable has."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class SignatureMismatch(TypeError):
    """The callable needs arguments that are not offered; its author must act."""


def parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of a callable's parameters, `self` of a bound method left out."""
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def bind(function: Callable[..., Any], offered: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments for a call.

    A parameter that carries the name of an offered argument gets it. A required parameter of
    another name gets the argument offered at its position. Optional parameters of other names
    keep their defaults. What is then left over goes to `*args`, in order, or to `**kwargs` where
    there is no `*args`; where there is neither, it is left out.

    Args:
        function: the callable.
        offered: arguments by name, in the order of the assignment.

    Raises:
        SignatureMismatch: a required parameter remains without an argument.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return list(offered.values()), {}
    chosen = _chosen(parameters, offered)
    left = {name: value for name, value in offered.items() if name not in chosen.values()}
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    missing: list[str] = []
    in_a_row = True
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            if in_a_row:
                positional.extend(left.values())
                left = {}
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords |= left
        elif parameter.name in chosen:
            value = offered[chosen[parameter.name]]
            if parameter.kind in _POSITIONAL and in_a_row:
                positional.append(value)
            else:
                keywords[parameter.name] = value
        elif parameter.default is parameter.empty:
            missing.append(parameter.name)
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(parameter.default)  # those behind it cannot be named
        elif parameter.kind in _POSITIONAL:
            in_a_row = False
    if missing:
        raise SignatureMismatch(
            f"it needs {', '.join(f'`{name}`' for name in missing)}, "
            f"but what is offered is {', '.join(f'`{name}`' for name in offered) or 'nothing'}"
        )
    return positional, keywords


def _chosen(parameters: list[inspect.Parameter], offered: dict[str, Any]) -> dict[str, str]:
    """For each parameter that gets an argument, the name under which that is offered."""
    names = list(offered)
    own = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    named = {p.name for p in own}
    chosen: dict[str, str] = {}
    for index, parameter in enumerate(own):
        if parameter.name in offered:
            chosen[parameter.name] = parameter.name
        elif (
            parameter.default is parameter.empty
            and parameter.kind in _POSITIONAL
            and index < len(names)
            and names[index] not in named
        ):
            chosen[parameter.name] = names[index]
    return chosen


def call(function: Callable[..., Any], offered: dict[str, Any]) -> Any:
    """Calls a function with as many of the offered arguments as it takes."""
    positional, keywords = bind(function, offered)
    return function(*positional, **keywords)
