"""Is a sequence of actions uniform, and independent of everything that came before?

Each test is exact or has an upper bound for its p-value, or is a chi-square test with at least
`MIN_EXPECTED` draws expected in every cell. There the size, counted on 4,000,000 tables each of 2
to 81 cells, was 0.8 to 1.1 times the nominal one at 1e-3 and 1e-4 and 0.5 to 1.3 times at 1e-5;
at 1e-6, where four rejections were expected, 0 to 5 were counted. (With 10 draws a cell it was up
to 1.9 times at 1e-5.) The false alarm over all tests of a submission is kept by Bonferroni,
`level_per_test`: with the built-in assignment's 75 tests and 5e-5 over all, each has 6.7e-7.

What 4000 samples find at that level:

- one action of four at 30.3 % or 20 % instead of 25 %, one of two at 56 %, one of eighteen at
  9 % instead of 5.6 %, with a probability of 99 %;
- a previous action kept in 10 % of the steps always, in 8 % with 98 %;
- an observation followed in 9 % of the steps always, in 8 % with 98 %;
- cycles, lists and generators that begin anew after up to 2000 steps (`MAX_LAG`, half the
  samples), and a missing action (off by one, or rounded), always; a list of 2500 not;
- 0.4 % of a continuous range that is never reached, values of two decimals, and numbers drawn
  from a list of 300, always.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.records.evidence import ActionComponent, SpaceTrial

MIN_EXPECTED: Final = 25
"""Draws expected in each cell of a chi-square table; values are pooled until it is so."""

CONTINUOUS_BINS: Final = 4
"""Equal bins that a continuous component is cut into where a discrete one is needed."""

MAX_LAG: Final = 2048
"""The longest distance at which a sequence is compared with itself."""

FLOAT_VALUES: Final = 1024
"""Different values that any float format tells apart over a range, at the least.

Half precision has 2048 steps in the upper half of [0, 1] and more below. Fewer values than this
come from rounding or from a list, and not from the format.
"""

MAX_CHOICES: Final = 1024
"""Values of a discrete component above which it is treated as continuous (an integer `Box`)."""

MAX_PAIRS: Final = 500
"""Pairs of components that are compared, neighbours first."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Aspect(StrEnum):
    """What a test looks at."""

    FREQUENCIES = "frequencies"
    SINGLE_VALUE = "single_value"
    DISTRIBUTION = "distribution"
    RANGE = "range"
    DISTINCT_VALUES = "distinct_values"
    SUCCESSION = "succession"
    REPEATS = "repeats"
    OBSERVATION = "observation"
    COMPONENTS = "components"


MEANING: Final = {
    Aspect.FREQUENCIES: "the values do not come equally often",
    Aspect.SINGLE_VALUE: "one value comes too often or too rarely",
    Aspect.DISTRIBUTION: "the values are not spread evenly over the range",
    Aspect.RANGE: "values near an end of the range never come",
    Aspect.DISTINCT_VALUES: "only a few different values of the range are used",
    Aspect.SUCCESSION: "a value depends on the one before",
    Aspect.REPEATS: "values equal those a fixed number of steps before too often or too rarely",
    Aspect.OBSERVATION: "the value depends on the observation",
    Aspect.COMPONENTS: "two parts of one action depend on each other",
}
"""What it means when a test rejects."""


@dataclass(frozen=True, slots=True)
class UniformityResult:
    """One test of one component, or of a pair of them."""

    aspect: Aspect
    components: tuple[int, ...]
    """Indices of the components in the action."""
    statistic: float
    """Chi-square, Kolmogorov-Smirnov distance, or a count; see the function."""
    p_value: float
    """Probability of a statistic at least this extreme from a uniform, independent agent."""

    @property
    def meaning(self) -> str:
        """What it means when this test rejects."""
        return MEANING[self.aspect]


@dataclass(frozen=True, slots=True)
class RepeatProfile:
    """How often a sequence agrees with itself, shifted; entry i is for a lag of i + 1."""

    matches: Ints
    """Steps whose value is that of `lag` steps before."""
    compared: Ints
    """Steps that have one `lag` steps before."""
    p_values: Floats
    """Two-sided, not corrected for the number of lags."""

    @property
    def shares(self) -> Floats:
        """Matches per step compared."""
        return self.matches / self.compared

    def corrected(self) -> float:
        """The smallest p-value, corrected (Bonferroni) for the number of lags."""
        return min(1.0, float(self.p_values.min()) * self.p_values.size)


def level_per_test(false_alarm: float, tests: int) -> float:
    """The level of each test that keeps the false alarm over all of them (Bonferroni)."""
    return false_alarm / max(tests, 1)


