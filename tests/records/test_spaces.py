from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.records.spaces import (
    MAX_ELEMENTS,
    SpaceError,
    parse_space,
    space_data,
    space_from_data,
    space_text,
)
from grader.records.wire import decode, encode

KINDS = [
    spaces.Discrete(4),
    spaces.Discrete(3, start=-1),
    spaces.MultiDiscrete([3, 5]),
    spaces.MultiDiscrete(np.array([[2, 3], [4, 5]])),
    spaces.MultiDiscrete([2, 2], start=[1, -1]),
    spaces.MultiBinary(4),
    spaces.MultiBinary([2, 3]),
    spaces.Box(-1.0, 1.0, (3,)),
    spaces.Box(-np.inf, np.inf, (2, 2)),
    spaces.Box(0, 255, (4, 4, 1), np.uint8),
    spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([1.0, np.inf], np.float32)),
    spaces.Box(-1.0, 1.0, (), np.float64),
    spaces.Dict({"steer": spaces.Discrete(3), "gas": spaces.Box(0.0, 1.0, (1,))}),
    spaces.Tuple([spaces.Discrete(2), spaces.Tuple([spaces.MultiBinary(2)])]),
    spaces.Dict({}),
    spaces.Text(5, min_length=2, charset="abc"),
    spaces.Sequence(spaces.Discrete(3)),
    spaces.OneOf([spaces.Discrete(3), spaces.Box(0.0, 1.0, (2,))]),
]


@pytest.mark.parametrize("space", KINDS, ids=str)
def test_space_survives_the_channel(space: spaces.Space[Any]) -> None:
    data = decode(encode(space_data(space), strict=True))
    assert space_from_data(data) == space


TREES = st.recursive(
    st.sampled_from(KINDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(spaces.Tuple),
        st.dictionaries(st.text("abc", min_size=1), inner, max_size=3).map(spaces.Dict),
    ),
    max_leaves=6,
)


@given(TREES)
@settings(max_examples=40)
def test_nested_spaces_survive_the_channel(space: spaces.Space[Any]) -> None:
    assert space_from_data(decode(encode(space_data(space), strict=True))) == space


@pytest.mark.parametrize(
    ("text", "space"),
    [
        ("Discrete(4)", spaces.Discrete(4)),
        ("Discrete(3, start=1)", spaces.Discrete(3, start=1)),
        (" Discrete( n = 2 ) ", spaces.Discrete(2)),
        ("MultiDiscrete([3, 4])", spaces.MultiDiscrete([3, 4])),
        ("MultiBinary(3)", spaces.MultiBinary(3)),
        ("MultiBinary([2, 3])", spaces.MultiBinary([2, 3])),
        ("Box(-2.0, 1.0, (2,))", spaces.Box(-2.0, 1.0, (2,))),
        ("Box(low=0, high=255, shape=(8, 8), dtype='uint8')", spaces.Box(0, 255, (8, 8), np.uint8)),
        ("Box(0, 255, (8, 8), np.uint8)", spaces.Box(0, 255, (8, 8), np.uint8)),
        ("Box(-inf, np.inf, (2,))", spaces.Box(-np.inf, np.inf, (2,))),
        ("Box([-1.0, 0.0], [1.0, 2.0])", spaces.Box(np.float32([-1, 0]), np.float32([1, 2]))),
        (
            "Dict({'steer': Discrete(3), 'gas': Box(0.0, 1.0, (1,))})",
            spaces.Dict({"steer": spaces.Discrete(3), "gas": spaces.Box(0.0, 1.0, (1,))}),
        ),
        (
            "Tuple((Discrete(2), MultiBinary(1)))",
            spaces.Tuple([spaces.Discrete(2), spaces.MultiBinary(1)]),
        ),
        ("Box(0.1, 0.7, (1,))", spaces.Box(0.1, 0.7, (1,))),
        ("Tuple([Discrete(2)])", spaces.Tuple([spaces.Discrete(2)])),
    ],
)
def test_space_is_read_from_a_call(text: str, space: spaces.Space[Any]) -> None:
    assert parse_space(text) == space


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Discrete",
        "Discrete(",
        "Discrete(-1)",
        "Discrete(0)",
        "Discrete('4')",
        "Discrete(4, 5, 6, 7)",
        "Discrete(number=4)",
        "Discrete(2 ** 2)",
        "Discrete(9 ** 9 ** 9)",
        "Discrete(*[4])",
        "Discrete(n=4, **{})",
        "Discrete(4)(4)",
        "spaces.Discrete(4)",
        "Graph(Discrete(2), None)",
        "[Discrete(4)]",
        "Discrete(4); Discrete(4)",
        "Discrete(n := 4)",
        "Box(1.0, 0.0, (2,))",
        "Box(0.0, 1.0, (1000000000, 1000000000))",
        "Box(0.0, 1.0, (2,), dtype='object')",
        "Box(0.0, 1.0, (2,), dtype=np.complex64)",
        "Box(-1e308, 1.5e308, (1,), dtype='float64')",
        "Box(nan, 1.0, (2,))",
        "Box(0.0, 1.0, (-2,))",
        "MultiBinary([3000000, 3000000])",
        "Dict({**{}})",
        "Dict({'a': 5})",
        "Dict(Discrete(3))",
        "Tuple((1, 2))",
        "(" * 5000,
        "Tuple((" * 90 + "Discrete(2)" + ",))" * 90,
        "Discrete(open('/tmp/x', 'w'))",
        "\0",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(SpaceError):
        parse_space(text)


