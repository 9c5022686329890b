"""How a result turns into points, by the rule that the assignment sets."""

from __future__ import annotations

import math
from typing import Final

from grader.records.agent_settings import Decides, Measure, PerformanceSettings, Rule
from grader.records.result import Estimate, PointsBar, PointsBasis, ReturnsComparison

_ROUNDING: Final = 1e-10
"""Numbers this close are equal: of the results that lie exactly at a bar, floating point puts a
quarter just below it."""


def points_basis(
    settings: PerformanceSettings, normalized: Estimate, comparison: ReturnsComparison
) -> PointsBasis:
    """What the points hang on: the result, the bars, and whether it is too close to one of them.

    Args:
        settings: the assignment's rule.
        normalized: the normalised score of the mean returns.
        comparison: the returns, summed up.
    """
    match settings.measure:
        case Measure.NORMALIZED:
            result = normalized
        case Measure.MEAN_RETURN:
            result = comparison.student.mean
        case Measure.IQM:
            result = comparison.student.iqm
    bars = tuple(
        PointsBar(at=at, at_return=_as_return(at, settings.measure, comparison), share=share)
        for at, share in settings.bars
    )
    jumps = settings.rule is not Rule.LINEAR
    return PointsBasis(
        rule=settings.rule,
        measure=settings.measure,
        decides=settings.decides,
        bars=bars,
        result=result,
        borderline=jumps and any(is_near(result, bar) for bar in bars),
    )


def _as_return(at: float, measure: Measure, comparison: ReturnsComparison) -> float:
    if measure is not Measure.NORMALIZED:
        return at
    random = comparison.random.mean.value
    return random + at * (comparison.dqn.mean.value - random)


def reaches(result: float, at: float) -> bool:
    """Whether a result is at a bar or above it."""
    return result >= at or math.isclose(result, at, rel_tol=_ROUNDING, abs_tol=_ROUNDING)


def is_near(result: Estimate, bar: PointsBar) -> bool:
    """Whether the interval of a result has the bar in it, so that other episodes may decide."""
    return reaches(result.high, bar.at) and not reaches(result.low, bar.at)


def deciding(basis: PointsBasis) -> float:
    """The number that is held against the bars."""
    return basis.result.low if basis.decides is Decides.INTERVAL_LOW else basis.result.value


def fraction(basis: PointsBasis) -> float:
    """The share of the points that a result earns, from 0 to 1."""
    reached = deciding(basis)
    if basis.rule is Rule.LINEAR:
        none, full = basis.bars
        if reaches(reached, full.at):
            return 1.0
        return min(max((reached - none.at) / (full.at - none.at), 0.0), 1.0)
    return max((bar.share for bar in basis.bars if reaches(reached, bar.at)), default=0.0)
