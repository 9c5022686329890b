"""Answers that rounding alone changes are not compared; all others are."""

import numpy as np
import pytest

from grader.probes.network_observations import Observation, furthest, to_ask, touched

BATCH = (np.full((2, 3), 100, np.float32),)
USUAL = Observation(BATCH, (np.ones((2, 3)),))


def test_a_touched_batch_differs_by_rounding_only():
    (changed,) = touched(BATCH, 255.0, 1)
    assert changed.dtype == np.float32
    assert not np.array_equal(changed, BATCH[0])
    np.testing.assert_allclose(changed, BATCH[0], rtol=1e-6)
    (zeros,) = touched((np.zeros((2, 3), np.float32),), 255.0, 1)
    assert 0 < np.max(np.abs(zeros)) < 1e-6


def test_whole_numbers_are_not_touched():
    words = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert touched((words,), 40.0, 1)[0] is words


def test_touched_batches_are_asked_after_all_others():
    other = Observation(BATCH, USUAL.outputs, touched=(BATCH[0] + 1,))
    asked = to_ask([other, USUAL])
    assert [batch[0][0, 0] for batch in asked] == [100, 100, 101]


@pytest.mark.parametrize(
    ("seen", "changed", "expected"),
    [
        (3.0, 1.0, 2 / 3),  # rounding changes nothing: the other answer counts
        (3.0, 2.0, 0.0),  # rounding changes all
        (1.0, 1.0, 0.0),
    ],
)
def test_what_rounding_changes_is_left_out(seen, changed, expected):
    ones = np.ones((2, 3))
    unusual = Observation(BATCH, (seen * ones,), touched=BATCH)
    answers = [[ones], [ones], [changed * ones]]
    assert furthest([USUAL, unusual], answers, 1e-4) == pytest.approx(expected)


def test_a_missing_answer_is_no_agreement():
    assert furthest([USUAL], [[np.ones((1, 3))]], 1e-4) is None
