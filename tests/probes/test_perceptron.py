import numpy as np
import pytest

from grader.checks.references import huber_loss
from grader.probes.perceptron import _forward, descended, mean_huber

RNG = np.random.default_rng(4)
WEIGHTS = [RNG.normal(size=shape) for shape in ((3, 6), (6,), (6, 2), (2,))]
STATES, TARGETS = RNG.normal(size=(9, 3)), 2 * RNG.normal(size=(9, 2))


def test_the_loss_is_the_references():
    answers = _forward(WEIGHTS, STATES)[-1]
    by_hand = np.maximum(STATES @ WEIGHTS[0] + WEIGHTS[1], 0) @ WEIGHTS[2] + WEIGHTS[3]
    np.testing.assert_allclose(answers, by_hand)
    for delta in (0.5, 1.0, 3.0):
        expected = huber_loss(TARGETS, by_hand, delta)
        assert mean_huber(WEIGHTS, STATES, TARGETS, delta) == pytest.approx(expected)


def test_weights_that_are_not_finite_have_no_loss():
    broken = [WEIGHTS[0] * np.nan, *WEIGHTS[1:]]
    assert mean_huber(broken, STATES, TARGETS, 1.0) is None


def test_a_step_goes_down_the_numerical_gradient():
    rate, small = 0.1, 1e-6
    moved = descended(WEIGHTS, [(STATES, TARGETS)], rate, 1.0)
    for index, before in enumerate(WEIGHTS):
        slope = np.zeros_like(before)
        for place in np.ndindex(before.shape):
            losses = []
            for sign in (1, -1):
                shifted = [array.copy() for array in WEIGHTS]
                shifted[index][place] += sign * small
                losses.append(mean_huber(shifted, STATES, TARGETS, 1.0))
            slope[place] = (losses[0] - losses[1]) / (2 * small)
        np.testing.assert_allclose(moved[index], before - rate * slope, atol=1e-7)


def test_many_steps_make_the_loss_small():
    targets = STATES @ RNG.normal(size=(3, 2))
    moved = descended(WEIGHTS, [(STATES, targets)] * 500, 0.3, 1.0)
    before = mean_huber(WEIGHTS, STATES, targets, 1.0)
    assert mean_huber(moved, STATES, targets, 1.0) < 0.05 * before
