import threading
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from grader.probes.environment_observations import fits, listening, misfit
from grader.records.wire import Opaque

BOX = spaces.Box(-1.0, 1.0, (2,), np.float32)
SCALAR = spaces.Box(0.0, 1.0, (), np.float32)
BYTES = spaces.Box(0, 255, (2,), np.uint8)
DISCRETE = spaces.Discrete(4)
DICT = spaces.Dict({"box": BOX, "kind": DISCRETE})
TUPLE = spaces.Tuple((DISCRETE, BOX))
NESTED = spaces.Dict({"pair": TUPLE, "inner": DICT})


def array(*values, dtype=np.float32):
    return np.array(values, dtype)


INNER = {"box": array(0, 0), "kind": 1}


@pytest.mark.parametrize(
    ("space", "observation"),
    [
        (BOX, array(0.5, -1)),
        (BOX, array(0.5, -1, dtype=np.float16)),
        (SCALAR, array(0.5)[0]),
        (SCALAR, np.array(0.5, np.float32)),
        (SCALAR, 0.5),
        (BYTES, array(0, 255, dtype=np.uint8)),
        (DISCRETE, 3),
        (DISCRETE, np.int64(3)),
        (DISCRETE, np.int32(3)),
        (DISCRETE, np.array(3)),
        (spaces.MultiDiscrete([3, 5]), array(2, 4, dtype=np.int64)),
        (spaces.MultiBinary(2), array(1, 0, dtype=np.int8)),
        (DICT, INNER),
        (TUPLE, (1, array(0, 0))),
        (NESTED, {"pair": (1, array(0, 0)), "inner": INNER}),
    ],
    ids=str,
)
def test_an_observation_of_the_space_fits(space, observation):
    assert fits(space, observation)


@pytest.mark.parametrize(
    ("space", "observation", "why"),
    [
        (BOX, [0.5, -1.0], "it is no array"),
        (BOX, 0.5, "it is no array"),
        (BOX, None, "it is no array"),
        (BOX, array(0.5), "the shape is not (2,)"),
        (BOX, array(0.5, 0.5, dtype=np.float64), "the dtype is not float32"),
        (BOX, array(0, 1, dtype=np.int64), "the dtype is not float32"),
        (BOX, array(0.5, 1.5), "a value lies outside the bounds"),
        (BOX, array(0.5, np.nan), "a value is NaN"),
        (BOX, array(0.5, np.inf), "a value lies outside the bounds"),
        (SCALAR, True, "it is no array"),
        (SCALAR, "0.5", "it is no array"),
        (BYTES, array(0, 1, dtype=np.int64), "the dtype is not uint8"),
        (DISCRETE, 4, "4 (int)"),
        (DISCRETE, 1.0, "1.0 (float)"),
        (DISCRETE, array(1, dtype=np.int64), "array"),
        (spaces.MultiDiscrete([3, 5]), array(3, 0, dtype=np.int64), "array"),
        (spaces.MultiDiscrete([3, 5]), array(1.0, 0.0), "array"),
        (spaces.MultiBinary(2), array(2, 0, dtype=np.int8), "array"),
        (DICT, {"box": array(0, 0)}, "the keys ['box']"),
        (DICT, {"box": [0, 0], "kind": 1}, "['box'] "),
        (DICT, (array(0, 0), 1), "tuple"),
        (DICT, Opaque("Observation", "Observation(…)"), "Observation"),
        (TUPLE, (1,), "1 parts"),
        (TUPLE, (9, array(0, 0)), "[0] 9 (int)"),
        (NESTED, {"pair": (1, array(0, 2)), "inner": INNER}, "['pair'] [1] "),
    ],
    ids=str,
)
def test_anything_else_does_not_fit_and_says_why(space, observation, why):
    assert not fits(space, observation)
    assert why in misfit(space, observation)


def test_gymnasium_is_heard_by_the_thread_that_listens_and_by_no_other():
    with warnings.catch_warnings(record=True) as elsewhere:
        warnings.simplefilter("always")
        with listening() as heard:
            gymnasium.logger.warn("here %s", 1)
            gymnasium.logger.deprecation("100 % old")
            other = threading.Thread(target=gymnasium.logger.warn, args=("there",))
            other.start()
            other.join()
        gymnasium.logger.warn("afterwards")
    assert heard == ["here 1", "100 % old"]
    assert [str(each.message).count("there") for each in elsewhere] == [1, 0]
