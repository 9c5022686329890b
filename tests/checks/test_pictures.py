import numpy as np
import pytest

from grader.checks.pictures import function_exhibits, network_exhibits
from grader.checks.references import cross_correlation_2d
from grader.records.arrays import ArrayRecord
from grader.records.evidence import FunctionEvidence, FunctionTrial
from grader.records.incident import Incident, IncidentKind
from grader.records.network_evidence import NetworkEvidence
from grader.records.network_pictures import NetworkPictures, NoPictures
from grader.records.spec import Isolation

IMAGE = np.zeros((12, 12))
IMAGE[3:9, 4:8] = 200.0
KERNEL = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
RIGHT = cross_correlation_2d(IMAGE, KERNEL)


def evidence(result=None, incident=None):
    trial = FunctionTrial(
        label="edges",
        arguments={"image": ArrayRecord.of(IMAGE), "kernel": ArrayRecord.of(KERNEL), "stride": 1},
        result=None if result is None else ArrayRecord.of(result),
        incident=incident,
    )
    return FunctionEvidence(
        part="convolution", file="convolution.py", isolation=Isolation.FULL, picture=trial
    )


def test_right_result_has_an_empty_difference():
    (shown,) = function_exhibits(evidence(RIGHT))

    assert shown.received == shown.expected
    assert set(shown.difference.array().flat) == {128}
    assert shown.largest_difference == 0.0
    assert shown.largest == 800.0
    assert shown.expected_value == shown.received_value
    assert abs(shown.expected_value) == 800.0


def test_worked_value_is_where_the_result_is_largest():
    (shown,) = function_exhibits(evidence(RIGHT))

    row, column = shown.place
    window = IMAGE[row : row + 3, column : column + 3]
    assert float((window * KERNEL).sum()) == shown.expected_value


def test_flipped_kernel_turns_the_signs_over():
    (shown,) = function_exhibits(evidence(-RIGHT))

    assert shown.received_value == -shown.expected_value
    assert shown.largest_difference == 1600.0
    assert not np.array_equal(shown.received.array(), shown.expected.array())


def test_result_of_another_shape_is_shown_as_it_is():
    (shown,) = function_exhibits(evidence(np.ones((12, 12))))

    assert shown.received.shape == (12, 12)
    assert shown.difference is None
    assert shown.largest_difference is None
    assert shown.received_value is None


def test_values_that_are_not_finite_are_no_numbers_to_show():
    broken = RIGHT.copy()
    broken[:] = np.nan

    (shown,) = function_exhibits(evidence(broken))

    assert shown.largest_difference is None
    assert shown.received_value is None
    assert set(shown.received.array().flat) == {128}


@pytest.mark.parametrize(
    ("result", "incident", "told"),
    [
        (None, Incident(kind=IncidentKind.RAISED, stage="calling", message="x"), "did not answer"),
        (None, None, "no array of numbers"),
        (np.zeros((2, 2), bool), None, "no array of numbers"),
        (np.zeros(5), None, "shape (5,)"),
        (np.zeros((500, 500)), None, "shape (500, 500)"),
        (np.zeros((0, 4)), None, "shape (0, 4)"),
    ],
)
def test_without_an_image_there_is_a_reason(result, incident, told):
    (shown,) = function_exhibits(evidence(result, incident))

    assert shown.received is None
    assert told in shown.remark


def test_function_that_was_not_shown_an_image_has_no_picture():
    nothing = evidence().model_copy(update={"picture": None})

    assert function_exhibits(nothing) == ()


def test_pictures_of_a_network_are_those_of_the_evidence():
    base = NetworkEvidence(part="network", file="network.py", isolation=Isolation.FULL)
    found = NetworkPictures(absent=NoPictures.NOT_REBUILT)

    assert network_exhibits(base) == ()
    assert network_exhibits(base.model_copy(update={"pictures": found})) == (found,)


def test_exhibits_are_the_same_from_saved_evidence():
    saved = FunctionEvidence.parse(evidence(RIGHT).plain())

    assert function_exhibits(saved) == function_exhibits(evidence(RIGHT))
