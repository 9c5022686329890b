import math

import numpy as np
import pytest

from grader.statistics.proportions import acceptable_counts, proportion_p


def exact(count: int, trials: int, probability: float) -> float:
    masses = [
        math.comb(trials, n) * probability**n * (1 - probability) ** (trials - n)
        for n in range(trials + 1)
    ]
    return min(1.0, 2 * min(sum(masses[: count + 1]), sum(masses[count:])))


@pytest.mark.parametrize(("trials", "probability"), [(20, 0.5), (30, 0.1), (12, 0.925), (1, 0.3)])
def test_it_is_the_sum_of_the_binomial_masses(trials, probability):
    for count in range(trials + 1):
        assert proportion_p(count, trials, probability) == pytest.approx(
            exact(count, trials, probability), rel=1e-9
        )


@pytest.mark.parametrize(("probability", "only"), [(0.0, 0), (1.0, 60)])
def test_what_is_certain_allows_one_count(probability, only):
    assert proportion_p(only, 60, probability) == 1.0
    assert proportion_p(30, 60, probability) == 0.0


def test_bounds_are_where_the_test_begins_to_reject():
    low, high = acceptable_counts(200, 0.9, 1e-3)
    assert low < 180 < high
    for count, accepted in ((low - 1, False), (low, True), (high, True), (high + 1, False)):
        assert (proportion_p(count, 200, 0.9) >= 1e-3) == accepted


def test_the_false_alarm_is_at_most_the_level():
    rng = np.random.default_rng(3)
    counts = rng.binomial(100, 0.3, size=4000)
    alarms = sum(proportion_p(int(count), 100, 0.3) < 0.01 for count in counts)
    assert alarms <= 60
