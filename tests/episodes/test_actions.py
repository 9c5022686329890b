from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from grader.episodes.actions import InvalidAction, recorded, restored, to_action
from grader.errors import GraderFault
from grader.records.wire import Opaque

DISCRETE = spaces.Discrete(4)
SHIFTED = spaces.Discrete(5, start=-2)
MULTI = spaces.MultiDiscrete([3, 5])
BINARY = spaces.MultiBinary(3)
BOX = spaces.Box(-2.0, 1.0, (2,))
ONE = spaces.Box(-1.0, 1.0, (1,))
SCALAR = spaces.Box(0.0, 1.0, ())
UNBOUNDED = spaces.Box(-np.inf, np.inf, (2,))
BYTES = spaces.Box(0, 255, (2,), dtype=np.uint8)
DICT = spaces.Dict({"steer": spaces.Discrete(3), "gas": spaces.Box(0.0, 1.0, (1,))})
TUPLE = spaces.Tuple((spaces.Discrete(2), spaces.Box(0.0, 1.0, (2,))))
NESTED = spaces.Dict({"pair": TUPLE, "bits": spaces.MultiBinary([2, 2])})

VALID: list[tuple[spaces.Space[Any], Any, Any]] = [
    (DISCRETE, 3, 3),
    (DISCRETE, np.int64(3), 3),
    (DISCRETE, np.uint8(0), 0),
    (DISCRETE, np.array(2), 2),
    (DISCRETE, np.array([2]), 2),
    (DISCRETE, np.array([[1]], np.int32), 1),
    (SHIFTED, -2, -2),
    (SHIFTED, 2, 2),
    (MULTI, [2, 4], [2, 4]),
    (MULTI, (0, 0), [0, 0]),
    (MULTI, np.array([1, 3], np.int8), [1, 3]),
    (MULTI, [np.int64(1), np.array(3)], [1, 3]),
    (BINARY, [0, 1, 1], [0, 1, 1]),
    (BINARY, np.array([True, False, True]), [1, 0, 1]),
    (BINARY, [True, False, True], [1, 0, 1]),
    (BOX, [0.5, -1.5], [0.5, -1.5]),
    (BOX, (0, 1), [0, 1]),
    (BOX, np.array([1.0, -2.0], np.float64), [1, -2]),
    (BOX, np.array([1, -2]), [1, -2]),
    (SCALAR, 0.25, 0.25),
    (SCALAR, np.float32(0.25), 0.25),
    (SCALAR, np.array(0.25), 0.25),
    (UNBOUNDED, [1e30, -1e30], [np.float32(1e30), np.float32(-1e30)]),
    (BYTES, [0, 255], [0, 255]),
]


@pytest.mark.parametrize(("space", "value", "expected"), VALID, ids=str)
def test_a_valid_action_is_taken_in_the_form_of_its_space(space, value, expected):
    action = to_action(space, value)
    assert space.contains(action)
    np.testing.assert_array_equal(action, np.asarray(expected))
    assert np.asarray(action).dtype == space.dtype


