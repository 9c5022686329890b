"""The normalised score and its interval."""

from __future__ import annotations

import numpy as np
import pytest

from grader.statistics.intervals import NoGap, bootstrap_interval, normalized_score

RANDOM = np.array([20.0, 22.0, 31.0, 14.0, 25.0, 18.0, 40.0, 12.0])
DQN = np.full(8, 500.0)


@pytest.mark.parametrize(("student", "score"), [(22.0, 0.0), (500.0, 1.0), (261.0, 0.5)])
def test_the_references_are_the_scale(student: float, score: float) -> None:
    assert normalized_score(student, 22.0, 500.0) == score


def test_an_agent_can_be_worse_than_random_and_better_than_the_reference() -> None:
    assert normalized_score(-50.0, 0.0, 100.0) == -0.5
    assert normalized_score(150.0, 0.0, 100.0) == 1.5


@pytest.mark.parametrize("dqn", [22.0, 10.0, float("nan")])
def test_there_is_no_score_without_a_gap(dqn: float) -> None:
    with pytest.raises(NoGap):
        normalized_score(100.0, 22.0, dqn)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    student = np.array([500.0, 120.0, 430.0, 500.0, 77.0, 250.0, 500.0, 310.0])
    first = bootstrap_interval(student, RANDOM, DQN, resamples=2000, seed=13)
    again = bootstrap_interval(student, RANDOM, DQN, resamples=2000, seed=13)
    other = bootstrap_interval(student, RANDOM, DQN, resamples=2000, seed=14)
    assert first == again
    assert first != other


def test_the_interval_holds_the_score_and_global_randomness_is_left_alone() -> None:
    student = np.array([500.0, 120.0, 430.0, 500.0, 77.0, 250.0, 500.0, 310.0])
    np.random.seed(3)  # noqa: NPY002  that global state is not used is what is tested
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    interval = bootstrap_interval(student, RANDOM, DQN, resamples=5000, seed=1)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    score = normalized_score(student.mean(), RANDOM.mean(), DQN.mean())
    assert interval.low < score < interval.high


def test_an_agent_equal_to_the_reference_has_an_interval_without_width() -> None:
    interval = bootstrap_interval(DQN, RANDOM, DQN, resamples=500, seed=1)
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_seeds_are_resampled_in_pairs() -> None:
    # The student is always halfway between the references, whatever the seed: no uncertainty is
    # left when the three are drawn together, and much if they were drawn apart.
    random = np.array([0.0, 100.0, 200.0, 300.0])
    dqn = random + np.array([10.0, 400.0, 30.0, 900.0])
    interval = bootstrap_interval((random + dqn) / 2, random, dqn, resamples=1000, seed=5)
    assert interval.low == pytest.approx(0.5)
    assert interval.high == pytest.approx(0.5)


def test_resamples_in_which_the_references_tie_are_left_out() -> None:
    random = np.array([0.0, 0.0, 0.0])
    dqn = np.array([0.0, 0.0, 3.0])
    interval = bootstrap_interval([0.0, 0.0, 3.0], random, dqn, resamples=1000, seed=5)
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_the_interval_agrees_with_the_normal_approximation() -> None:
    generator = np.random.default_rng(8)
    student = generator.normal(250.0, 40.0, 400)
    interval = bootstrap_interval(
        student, np.zeros(400), np.full(400, 500.0), resamples=10_000, seed=2
    )
    half = 1.96 * student.std() / 20 / 500
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.05)


def test_many_resamples_of_many_seeds_are_drawn_in_pieces() -> None:
    # 3000 seeds times 1000 resamples is more than is held in memory at a time.
    generator = np.random.default_rng(8)
    student = generator.normal(250.0, 40.0, 3000)
    interval = bootstrap_interval(
        student, np.zeros(3000), np.full(3000, 500.0), resamples=1000, seed=2
    )
    assert interval.low < student.mean() / 500 < interval.high
