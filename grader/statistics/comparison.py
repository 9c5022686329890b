"""What the returns of three agents on the same episodes say about each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from grader.statistics.intervals import (
    CONFIDENCE,
    Floats,
    Interval,
    draws,
    normalized_score,
    normalized_scores,
    percentile_interval,
)

FEWEST_EPISODES: Final = 6
"""Below, not even agents that differ in every single episode can be told apart: a sign test of five
pairs ends at 2 / 2⁵ = 0.06."""

_TRIMMED: Final = 0.25
"""Share of the returns that the interquartile mean leaves out at either end."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """A statistic, and its 95 % bootstrap interval."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Level:
    """How high the returns of one agent are."""

    mean: Estimated
    iqm: Estimated


@dataclass(frozen=True, slots=True)
class Compared:
    """Three agents on the same episodes."""

    student: Level
    random: Level
    dqn: Level
    normalized: Estimated
    """The student's mean return between random play (0) and the reference (1)."""
    over_random: Estimated
    """Probability of improvement over random play."""
    over_dqn: Estimated
    """Probability of improvement over the reference."""
    gain: Estimated
    """Mean difference to random play, episode by episode."""
    difference: Estimated
    """Mean difference to the reference, episode by episode."""


def interquartile_mean(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The mean of the middle half: a quarter of the values, rounded down, goes at either end.

    As Agarwal et al. 2021, Deep Reinforcement Learning at the Edge of the Statistical Precipice,
    section 4.3; the same as `scipy.stats.trim_mean(values, 0.25)`.

    Args:
        values: shape (…, n), n at least 1; the last axis is summed up.

    Returns:
        Shape (…).
    """
    ordered: Floats = np.sort(np.asarray(values, dtype=np.float64), axis=-1)
    cut = int(_TRIMMED * ordered.shape[-1])
    middle: Floats = ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)
    return middle


def probability_of_improvement(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """The probability that a run of one agent beats a run of the other, ties counting half.

        P(X > Y) + P(X = Y) / 2 = U / (n · m)

    with the Mann–Whitney statistic U, as Agarwal et al. 2021, section 4.3.

    Args:
        first: returns of the one, shape (n,).
        second: returns of the other, shape (m,).
    """
    return float(_wins(np.asarray(first), np.asarray(second)).mean())


def _wins(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> Floats:
    """1 where the one beats the other, ½ where they tie; shape (n, m)."""
    above: Floats = (first[:, None] > second[None, :]).astype(np.float64)
    ties: Floats = 0.5 * (first[:, None] == second[None, :])
    return above + ties


def compare(
    student: npt.ArrayLike,
    random: npt.ArrayLike,
    dqn: npt.ArrayLike,
    *,
    resamples: int,
    seed: int,
) -> Compared:
    """All that is told about three agents, with percentile bootstrap intervals (95 %).

    Episodes are drawn with replacement, and with an episode the returns of all three agents, as for
    `bootstrap_interval`, which says where such intervals are too short. With one network on the
    student's side, they say how far luck with the episodes reaches, not luck in training.

    Args:
        student: returns of the agent under test, shape (episodes,).
        random: returns of random play in the same episodes, in the same order.
        dqn: returns of the reference in the same episodes, in the same order.
        resamples: how often the episodes are drawn again.
        seed: of the generator (PCG64); the same seed gives the same intervals.

    Raises:
        NoGap: the reference's mean is not above random play's; whoever recorded the baseline must
            act.
    """
    returns: Floats = np.array([student, random, dqn], dtype=np.float64)
    count = returns.shape[1]
    means = returns.mean(axis=1)
    score = normalized_score(*(float(mean) for mean in means))
    wins = _wins(returns[0], returns[1]), _wins(returns[0], returns[2])
    drawn_means, drawn_iqms, drawn_wins = [], [], []
    for drawn in draws(count, resamples, seed):
        rows = [row[drawn] for row in returns]
        drawn_means.append(np.stack([row.mean(axis=1) for row in rows]))
        drawn_iqms.append(np.stack([interquartile_mean(row) for row in rows]))
        times = _multiplicities(drawn)
        # Sums of halves are exact, whatever the order they are added up in.
        drawn_wins.append(
            np.stack([((times @ won) * times).sum(axis=1) / count**2 for won in wins])
        )
    all_means = np.concatenate(drawn_means, axis=1)
    all_iqms = np.concatenate(drawn_iqms, axis=1)
    all_wins = np.concatenate(drawn_wins, axis=1)
    scores = normalized_scores(all_means)
    iqms = interquartile_mean(returns)
    levels = [
        Level(_estimated(means[agent], all_means[agent]), _estimated(iqms[agent], all_iqms[agent]))
        for agent in range(3)
    ]
    return Compared(
        student=levels[0],
        random=levels[1],
        dqn=levels[2],
        normalized=_estimated(score, scores if scores.size else np.array([score])),
        over_random=_improvement(wins[0].mean(), all_wins[0], count),
        over_dqn=_improvement(wins[1].mean(), all_wins[1], count),
        gain=_estimated(means[0] - means[1], all_means[0] - all_means[1]),
        difference=_estimated(means[0] - means[2], all_means[0] - all_means[2]),
    )


def _multiplicities(drawn: npt.NDArray[np.int64]) -> Floats:
    """How often each episode was drawn in each resample; shape (resamples, episodes)."""
    rows, count = drawn.shape
    places = drawn + np.arange(rows)[:, None] * count
    times = np.bincount(places.ravel(), minlength=rows * count).reshape(rows, count)
    return times.astype(np.float64)


def _improvement(value: float, resampled: Floats, count: int) -> Estimated:
    """A probability, whose interval has a width even where every comparison went one way.

    Resamples of nothing but wins hold nothing but wins; what as many pairs leave open is then taken
    from Clopper and Pearson, The use of confidence or fiducial limits illustrated in the case of
    the binomial, Biometrika 26:404 (1934).
    """
    if value not in (0.0, 1.0):
        return _estimated(value, resampled)
    open_share = 1.0 - ((1 - CONFIDENCE) / 2) ** (1 / count)
    interval = Interval(1.0 - open_share, 1.0) if value else Interval(0.0, open_share)
    return Estimated(float(value), interval)


def _estimated(value: float, resampled: Floats) -> Estimated:
    return Estimated(float(value), percentile_interval(resampled))
