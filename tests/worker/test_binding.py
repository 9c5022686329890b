from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from grader.worker.binding import SignatureMismatch, bind, call, parameter_names


class Recorder:
    """Every way of defining a callable; each answers the arguments it got."""

    def method(self, state: Any, epsilon: Any = 0.1) -> Any:
        return state, epsilon

    @classmethod
    def of_class(cls, state: Any) -> Any:
        return (state,)

    @staticmethod
    def static(state: Any) -> Any:
        return (state,)

    def __call__(self, state: Any) -> Any:
        return (state,)


class Agent:
    def __init__(self, observation_space: Any, n_actions: Any = None) -> None:
        self.got = observation_space, n_actions


class OnlyKeywords:
    def __init__(self, **settings: Any) -> None:
        self.got = settings


class Bare:
    got = ()


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def two(a: Any, b: Any) -> Any:
    return a, b


def three(a: Any, b: Any, c: Any) -> Any:
    return a, b, c


class Sub(Agent):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


CASES: list[tuple[Callable[..., Any], dict[str, Any], Any]] = [
    # all offered arguments, under their names or others
    (lambda a, b: (a, b), {"a": 1, "b": 2}, (1, 2)),
    (lambda b, a: (b, a), {"a": 1, "b": 2}, (2, 1)),
    (lambda x, y: (x, y), {"a": 1, "b": 2}, (1, 2)),
    (lambda a, y: (a, y), {"a": 1, "b": 2}, (1, 2)),
    (lambda x, b: (x, b), {"a": 1, "b": 2}, (1, 2)),
    # fewer
    (lambda: (), {"a": 1, "b": 2}, ()),
    (lambda a: (a,), {"a": 1, "b": 2}, (1,)),
    (lambda b: (b,), {"a": 1, "b": 2}, (2,)),
    (lambda x: (x,), {"a": 1, "b": 2}, (1,)),
    # defaults
    (lambda state, epsilon=0.1: (state, epsilon), {"observation": 1}, (1, 0.1)),
    (lambda a=5, b=6: (a, b), {"b": 2}, (5, 2)),
    (lambda a=5, b=6: (a, b), {"a": 1, "b": 2}, (1, 2)),
    (lambda x=5, y=6: (x, y), {"a": 1, "b": 2}, (5, 6)),
    (lambda a, s=1: (a, s), {"a": 1, "stride": 2}, (1, 1)),
    (lambda a, stride=1: (a, stride), {"a": 1, "kernel": 3, "stride": 2}, (1, 2)),
    # keyword only and positional only
    (lambda *, a: (a,), {"a": 1, "b": 2}, (1,)),
    (lambda *, b=3, a: (a, b), {"a": 1}, (1, 3)),
    (lambda x, *, b: (x, b), {"a": 1, "b": 2}, (1, 2)),
    (lambda a, b, /: (a, b), {"a": 1, "b": 2}, (1, 2)),
    (lambda x, y, /: (x, y), {"a": 1, "b": 2}, (1, 2)),
    (lambda a=5, b=6, /: (a, b), {"b": 2}, (5, 2)),
    (lambda x=5, b=6, /, *, a: (x, b, a), {"a": 1, "b": 2}, (5, 2, 1)),
    # the rest
    (lambda *args: args, {"a": 1, "b": 2}, (1, 2)),
    (lambda **kwargs: kwargs, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
    (lambda *args, **kwargs: (args, kwargs), {"a": 1, "b": 2}, ((1, 2), {})),
    (lambda a, **kwargs: (a, kwargs), {"a": 1, "b": 2}, (1, {"b": 2})),
    (lambda x, **kwargs: (x, kwargs), {"a": 1, "b": 2}, (1, {"b": 2})),
    (lambda x, *rest: (x, rest), {"a": 1, "b": 2, "c": 3}, (1, (2, 3))),
    (lambda b, *rest: (b, rest), {"a": 1, "b": 2, "c": 3}, (2, (1, 3))),
    (lambda *args, b: (args, b), {"a": 1, "b": 2}, ((1,), 2)),
    (lambda z=0, *args: (z, args), {"a": 1, "b": 2}, (0, ())),
    (wrapped(two), {"a": 1, "b": 2}, (1, 2)),
    (functools.wraps(two)(wrapped(two)), {"b": 2, "a": 1}, (1, 2)),
    # methods, classes, callable objects, partial functions
    (Recorder().method, {"observation": 1}, (1, 0.1)),
    (Recorder().method, {"observation": 1, "epsilon": 0}, (1, 0)),
    (Recorder.of_class, {"observation": 1}, (1,)),
    (Recorder.static, {"observation": 1}, (1,)),
    (Recorder(), {"observation": 1}, (1,)),
    (lambda **given: Agent(**given).got, {"observation_space": 1}, (1, None)),
    (functools.partial(three, 9), {"b": 1, "c": 2}, (9, 1, 2)),
    (functools.partial(three, c=9), {"a": 1, "b": 2}, (1, 2, 9)),
    (functools.partial(three, c=9), {"a": 1, "b": 2, "c": 3}, (1, 2, 3)),
    # builtins with and without a signature
    (len, {"image": [1, 2]}, 2),
    (max, {"a": 1, "b": 2}, 2),
    (int, {"value": "5"}, 5),
]


@pytest.mark.parametrize(("function", "offered", "got"), CASES, ids=range(len(CASES)))
def test_arguments_are_fitted(function: Callable[..., Any], offered: Any, got: Any) -> None:
    assert call(function, offered) == got


@pytest.mark.parametrize(
    ("kind", "offered", "got"),
    [
        (Agent, {"observation_space": 1, "action_space": 2}, (1, None)),
        (Agent, {"action_space": 2, "observation_space": 1}, (1, None)),
        (Agent, {"space": 1}, (1, None)),
        (OnlyKeywords, {"seed": 3}, {"seed": 3}),
        (Bare, {"action_space": 1, "seed": 2}, ()),
        (Sub, {"observation_space": 1}, (1, None)),
    ],
)
def test_classes_are_called_like_functions(kind: Any, offered: Any, got: Any) -> None:
    assert call(kind, offered).got == got


@pytest.mark.parametrize(
    ("function", "offered", "missing"),
    [
        (lambda a, b: (a, b), {"a": 1}, "`b`"),
        (lambda a, b, c: (a, b, c), {"a": 1}, "`b`, `c`"),
        (lambda x: x, {}, "`x`"),
        (lambda env, observation: (env, observation), {"observation": 1}, "`env`"),
        (lambda *, other: other, {"a": 1}, "`other`"),
        (lambda a, *rest, other: (a, rest, other), {"a": 1, "b": 2}, "`other`"),
    ],
)
def test_parameter_that_nothing_is_offered_for_is_named(
    function: Callable[..., Any], offered: dict[str, Any], missing: str
) -> None:
    with pytest.raises(SignatureMismatch) as caught:
        bind(function, offered)
    offer = ", ".join(f"`{name}`" for name in offered) or "nothing"
    assert str(caught.value) == f"it needs {missing}, but what is offered is {offer}"


def test_errors_inside_the_function_are_its_own() -> None:
    def broken(a: Any) -> Any:
        raise TypeError("inside")

    with pytest.raises(TypeError, match="inside"):
        call(broken, {"a": 1})


def test_names_of_parameters() -> None:
    assert parameter_names(Recorder().method) == ("state", "epsilon")
    assert parameter_names(lambda *args, b, **more: (args, b, more)) == ("args", "b", "more")
    assert parameter_names(max) == ()