def test_nothing_in_a_text_is_evaluated(tmp_path: Path) -> None:
    target = tmp_path / "made"
    for text in (
        f"__import__('pathlib').Path({str(target)!r}).touch()",
        f"Discrete(__import__('pathlib').Path({str(target)!r}).touch())",
        f"Discrete((lambda: open({str(target)!r}, 'w'))())",
        f"Dict({{open({str(target)!r}, 'w'): Discrete(2)}})",
        f"Box(0, 1, [open({str(target)!r}, 'w')])",
        f"Discrete(np.lib.npyio.open({str(target)!r}, 'w'))",
    ):
        with pytest.raises(SpaceError):
            parse_space(text)
    assert not target.exists()


DISCRETE = {"type": "Discrete", "n": 2, "start": 0}


def _box(low: Any, high: Any, dtype: Any = "float32") -> dict[str, Any]:
    return {"type": "Box", "low": low, "high": high, "dtype": dtype}


@pytest.mark.parametrize(
    "data",
    [
        {},
        None,
        5,
        {"type": "Text"},
        {"type": "Text", "lengths": [0, 10**6], "charset": "a"},
        {"type": "Text", "lengths": [3, 2], "charset": "a"},
        {"type": "Text", "lengths": [1, 2], "charset": ""},
        {"type": ["Discrete"]},
        {"type": "Discrete"},
        {"type": "Discrete", "n": 0, "start": 0},
        {"type": "Discrete", "n": 2**70, "start": 0},
        {"type": "Discrete", "n": 2**62, "start": 2**63 - 1},
        {"type": "Discrete", "n": "many", "start": 0},
        {"type": "MultiDiscrete", "nvec": [0, 2], "start": [0, 0]},
        {"type": "MultiDiscrete", "nvec": [2.5, 2.0], "start": [0, 0]},
        {"type": "MultiDiscrete", "nvec": [[1], [2, 3]], "start": 0},
        {"type": "MultiDiscrete", "nvec": [2, 2], "start": [0, 0, 0]},
        {"type": "MultiDiscrete", "nvec": np.full(1 << 26, 2, np.uint8), "start": 0},
        {"type": "MultiBinary", "n": [2**20, 2**20]},
        {"type": "MultiBinary", "n": [-1]},
        {"type": "MultiBinary", "n": 3},
        _box(np.zeros(2, np.float32), np.zeros(3, np.float32)),
        _box(np.float32([1]), np.float32([0])),
        _box(np.float32([np.nan]), np.float32([0])),
        _box(np.float64([-1.7e308]), np.float64([1.7e308]), "float64"),
        _box(np.int64([0]), np.int64([2**63 - 1]), "int64"),
        _box(np.float32([0]), np.float32([300]), "uint8"),
        _box(np.float32([0]), np.float32([1]), "object"),
        _box(np.float32([0]), np.float32([1]), "U1000000"),
        _box(np.float32([0]), np.float32([1]), ["float32"]),
        _box("low", "high"),
        _box(np.zeros(MAX_ELEMENTS + 1, np.int8), np.ones(MAX_ELEMENTS + 1, np.int8), "int8"),
        {"type": "Tuple", "spaces": [DISCRETE] * 2000},
        {"type": "Tuple", "spaces": [{"type": "MultiBinary", "n": [2**20]}] * 5},
        {"type": "Tuple", "spaces": DISCRETE},
        {"type": "Dict", "spaces": [DISCRETE]},
        {"type": "Dict", "spaces": {"a": 5}},
    ],
    ids=itertools.count(),
)
def test_other_data_are_refused_at_once(data: Any) -> None:
    begun = time.process_time()
    with pytest.raises(SpaceError):
        space_from_data(data)
    assert time.process_time() - begun < 2


def test_spaces_nested_too_deeply_are_refused() -> None:
    data: dict[str, Any] = DISCRETE
    for _ in range(9):
        data = {"type": "Tuple", "spaces": [data]}
    with pytest.raises(SpaceError, match="deep"):
        space_from_data(data)


@pytest.mark.parametrize("space", [s for s in KINDS if s != spaces.Dict({})], ids=str)
def test_spaces_come_without_a_seed(space: spaces.Space[Any]) -> None:
    """Trying whether elements can be drawn must not decide which are drawn later."""
    made = space_from_data(space_data(space))
    inner: list[Any] = [made]
    while inner:
        one = inner.pop()
        assert one._np_random is None
        below = getattr(one, "spaces", ())
        inner.extend(below.values() if isinstance(below, dict) else below)


class _Odd(spaces.Discrete):
    n = property(lambda _: 1 / 0)


class _Bare(spaces.Box):
    def __init__(self) -> None:
        pass


@pytest.mark.parametrize(
    "space",
    [_Odd.__new__(_Odd), _Bare(), spaces.Graph(spaces.Discrete(2), None), object()],
    ids=type,
)
def test_space_that_cannot_be_described_is_refused(space: Any) -> None:
    with pytest.raises(SpaceError):
        space_data(space)


def test_space_is_shown_as_its_author_writes_it() -> None:
    assert space_text(spaces.Discrete(4)) == "Discrete(4)"
    many = spaces.Dict({str(number): spaces.Discrete(2) for number in range(100)})
    assert len(space_text(many)) == 201
