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
    keep their defaults, and offered arguments that nothing asks for are left out.

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
    named = {parameter.name for parameter in parameters}
    values = list(offered.items())
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    missing: list[str] = []
    by_position = True
    index = 0
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            keywords |= {name: value for name, value in values if name not in named}
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            if by_position and index == 0:
                positional.extend(offered.values())
            continue
        required = parameter.default is parameter.empty
        if parameter.name in offered:
            chosen: tuple[Any, ...] = (offered[parameter.name],)
        elif (
            required
            and parameter.kind in _POSITIONAL
            and index < len(values)
            and values[index][0] not in named
        ):
            chosen = (values[index][1],)
        else:
            chosen = ()
            if required:
                missing.append(parameter.name)
        if not chosen:
            by_position = False
        elif parameter.kind in _POSITIONAL and by_position:
            positional.append(chosen[0])
        else:
            keywords[parameter.name] = chosen[0]
        index += 1
    if missing:
        raise SignatureMismatch(
            f"it needs {', '.join(f'`{name}`' for name in missing)}, "
            f"but what is offered is {', '.join(f'`{name}`' for name in offered) or 'nothing'}"
        )
    return positional, keywords


def call(function: Callable[..., Any], offered: dict[str, Any]) -> Any:
    """Calls a function with as many of the offered arguments as it takes."""
    positional, keywords = bind(function, offered)
    return function(*positional, **keywords)
