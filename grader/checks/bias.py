"""How a random agent differs from a uniform one, told from the tests that it failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.records.evidence import ActionComponent, SpaceTrial
from grader.records.result import Finding, Severity
from grader.statistics.uniformity import (
    Aspect,
    UniformityResult,
    binned,
    draws,
    observed_match_probability,
    repeat_profile,
)


class BiasCode(StrEnum):
    """Codes of findings about how actions are distributed."""

    NEVER_CHOSEN = "RA102"
    UNEVEN = "RA103"
    RANGE_NOT_COVERED = "RA104"
    UNEVEN_RANGE = "RA105"
    FEW_VALUES = "RA106"
    SEQUENCE_REPEATS = "RA107"
    DEPENDS_ON_PAST = "RA108"
    DEPENDS_ON_OBSERVATION = "RA109"
    COMPONENTS_TIED = "RA110"
    ALWAYS_THE_SAME = "RA111"


REPEATED_SHARE: Final = 0.95
"""Share of steps equal to those a lag before from which a sequence counts as repeated."""

RARE_ZERO: Final = 20.0
"""Expected count from which a value that never comes is no chance (probability below e**-20)."""

_MAX_NAMED: Final = 3

_MARGINAL: Final = {
    Aspect.FREQUENCIES,
    Aspect.SINGLE_VALUE,
    Aspect.DISTRIBUTION,
    Aspect.RANGE,
    Aspect.DISTINCT_VALUES,
}

_CLAIMS: Final = {
    BiasCode.NEVER_CHOSEN: (
        "Some actions are never chosen.",
        "Check both ends of the range: `random.randint(a, b)` includes b, numpy's "
        "`integers(a, b)` does not, and a `Discrete` space begins at `start`.",
    ),
    BiasCode.UNEVEN: (
        "Some actions are chosen more often than others.",
        "Draw an index with `integers(n)` or call `action_space.sample()`; rounding a random "
        "float gives the first and last action half their share.",
    ),
    BiasCode.RANGE_NOT_COVERED: (
        "A part of the range of a continuous action is never used.",
        "Draw with `uniform(low, high)`, both taken from the action space.",
    ),
    BiasCode.UNEVEN_RANGE: (
        "The values of a continuous action are not spread evenly over its range.",
        "Draw with `uniform(low, high)`, not from a normal distribution that is clipped.",
    ),
    BiasCode.FEW_VALUES: (
        "A continuous action takes only a few different values.",
        "Draw floats with `uniform(low, high)`: no integers, no rounding, no list of values.",
    ),
    BiasCode.SEQUENCE_REPEATS: (
        "The actions repeat themselves: the same sequence comes again and again.",
        "Draw every action anew; do not cycle through the actions, replay a list, or seed the "
        "generator again while acting.",
    ),
    BiasCode.DEPENDS_ON_PAST: (
        "An action depends on the actions before it.",
        "Draw every action anew: keep nothing from one call of `act` to the next but the "
        "generator.",
    ),
    BiasCode.DEPENDS_ON_OBSERVATION: (
        "The action depends on the observation.",
        "Do not look at the observation: a random agent is blind.",
    ),
    BiasCode.COMPONENTS_TIED: (
        "The parts of one action depend on each other.",
        "Draw every part of the action on its own, or call `action_space.sample()`.",
    ),
    BiasCode.ALWAYS_THE_SAME: (
        "The agent takes one and the same action at every step.",
        "Draw a new action in every call of `act`, from a generator that is made and seeded once, "
        "in `__init__`.",
    ),
}


@dataclass(frozen=True, slots=True)
class _Detail:
    """What one component shows of a problem."""

    code: BiasCode
    received: str
    expected: str


def bias_findings(
    judged: Iterable[tuple[SpaceTrial, tuple[UniformityResult, ...]]], level: float, where: str
) -> tuple[Finding, ...]:
    """One finding for each problem: the first action space in full, the others by name.

    Args:
        judged: the sampled actions of each space, and the tests whose p-value is below `level`.
        level: level of each test.
        where: the place in the student's file.
    """
    problems: dict[BiasCode, dict[str, list[_Detail]]] = {}
    for trial, rejected in judged:
        for detail in _details(trial, rejected, level):
            problems.setdefault(detail.code, {}).setdefault(trial.space, []).append(detail)
    return tuple(_finding(code, problems[code], where) for code in BiasCode if code in problems)


def _finding(code: BiasCode, spaces: dict[str, list[_Detail]], where: str) -> Finding:
    claim, advice = _CLAIMS[code]
    (first, details), *others = spaces.items()
    more = len(details) - _MAX_NAMED
    parts = "; ".join(detail.received for detail in details[:_MAX_NAMED])
    return Finding(
        code=code,
        severity=Severity.ERROR,
        claim=claim,
        where=where,
        expected=details[0].expected,
        received=f"with {first}: {parts}"
        + (f"; and {more} more" if more > 0 else "")
        + (f" (also with {few(space for space, _ in others)})" if others else ""),
        try_=advice,
    )


@dataclass(frozen=True, slots=True)
class _Sequence:
    """One component's values, as they were tested."""

    component: ActionComponent
    values: npt.NDArray[Any]
    continuous: bool
    indices: npt.NDArray[np.int64]
    choices: int

    @classmethod
    def of(cls, component: ActionComponent) -> _Sequence:
        values, distinct = draws(component)
        return cls(component, values, distinct is None, *binned(values, distinct))

    @property
    def head(self) -> str:
        """The component's name, to begin a line with."""
        return f"{self.component.name}: " if self.component.name else ""

    def label(self, index: int) -> str:
        """One of the values (or bins), in words."""
        if self.continuous:
            return f"a value in part {index + 1} of {self.choices} of the range"
        labels = self.component.labels
        return f"action {labels[index] if index < len(labels) else index}"

    def period(self, level: float) -> int | None:
        """The shortest lag at which it repeats itself, unless that is for lack of variety."""
        profile = repeat_profile(self.indices, observed_match_probability(self.indices))
        certain = profile.p_values * profile.p_values.size < level
        lags = np.flatnonzero(certain & (profile.shares >= REPEATED_SHARE))
        return int(lags[0]) + 1 if lags.size else None


