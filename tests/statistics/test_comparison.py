"""Comparisons of agents: agreement with scipy, coverage, and data at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from grader.statistics.comparison import (
    compare,
    interquartile_mean,
    probability_of_improvement,
)
from grader.statistics.intervals import NoGap, bootstrap_interval

STUDENT = np.array([500.0, 120.0, 430.0, 500.0, 77.0, 250.0, 500.0, 310.0])
RANDOM = np.array([20.0, 22.0, 31.0, 14.0, 25.0, 18.0, 40.0, 12.0])
DQN = np.array([500.0, 480.0, 500.0, 500.0, 333.0, 500.0, 500.0, 471.0])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 20, 101])
def test_the_interquartile_mean_is_scipys_trimmed_mean(count: int) -> None:
    values = np.random.default_rng(count).normal(100, 30, (3, count))
    expected = stats.trim_mean(values, 0.25, axis=1)
    assert interquartile_mean(values) == pytest.approx(expected, rel=1e-12)


def test_the_interquartile_mean_does_not_follow_a_single_lucky_episode() -> None:
    assert interquartile_mean([10.0, 10.0, 10.0, 9000.0]) == 10.0


@pytest.mark.parametrize("seed", range(5))
def test_the_probability_of_improvement_is_the_scaled_mann_whitney_statistic(seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.integers(0, 6, 23), generator.integers(1, 7, 17)  # many ties
    expected = stats.mannwhitneyu(first, second).statistic / (23 * 17)
    assert probability_of_improvement(first, second) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "probability"),
    [([1, 2], [3, 4], 0.0), ([3, 4], [1, 2], 1.0), ([5, 5], [5, 5], 0.5), ([1, 3], [2, 2], 0.5),
     ([2], [1, 2, 3], 0.5)],
)  # fmt: skip
def test_ties_count_half(first: list[float], second: list[float], probability: float) -> None:
    assert probability_of_improvement(first, second) == probability


def test_the_values_are_those_of_the_returns() -> None:
    found = compare(STUDENT, RANDOM, DQN, resamples=1000, seed=1)
    assert found.student.mean.value == STUDENT.mean()
    assert found.dqn.iqm.value == pytest.approx(stats.trim_mean(DQN, 0.25))
    assert found.over_random.value == 1.0
    assert found.over_dqn.value == probability_of_improvement(STUDENT, DQN)
    assert found.gain.value == pytest.approx((STUDENT - RANDOM).mean())
    assert found.difference.value == pytest.approx((STUDENT - DQN).mean())


def test_the_score_has_the_interval_it_has_alone() -> None:
    found = compare(STUDENT, RANDOM, DQN, resamples=1000, seed=13).normalized.interval
    assert found == bootstrap_interval(STUDENT, RANDOM, DQN, resamples=1000, seed=13)


def test_the_intervals_are_scipys_percentile_bootstrap() -> None:
    found = compare(STUDENT, RANDOM, DQN, resamples=20_000, seed=3)
    for own, data, statistic in (
        (found.student.mean, (STUDENT,), np.mean),
        (found.student.iqm, (STUDENT,), lambda x, axis: stats.trim_mean(x, 0.25, axis=axis)),
        (found.difference, (STUDENT, DQN), lambda x, y, axis: np.mean(x - y, axis=axis)),
    ):
        theirs = stats.bootstrap(
            data, statistic, paired=True, vectorized=True, n_resamples=20_000,
            method="percentile", rng=np.random.default_rng(4),
        ).confidence_interval  # fmt: skip
        width = theirs.high - theirs.low
        assert own.interval.low == pytest.approx(theirs.low, abs=0.05 * width)
        assert own.interval.high == pytest.approx(theirs.high, abs=0.05 * width)


def test_pairs_are_drawn_together() -> None:
    # The student is 5 below the reference in every episode, however the episodes differ.
    dqn = np.linspace(100, 500, 30)
    found = compare(dqn - 5, np.zeros(30), dqn, resamples=1000, seed=2)
    assert found.difference.interval.low == pytest.approx(-5)
    assert found.difference.interval.high == pytest.approx(-5)
    width = found.student.mean.interval.high - found.student.mean.interval.low
    assert width > 50


def test_constant_returns_have_intervals_without_width_and_no_nan() -> None:
    found = compare([500.0] * 20, [9.0] * 20, [500.0] * 20, resamples=1000, seed=1)
    for estimate in (found.student.mean, found.student.iqm, found.normalized, found.difference):
        assert estimate.interval.low == estimate.value == estimate.interval.high
    assert found.over_dqn.value == 0.5


def test_a_probability_of_one_is_not_told_as_certain() -> None:
    """Twenty wins of twenty leave open what an exact binomial test of them does."""
    exact = stats.binomtest(20, 20).proportion_ci(0.95, method="exact")
    won = compare([500.0] * 20, [9.0] * 20, [500.0] * 20, resamples=1000, seed=1).over_random
    assert (won.value, won.interval.high) == (1.0, 1.0)
    assert won.interval.low == pytest.approx(exact.low)
    lost = compare([1.0] * 20, [9.0] * 20, [500.0] * 20, resamples=1000, seed=1).over_random
    assert (lost.value, lost.interval.low) == (0.0, 0.0)
    assert lost.interval.high == pytest.approx(1 - exact.low)


def test_a_single_episode_can_be_compared() -> None:
    found = compare([30.0], [20.0], [40.0], resamples=100, seed=1)
    assert found.normalized.value == 0.5
    assert (found.student.mean.interval.low, found.student.mean.interval.high) == (30.0, 30.0)
    assert found.over_random.interval.low == pytest.approx(0.025)


def test_a_reference_without_a_gap_is_refused() -> None:
    with pytest.raises(NoGap):
        compare(STUDENT, DQN, DQN, resamples=100, seed=1)


def test_the_same_seed_gives_the_same_intervals() -> None:
    first = compare(STUDENT, RANDOM, DQN, resamples=500, seed=7)
    assert first == compare(STUDENT, RANDOM, DQN, resamples=500, seed=7)
    assert first != compare(STUDENT, RANDOM, DQN, resamples=500, seed=8)


def test_many_episodes_are_drawn_in_pieces() -> None:
    # 250 episodes times 10,000 resamples is more than is held in memory at a time.
    student = np.random.default_rng(8).normal(250.0, 40.0, 250)
    found = compare(student, np.zeros(250), np.full(250, 500.0), resamples=10_000, seed=2)
    half = 1.96 * student.std() / np.sqrt(250)
    interval = found.student.mean.interval
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.1)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """40 normal episodes: a percentile interval of 95 % holds the mean a little less often."""
    generator = np.random.default_rng(5)
    zeros, dqn = np.zeros(40), np.full(40, 500.0)
    trials, held = 300, {"mean": 0, "iqm": 0, "normalized": 0}
    for trial in range(trials):
        found = compare(generator.normal(250, 60, 40), zeros, dqn, resamples=300, seed=trial)
        held["mean"] += _holds(found.student.mean.interval, 250)
        held["iqm"] += _holds(found.student.iqm.interval, 250)
        held["normalized"] += _holds(found.normalized.interval, 0.5)
    # 0.93 is expected; four standard errors of a share of 300 are 0.06.
    assert all(0.87 <= count / trials <= 0.99 for count in held.values()), held


def _holds(interval: object, truth: float) -> bool:
    return interval.low <= truth <= interval.high