def draws(component: ActionComponent) -> tuple[npt.NDArray[Any], int | None]:
    """A component's values as they are tested, and the number of values; None if continuous."""
    values = component.values.array()
    if component.choices is not None and component.choices > MAX_CHOICES:
        return values / (component.choices - 1), None
    return values, component.choices


def binned(values: npt.NDArray[Any], choices: int | None) -> tuple[Ints, int]:
    """Values as indices, and how many there are: continuous ones cut into equal bins.

    Args:
        values: int64 indices (discrete), or float64 in [0, 1] (continuous), shape (samples,).
        choices: number of values of a discrete component; None for a continuous one.
    """
    if choices is not None:
        return values.astype(np.int64), choices
    bins = np.floor(values * CONTINUOUS_BINS).astype(np.int64)
    return np.clip(bins, 0, CONTINUOUS_BINS - 1), CONTINUOUS_BINS


def frequencies(indices: Ints, choices: int) -> tuple[float, float]:
    """Chi-square test that all values are equally likely: statistic and p-value.

    Where there are too many values for the number of draws, neighbouring ones are pooled.
    """
    groups = min(choices, max(indices.size // MIN_EXPECTED, 2))
    sizes = np.bincount(np.arange(choices) * groups // choices, minlength=groups)
    expected = indices.size * sizes / choices
    counts = np.bincount(indices * groups // choices, minlength=groups)
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return statistic, _chi_square_tail(groups - 1, statistic)


def single_value(indices: Ints, choices: int) -> tuple[float, float]:
    """Exact binomial test of the value that stands out most: its count and the p-value.

    Two-sided, corrected (Bonferroni) for the number of values. Sharper than the chi-square test
    against one bad value among many, and exact where an action is rare.
    """
    counts = np.bincount(indices, minlength=choices)
    p_values = _binomial_p(counts, np.full(choices, indices.size), 1 / choices)
    worst = int(p_values.argmin())
    return float(counts[worst]), min(1.0, float(p_values[worst]) * choices)


def distribution(values: Floats) -> tuple[float, float]:
    """Kolmogorov-Smirnov test against the uniform distribution on [0, 1]: distance and p-value.

    The p-value is twice the exact one-sided one (Birnbaum and Tingey 1951), an upper bound that
    is sharp in the tail, where both sides are not exceeded at once.
    """
    from scipy.special import smirnov  # imported on use: it takes longer than the whole grader

    ordered = np.sort(values)
    steps = np.arange(1, ordered.size + 1) / ordered.size
    above, below = steps - ordered, ordered - steps + 1 / ordered.size
    distance = float(np.clip(max(above.max(), below.max()), 0.0, 1.0))
    return distance, min(1.0, 2.0 * float(smirnov(ordered.size, distance)))


def value_range(values: Floats) -> tuple[float, float]:
    """Exact test of the wider gap between the values and an end of [0, 1]: the gap and p-value.

    All of n values leave a gap g at one end with probability (1 − g)ⁿ; two ends (Bonferroni).
    """
    gap = float(np.clip(max(values.min(), 1 - values.max()), 0.0, 1.0))
    return gap, min(1.0, 2.0 * float((1 - gap) ** values.size))


def distinct_values(values: Floats) -> tuple[float, float]:
    """Whether exact values recur more often than floats explain: different values and p-value.

    The number of equal pairs is that of a chi-square statistic over `FLOAT_VALUES` equally likely
    cells, without the need to know the cells. Formats with more values than that recur less
    often, so the p-value is an upper bound.
    """
    _, counts = np.unique(values, return_counts=True)
    statistic = FLOAT_VALUES / values.size * float((counts.astype(np.float64) ** 2).sum())
    statistic -= values.size
    return float(counts.size), _chi_square_tail(FLOAT_VALUES - 1, max(statistic, 0.0))


def independence(first: Ints, rows: int, second: Ints, columns: int) -> tuple[float, float]:
    """Pearson's chi-square test that two sequences, step by step, are independent.

    The margins are estimated, so an uneven but independent pair passes. Neighbouring values are
    pooled where there are too many for the number of draws; values that never came have no row.

    Args:
        first: indices 0 to rows − 1, shape (samples,).
        rows: number of values of the first sequence.
        second: indices 0 to columns − 1, shape (samples,).
        columns: number of values of the second sequence.

    Returns:
        Statistic and p-value.
    """
    row_groups, column_groups = _table_size(rows, columns, first.size)
    cells = (first * row_groups // rows) * column_groups + second * column_groups // columns
    table = np.bincount(cells, minlength=row_groups * column_groups).astype(np.float64)
    table = table.reshape(row_groups, column_groups)
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    if freedom < 1:
        return 0.0, 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return statistic, _chi_square_tail(freedom, statistic)


def succession(indices: Ints, choices: int) -> tuple[float, float]:
    """Whether a value depends on the one before, on disjoint pairs: (a₀, a₁), (a₂, a₃).

    Overlapping pairs share a value and their table is not chi-square distributed.
    """
    pairs = indices[: indices.size // 2 * 2].reshape(-1, 2)
    return independence(pairs[:, 0], choices, pairs[:, 1], choices)


def repeat_profile(indices: Ints, match_probability: float) -> RepeatProfile:
    """Compares a sequence with itself at every lag up to half its length (at most `MAX_LAG`).

    For a uniform, independent sequence the differences of values a lag apart are themselves
    independent and uniform modulo the number of values, so the number of matches is exactly
    binomial. It finds cycles, replayed lists, generators seeded anew every so many steps, and
    actions that stick or are avoided.

    Args:
        indices: the sequence, shape (samples,).
        match_probability: of two independent draws being equal; 1 / choices if uniform.
    """
    lags = np.arange(1, min(indices.size // 2, MAX_LAG) + 1)
    matches = np.array([np.count_nonzero(indices[lag:] == indices[:-lag]) for lag in lags])
    compared = indices.size - lags
    return RepeatProfile(
        matches=matches.astype(np.int64),
        compared=compared.astype(np.int64),
        p_values=_binomial_p(matches, compared, match_probability),
    )


def observed_match_probability(indices: Ints) -> float:
    """Probability that two independent draws with these frequencies are equal."""
    return float(((np.bincount(indices) / indices.size) ** 2).sum())


def space_tests(trial: SpaceTrial) -> tuple[UniformityResult, ...]:
    """All tests of one space. Which ones there are depends on the space alone, not on the draws."""
    codes = None if trial.observation_codes is None else trial.observation_codes.array()
    tested = [
        (index, component)
        for index, component in enumerate(trial.components)
        if component.choices != 1
    ]
    results = [
        result
        for index, component in tested
        for result in _component_tests(index, component, codes)
    ]
    cut = {index: binned(*draws(item)) for index, item in tested}
    for first, second in _pairs(list(cut)):
        outcome = independence(*cut[first], *cut[second])
        results.append(UniformityResult(Aspect.COMPONENTS, (first, second), *outcome))
    return tuple(results)


def _component_tests(
    index: int, component: ActionComponent, codes: npt.NDArray[Any] | None
) -> Iterable[UniformityResult]:
    values, distinct = draws(component)
    indices, choices = binned(values, distinct)
    found: dict[Aspect, tuple[float, float]] = {}
    if distinct is None:
        found[Aspect.DISTRIBUTION] = distribution(values)
        found[Aspect.RANGE] = value_range(values)
        found[Aspect.DISTINCT_VALUES] = distinct_values(values)
    else:
        found[Aspect.FREQUENCIES] = frequencies(indices, choices)
        found[Aspect.SINGLE_VALUE] = single_value(indices, choices)
    found[Aspect.SUCCESSION] = succession(indices, choices)
    profile = repeat_profile(indices, 1 / choices)
    found[Aspect.REPEATS] = (float(profile.matches[profile.p_values.argmin()]), profile.corrected())
    if codes is not None:
        shown, places = np.unique(codes, return_inverse=True)
        found[Aspect.OBSERVATION] = independence(
            places.astype(np.int64), max(shown.size, 1), indices, choices
        )
    return (
        UniformityResult(aspect, (index,), statistic, p_value)
        for aspect, (statistic, p_value) in found.items()
    )


def _pairs(indices: list[int]) -> list[tuple[int, int]]:
    every = itertools.combinations(indices, 2)
    if len(indices) > 2 * MAX_PAIRS:
        every = itertools.pairwise(indices)  # type: ignore[assignment]  # the same tuples, fewer
    return sorted(every, key=lambda pair: (pair[1] - pair[0], pair))[:MAX_PAIRS]


def _table_size(rows: int, columns: int, draws: int) -> tuple[int, int]:
    cells = max(draws // MIN_EXPECTED, 4)
    square = max(int(cells**0.5), 2)
    if rows <= square:
        return rows, min(columns, max(cells // rows, 2))
    if columns <= square:
        return min(rows, max(cells // columns, 2)), columns
    return square, square


def _chi_square_tail(freedom: int, statistic: float) -> float:
    from scipy.special import chdtrc  # imported on use: it takes longer than the whole grader

    return float(chdtrc(freedom, statistic))


def _binomial_p(
    counts: npt.NDArray[np.integer[Any]], trials: npt.NDArray[np.integer[Any]], probability: float
) -> Floats:
    """Exact two-sided p-values: twice the smaller tail."""
    from scipy.special import bdtr, bdtrc  # imported on use, as above

    at_most = bdtr(counts.astype(np.float64), trials, probability)
    at_least = bdtrc(counts.astype(np.float64) - 1, trials, probability)
    smaller: Floats = np.minimum(at_most, at_least)
    return np.minimum(1.0, 2.0 * smaller)