def few(names: Iterable[str]) -> str:
    """A few names, and how many more there are."""
    every = tuple(names)
    more = len(every) - _MAX_NAMED
    return ", ".join(every[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _details(
    trial: SpaceTrial, rejected: tuple[UniformityResult, ...], level: float
) -> Iterable[_Detail]:
    if rejected and _is_constant(trial):
        # All that a test can find fault with follows from it.
        yield _Detail(
            BiasCode.ALWAYS_THE_SAME,
            f"{_constant_action(trial)} in all of {trial.samples} steps",
            "a new action, drawn by chance, at every step",
        )
        return
    repeating = set()
    for index, component in enumerate(trial.components):
        aspects = {test.aspect for test in rejected if test.components == (index,)}
        if not aspects:
            continue
        sequence = _Sequence.of(component)
        period = sequence.period(level)
        if period is not None:
            # Uneven counts and ties are what a repeated list brings with it, not further causes.
            repeating.add(index)
            yield _Detail(
                BiasCode.SEQUENCE_REPEATS,
                f"{sequence.head}the same as {_before(period)} in (nearly) every step",
                "actions that cannot be foretold",
            )
            continue
        if Aspect.OBSERVATION in aspects and trial.observation_codes is not None:
            # What depends on the observation is uneven in most cases; that is no further cause.
            yield _observed(sequence, trial.observation_codes.array())
            continue
        if aspects & _MARGINAL and sequence.continuous:
            yield _uneven_range(sequence, aspects)
        elif aspects & _MARGINAL:
            yield _uneven(sequence)
        if aspects & {Aspect.SUCCESSION, Aspect.REPEATS}:
            yield from _past(sequence, aspects, level)
    for test in rejected:
        if test.aspect is Aspect.COMPONENTS and not repeating.intersection(test.components):
            first, second = (trial.components[index] for index in test.components)
            yield _Detail(
                BiasCode.COMPONENTS_TIED,
                f"{first.name} and {second.name} go together",
                "parts that are drawn independently",
            )


def _is_constant(trial: SpaceTrial) -> bool:
    return bool(trial.components) and all(
        np.unique(component.values.array()).size == 1 for component in trial.components
    )


def _constant_action(trial: SpaceTrial) -> str:
    first, *others = trial.components
    if others or first.choices is None:
        return "the same action"
    sequence = _Sequence.of(first)
    return sequence.label(int(sequence.indices[0]))


def _before(lag: int) -> str:
    return "the action before" if lag == 1 else f"the action {lag} steps before"


def _uneven(sequence: _Sequence) -> _Detail:
    draws_made = sequence.indices.size
    counts = np.bincount(sequence.indices, minlength=sequence.choices)
    share = draws_made / sequence.choices
    expected = f"each about {share:.0f} times"
    # With few draws per value, zero is no rarity; then the unevenness as a whole is the point.
    never = np.flatnonzero(counts == 0) if share > RARE_ZERO else np.array([], np.int64)
    if not never.size:
        worst = int(np.abs(counts - share).argmax())
        received = f"{sequence.head}{sequence.label(worst)}: {counts[worst]} of {draws_made} times"
        return _Detail(BiasCode.UNEVEN, received, expected)
    names = few(sequence.label(int(index)) for index in never)
    received = f"{sequence.head}{names}: 0 of {draws_made} times"
    used = np.flatnonzero(counts)
    if used.size == 1:
        received += f"; always {sequence.label(int(used[0]))}"
    return _Detail(BiasCode.NEVER_CHOSEN, received, expected)


def _uneven_range(sequence: _Sequence, aspects: set[Aspect]) -> _Detail:
    values = sequence.values
    distinct = np.unique(values).size
    # Clipping repeats the ends of the range only; that is a matter of how values are spread.
    clipped = Aspect.DISTRIBUTION in aspects and distinct > values.size / 2
    if Aspect.DISTINCT_VALUES in aspects and not clipped:
        return _Detail(
            BiasCode.FEW_VALUES,
            f"{sequence.head}{'one value' if distinct == 1 else f'{distinct} different values'} "
            f"in {values.size} draws",
            "a new value at nearly every draw",
        )
    if Aspect.RANGE in aspects:
        return _Detail(
            BiasCode.RANGE_NOT_COVERED,
            f"{sequence.head}values from {values.min():.1%} to {values.max():.1%} of the way from "
            "the lower to the upper bound",
            "values from 0% to 100%",
        )
    quarters = np.bincount(sequence.indices, minlength=sequence.choices)
    shares = ", ".join(f"{count / values.size:.1%}" for count in quarters)
    return _Detail(
        BiasCode.UNEVEN_RANGE,
        f"{sequence.head}{shares} of the values in the quarters of the range",
        "25% in each quarter",
    )


def _past(sequence: _Sequence, aspects: set[Aspect], level: float) -> Iterable[_Detail]:
    indices, choices = sequence.indices, sequence.choices
    # Uneven actions agree with each other more often by themselves; that is told already.
    chance = observed_match_probability(indices) if aspects & _MARGINAL else 1 / choices
    profile = repeat_profile(indices, chance)
    if profile.corrected() < level:
        lag = int(profile.p_values.argmin())
        like = "as large as" if sequence.continuous else "the same as"
        yield _Detail(
            BiasCode.DEPENDS_ON_PAST,
            f"{sequence.head}{like} {_before(lag + 1)} in {profile.shares[lag]:.1%} of the steps",
            f"in {chance:.1%}, by chance",
        )
    elif Aspect.SUCCESSION in aspects:
        pairs, seen = np.unique(indices[:-1] * choices + indices[1:], return_counts=True)
        counts = np.bincount(indices, minlength=choices)
        expected = counts[pairs // choices] * counts[pairs % choices] / indices.size
        worst = int((np.abs(seen - expected) / np.sqrt(expected)).argmax())
        first, second = (sequence.label(int(index)) for index in divmod(pairs[worst], choices))
        yield _Detail(
            BiasCode.DEPENDS_ON_PAST,
            f"{sequence.head}{second} right after {first}: {seen[worst]} times",
            f"about {expected[worst]:.0f} times",
        )


def _observed(sequence: _Sequence, codes: npt.NDArray[Any]) -> _Detail:
    groups = [sequence.indices[codes == code] for code in np.unique(codes)]
    counts = np.array([np.bincount(group, minlength=sequence.choices) for group in groups])
    shares = counts / counts.sum(axis=1, keepdims=True)
    worst = int((shares.max(axis=0) - shares.min(axis=0)).argmax())
    return _Detail(
        BiasCode.DEPENDS_ON_OBSERVATION,
        f"{sequence.head}{sequence.label(worst)} in {shares[:, worst].min():.0%} of the steps with "
        f"one observation and in {shares[:, worst].max():.0%} with another",
        "the same share whatever is observed",
    )
