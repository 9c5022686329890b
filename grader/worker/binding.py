"""Fits the arguments that are offered to the parameters that a student's callable has."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
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
    plan = _plan(function, tuple(offered))
    if plan is None:
        return list(offered.values()), {}
    positional = [offered[name] if default is None else default[0]
                  for name, default in plan.positional]  # fmt: skip
    return positional, {key: offered[name] for key, name in plan.keywords}


@dataclass(frozen=True)
class _Plan:
    """Which of the offered arguments goes where."""

    positional: tuple[tuple[str, tuple[Any] | None], ...]
    """The offered name of each, or a default in a tuple of its own."""
    keywords: tuple[tuple[str, str], ...]
    """The parameter's name and the offered one."""


_PLANS: dict[tuple[Any, tuple[str, ...]], _Plan | None] = {}
"""Of functions that are called again and again, an agent's method once per step."""
_MOST_PLANS = 64


def _plan(function: Callable[..., Any], names: tuple[str, ...]) -> _Plan | None:
    """How to call a function with these arguments; None where its signature is not known."""
    method = isinstance(function, types.MethodType)
    plain = function.__func__ if isinstance(function, types.MethodType) else function
    if type(plain) is not types.FunctionType or vars(plain):  # another signature may be set
        return _made_plan(function, names)
    key = plain, (*names, str(method))
    if key not in _PLANS:
        if len(_PLANS) >= _MOST_PLANS:
            _PLANS.clear()
        _PLANS[key] = _made_plan(function, names)
    return _PLANS[key]


def _made_plan(function: Callable[..., Any], names: tuple[str, ...]) -> _Plan | None:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    chosen = _chosen(parameters, names)
    left = [name for name in names if name not in chosen.values()]
    positional: list[tuple[str, tuple[Any] | None]] = []
    keywords: list[tuple[str, str]] = []
    missing: list[str] = []
    in_a_row = True
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            if in_a_row:
                positional.extend((name, None) for name in left)
                left = []
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords.extend((name, name) for name in left)
        elif parameter.name in chosen:
            if parameter.kind in _POSITIONAL and in_a_row:
                positional.append((chosen[parameter.name], None))
            else:
                keywords.append((parameter.name, chosen[parameter.name]))
        elif parameter.default is parameter.empty:
            missing.append(parameter.name)
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            # Those behind it cannot be named.
            positional.append((parameter.name, (parameter.default,)))
        elif parameter.kind in _POSITIONAL:
            in_a_row = False
    if missing:
        raise SignatureMismatch(
            f"it needs {', '.join(f'`{name}`' for name in missing)}, "
            f"but what is offered is {', '.join(f'`{name}`' for name in names) or 'nothing'}"
        )
    return _Plan(tuple(positional), tuple(keywords))


def _chosen(parameters: list[inspect.Parameter], names: tuple[str, ...]) -> dict[str, str]:
    """For each parameter that gets an argument, the name under which that is offered."""
    own = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    named = {p.name for p in own}
    chosen: dict[str, str] = {}
    for index, parameter in enumerate(own):
        if parameter.name in names:
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
