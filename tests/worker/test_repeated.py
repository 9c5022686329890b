"""Many calls in one request, through a real worker."""

import numpy as np
import pytest

from grader.records.messages import Kept, Resolve
from grader.records.practice_requests import CallEach, MakeGenerator
from grader.sandbox.incident import WorkerIncident

CODE = """
    import collections, dataclasses, types
    import numpy as np
    import tensorflow as tf

    kept = []

    def double(x, bias=0):
        return 2 * x + bias

    def fussy(x):
        if x == 2:
            raise KeyError(x)
        return x

    def keep(pair):
        kept.append(pair[0])
        return [list(array) for array in kept]

    def draw(rng):
        return rng.random()

    def one(item):
        return item

    def any_number(*items):
        return items

    Point = collections.namedtuple("Point", "x y")

    @dataclasses.dataclass
    class Row:
        state: object
        reward: float

    def hold(which):
        return {
            "tuple": Point(1, tf.constant([2.0])),
            "row": [Row(np.zeros(2), 0.5)],
            "mapping": types.MappingProxyType({"a": collections.deque([1, 2])}),
            "objects": np.array([(1, 2), "x"], dtype=object),
        }[which]
"""


@pytest.fixture
def asked(student):
    loaded = student(CODE)

    def ask(function, *calls, **options):
        worker = loaded.worker
        worker.ask(Resolve(role=function, what="function", names=(function,)), "looking")
        return worker.ask(CallEach(target=function, calls=calls, **options), "calling")

    ask.worker = loaded.worker
    return ask


def test_every_call_gets_its_arguments(asked):
    assert asked("double", {"x": 1}, {"x": 2, "bias": 5}) == [2, 9]


def test_an_exception_ends_the_calls_and_says_which_one_it_was(asked):
    with pytest.raises(WorkerIncident) as caught:
        asked("fussy", {"x": 1}, {"x": 2}, {"x": 3})
    assert caught.value.incident.error_type == "KeyError"


def test_an_exception_can_be_an_answer(asked):
    answers = asked("fussy", {"x": 1}, {"x": 2}, {"x": 3}, keep_going=True)
    assert answers == [1, {"raised": "KeyError"}, 3]


@pytest.mark.parametrize(("overwrite", "first"), [(False, [1.0, 1.0]), (True, [-77.0, -77.0])])
def test_arrays_are_overwritten_after_each_call_where_asked(asked, overwrite, first):
    calls = [{"pair": (np.full(2, value), 0)} for value in (1.0, 2.0)]
    _, second = asked("keep", *calls, overwrite=overwrite)
    assert second == [first, [2.0, 2.0]]


@pytest.mark.parametrize("function", ["one", "any_number"])
def test_what_takes_one_thing_gets_all_of_a_call_as_one(asked, function):
    assert asked(function, {"x": 1, "y": 2}, whole=True) == [(1, 2)]


def test_what_takes_one_of_the_things_gets_that_one(asked):
    assert asked("one", {"item": 1, "y": 2}, whole=True) == [1]


def test_a_generator_is_kept_from_call_to_call(asked):
    asked.worker.ask(MakeGenerator(keep="rng", seed=4), "making a generator")
    drawn = asked("draw", {"rng": Kept(name="rng")}, {"rng": Kept(name="rng")})
    assert drawn == np.random.default_rng(4).random(2).tolist()


def test_containers_of_any_class_come_as_plain_ones(asked):
    named, row, mapping, objects = asked(
        "hold", *({"which": which} for which in ("tuple", "row", "mapping", "objects"))
    )
    assert named == {"x": 1, "y": np.array([2.0], np.float32)}
    assert row[0]["reward"] == 0.5
    assert row[0]["state"].tolist() == [0.0, 0.0]
    assert mapping == {"a": [1, 2]}
    assert objects == [(1, 2), "x"]
