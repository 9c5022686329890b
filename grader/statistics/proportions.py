"""Exact tests of single proportions, and bounds for counts."""

from __future__ import annotations


def proportion_p(count: int, trials: int, probability: float) -> float:
    """Exact two-sided binomial test: twice the smaller tail, at most 1.

    Args:
        count: how often it happened.
        trials: how often it could have happened.
        probability: of its happening each time, independently; 0 and 1 are exact too.
    """
    from scipy.special import bdtr, bdtrc  # imported on use: it takes longer than the whole grader

    if probability in (0.0, 1.0):
        return 1.0 if count == probability * trials else 0.0
    at_most = float(bdtr(count, trials, probability))
    at_least = 1.0 if count == 0 else float(bdtrc(count - 1, trials, probability))
    return min(1.0, 2.0 * min(at_most, at_least))


def acceptable_counts(trials: int, probability: float, level: float) -> tuple[int, int]:
    """The smallest and the largest count that `proportion_p` does not reject at a level."""
    accepted = [n for n in range(trials + 1) if proportion_p(n, trials, probability) >= level]
    return accepted[0], accepted[-1]