@pytest.mark.parametrize(
    ("space", "value"),
    [
        *((DISCRETE, value) for value in (
            True, False, np.True_, 1.0, np.float32(1), "1", b"1", None, float("nan"), [1], (1,),
            [1, 2], {}, {"a": 1}, -1, 4, np.int64(4), np.array([1, 2]), np.array([]),
            np.array([1.0]), np.array(True), 2**62, np.uint64(2**63), np.array([2**64 - 1]),
            Opaque("agent.Action", "Action.LEFT"),
        )),
        *((SHIFTED, value) for value in (-3, 3)),
        *((MULTI, value) for value in (
            1, [1], [1, 2, 3], [[1, 2]], [3, 0], [0, 5], [-1, 0], [1.0, 2.0], [1, 2.0], [True, 2],
            [np.True_, 2], [np.array(True), 2], ["1", "2"], [None, 1], [[1], [2, 3]], {0: 1},
            [Opaque("x", "y"), 1], np.array([2**63, 1], np.uint64), np.array([True, True]),
        )),
        *((BINARY, value) for value in (
            [0, 1], [0, 1, 2], [0, 1, -1], [0.0, 1.0, 1.0], [256, 0, 1], np.array([257, 0, 0]),
            "011", None, 3, Opaque("x", "y"),
        )),
        *((BOX, value) for value in (
            0.5, [0.5], [0.5, 0.5, 0.5], [[0.5, 0.5]], [1.5, 0.0], [0.0, -2.5], [float("nan"), 0.0],
            [float("inf"), 0.0], [1e300, 0.0], [True, False], [True, 0.5], np.array([True, False]),
            ["0.5", "0.5"], [None, 0.5], None, "ab", Opaque("x", "y"), {"0": 0.5},
        )),
        *((ONE, value) for value in (0.5, np.float32(0.5), np.array(0.5), np.array([[0.5]]))),
        *((SCALAR, value) for value in ([0.25], True, "0.25", 2.0)),
        *((UNBOUNDED, value) for value in (
            [float("inf"), 0.0], [0.0, float("-inf")], [float("nan"), 0.0], [1e300, 0.0],
        )),
        *((BYTES, value) for value in ([256, 0], [-1, 0], [1.0, 2.0], [1.5, 2.0])),
        *((DICT, value) for value in (
            {"steer": 1}, {"steer": 1, "gas": [0.5], "brake": 0}, {"steer": 3, "gas": [0.5]},
            {"steer": 1, "gas": 0.5}, [1, [0.5]], None, Opaque("dict", "{...}"),
        )),
        *((TUPLE, value) for value in ((1,), (1, [0.5, 0.5], 0), (2, [0.5, 0.5]), 1, None, "ab")),
    ],
    ids=str,
)  # fmt: skip
def test_anything_else_is_no_action(space, value):
    with pytest.raises(InvalidAction):
        to_action(space, value)


def test_an_invalid_action_is_told_as_text_of_bounded_length():
    with pytest.raises(InvalidAction) as told:
        to_action(DISCRETE, ["\x1b[31m" + "x" * 10_000] * 100)
    assert len(told.value.received) <= 121
    assert "\x1b" not in told.value.received


def test_actions_of_containers_are_taken_part_by_part():
    action = to_action(NESTED, {"pair": [1, [0.5, 0.25]], "bits": [[0, 1], [1, 0]]})
    assert NESTED.contains(action)
    assert to_action(DICT, {"gas": [1], "steer": np.array([2])})["steer"] == 2


def test_a_space_that_cannot_be_judged_is_the_assignments_fault():
    with pytest.raises(GraderFault, match="Text"):
        to_action(spaces.Text(5), "abc")


@pytest.mark.parametrize(
    ("action", "receipt"),
    [
        (np.int64(2), 2),
        (np.array([1, 2]), (1, 2)),
        (np.array([0.5], np.float32), (0.5,)),
        (np.array(0.5, np.float32), 0.5),
        (np.array([[0, 1], [1, 0]], np.int8), (0, 1, 1, 0)),
        ((np.int64(1), np.array([0.5, 0.25], np.float32)), (1, 0.5, 0.25)),
        ({"b": np.int64(1), "a": (np.int64(0), np.array([0.5]))}, (1, 0, 0.5)),
    ],
    ids=str,
)
def test_a_receipt_holds_an_actions_numbers(action, receipt):
    assert recorded(action) == receipt


@pytest.mark.parametrize(
    "space",
    [DISCRETE, SHIFTED, MULTI, BINARY, BOX, ONE, SCALAR, UNBOUNDED, BYTES, DICT, TUPLE, NESTED],
    ids=str,
)
def test_an_action_can_be_made_of_its_receipt(space):
    space.seed(3)
    for _ in range(20):
        action = to_action(space, space.sample())
        again = restored(space, recorded(action))
        assert space.contains(again)
        assert recorded(again) == recorded(action)


@pytest.mark.parametrize(
    "receipt", [(1,), (1, 2, 3), 1, (1, 2.5), (1, float("nan")), (1, 2**70), (1, -0.5)]
)
def test_a_receipt_of_other_numbers_is_refused(receipt):
    with pytest.raises((ValueError, OverflowError)):
        restored(MULTI, receipt)
