"""Where every mark of a plot goes: numbers in, coordinates out. The templates draw them.

All lengths are in the units of the plot's own `viewBox`; the width is always `WIDTH`, narrow enough
that the labels stay readable on a phone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grader.records.result import ActionCounts, EpisodeReturns
from grader.reporting.class_figures import Bin
from grader.reporting.wording import decimal_text

WIDTH: Final = 360.0
_MARGIN: Final = 14.0
_DOT_RADIUS: Final = 4.0
_COUNTABLE: Final = 9
"""The most dots in one stack that are not given as a number too."""
_STRIP_HEIGHT: Final = 44.0
_STRIP_PITCH: Final = 70.0
_STRIP_TOP: Final = 20.0
_BAR_PITCH: Final = 24.0
_BAR_LEFT: Final = 100.0
_BAR_RIGHT: Final = 310.0
_BAR_TOP: Final = 22.0
_LABEL_CHARS: Final = 10
_COLUMNS_HEIGHT: Final = 120.0


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Dot:
    """One episode."""

    x: float
    y: float
    seed: int
    value: float


@dataclass(frozen=True)
class Stack:
    """How many equal dots stand over each other where they are too many to count."""

    x: float
    y: float
    count: int
    before: bool
    """Whether the number stands left of the dots."""


@dataclass(frozen=True)
class Strip:
    """All episodes of one agent."""

    role: str
    """`student`, `random` or `dqn`; the template colours by it."""
    label: str
    label_y: float
    top: float
    bottom: float
    mean: float
    mean_x: float
    dots: tuple[Dot, ...]
    stacks: tuple[Stack, ...]


@dataclass(frozen=True)
class StripPlot:
    """Three strips above one axis."""

    height: float
    axis_y: float
    ticks: tuple[Tick, ...]
    strips: tuple[Strip, ...]


@dataclass(frozen=True)
class IntervalPlot:
    """The normalised score with its interval, between random play and the reference."""

    height: float
    axis_y: float
    ticks: tuple[Tick, ...]
    low_x: float
    high_x: float
    point_x: float


@dataclass(frozen=True)
class Bar:
    """One action."""

    label: str
    y: float
    width: float
    count: int


@dataclass(frozen=True)
class BarPlot:
    """One bar per action, and the line where all would end if equally likely."""

    height: float
    left: float
    expected_x: float
    bottom: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Column:
    """One bin of the score distribution."""

    x: float
    y: float
    width: float
    height: float
    bin: Bin


@dataclass(frozen=True)
class Histogram:
    """The score distribution."""

    height: float
    axis_y: float
    ticks: tuple[Tick, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class _Scale:
    """Maps values to horizontal places."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(_MARGIN + share * (WIDTH - 2 * _MARGIN), 2)


def strip_plot(returns: EpisodeReturns) -> StripPlot:
    """Every episode of the student, the random agent and the reference as a dot.

    Dots that would cover each other are stacked, and a stack too high to count has its number
    beside it.
    """
    values = (*returns.student, *returns.random, *returns.dqn)
    marks = nice_ticks(min(values), max(values))
    scale = _Scale(min(marks[0], *values), max(marks[-1], *values))
    agents = (
        ("student", "Your agent", returns.student, returns.student_mean),
        ("random", "Random agent", returns.random, returns.random_mean),
        ("dqn", "Reference DQN", returns.dqn, returns.dqn_mean),
    )
    strips: list[Strip] = []
    for index, (role, label, values_of_agent, mean) in enumerate(agents):
        top = _STRIP_TOP + index * _STRIP_PITCH
        strips.append(
            Strip(
                role=role,
                label=label,
                label_y=top - 6,
                top=top,
                bottom=top + _STRIP_HEIGHT,
                mean=mean,
                mean_x=scale(mean),
                dots=_stacked(returns.seeds, values_of_agent, scale, top + _STRIP_HEIGHT / 2),
                stacks=_high_stacks(values_of_agent, scale, top + _STRIP_HEIGHT / 2),
            )
        )
    axis_y = _STRIP_TOP + 2 * _STRIP_PITCH + _STRIP_HEIGHT + 6
    return StripPlot(
        height=axis_y + 40,
        axis_y=axis_y,
        ticks=tuple(Tick(scale(mark), _tick_text(mark, marks)) for mark in marks),
        strips=tuple(strips),
    )


def interval_plot(returns: EpisodeReturns) -> IntervalPlot:
    """The normalised score on a line from random play (0) to the reference (1)."""
    low = min(0.0, returns.normalized_low, returns.normalized_score)
    high = max(1.0, returns.normalized_high, returns.normalized_score)
    pad = 0.06 * (high - low)
    scale = _Scale(low - pad, high + pad)
    return IntervalPlot(
        height=74,
        axis_y=30,
        ticks=(Tick(scale(0.0), "0 random"), Tick(scale(1.0), "1 reference")),
        low_x=scale(returns.normalized_low),
        high_x=scale(returns.normalized_high),
        point_x=scale(returns.normalized_score),
    )


def bar_plot(counts: ActionCounts) -> BarPlot:
    """How often each action was taken."""
    longest = max((*counts.counts, counts.expected, 1.0))
    unit = (_BAR_RIGHT - _BAR_LEFT) / longest
    bars = tuple(
        Bar(
            label=label if len(label) <= _LABEL_CHARS else label[: _LABEL_CHARS - 1] + "…",
            y=_BAR_TOP + index * _BAR_PITCH,
            width=round(count * unit, 2),
            count=count,
        )
        for index, (label, count) in enumerate(zip(counts.labels, counts.counts, strict=True))
    )
    bottom = _BAR_TOP + len(bars) * _BAR_PITCH
    return BarPlot(
        height=bottom + 6,
        left=_BAR_LEFT,
        expected_x=round(_BAR_LEFT + counts.expected * unit, 2),
        bottom=bottom,
        bars=bars,
    )


def histogram(bins: Sequence[Bin]) -> Histogram:
    """The score distribution as columns over per cent of the maximum."""
    tallest = max((entry.count for entry in bins), default=0) or 1
    pitch = (WIDTH - 2 * _MARGIN) / len(bins)
    axis_y = 18 + _COLUMNS_HEIGHT
    columns = tuple(
        Column(
            x=round(_MARGIN + index * pitch + 1.5, 2),
            y=round(axis_y - entry.count / tallest * _COLUMNS_HEIGHT, 2),
            width=round(pitch - 3, 2),
            height=round(entry.count / tallest * _COLUMNS_HEIGHT, 2),
            bin=entry,
        )
        for index, entry in enumerate(bins)
    )
    scale = _Scale(0, 100)
    ticks = tuple(Tick(scale(mark), str(mark)) for mark in (0, 20, 40, 60, 80, 100))
    return Histogram(height=axis_y + 38, axis_y=axis_y, ticks=ticks, columns=columns)


def nice_ticks(low: float, high: float, about: int = 5) -> tuple[float, ...]:
    """Round values from at or below `low` to at or above `high`, 1, 2 or 5 times a power of ten.

    Source: P. Heckbert, Nice Numbers for Graph Labels, Graphics Gems (1990).
    """
    if high - low <= 1e-9 * max(abs(low), abs(high), 1.0):
        low, high = low - 1, high + 1
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(index * step for index in range(first, last + 1))


def _tick_text(mark: float, marks: Sequence[float]) -> str:
    step = marks[1] - marks[0]
    return decimal_text(mark, max(0, -math.floor(math.log10(step) + 1e-9)))


def _groups(values: Sequence[float], scale: _Scale) -> dict[int, list[int]]:
    """Indices of the values whose dots would cover each other."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, value in enumerate(values):
        groups[round(scale(value) / (2 * _DOT_RADIUS))].append(index)
    return groups


def _high_stacks(values: Sequence[float], scale: _Scale, middle: float) -> tuple[Stack, ...]:
    stacks: list[Stack] = []
    for members in _groups(values, scale).values():
        equal = len({values[index] for index in members}) == 1
        if equal and len(members) > _COUNTABLE:
            x = scale(values[members[0]])
            before = x > WIDTH / 2
            gap = 3 * _DOT_RADIUS
            stacks.append(
                Stack(
                    x=x - gap if before else x + gap,
                    y=middle + 4.5,
                    count=len(members),
                    before=before,
                )
            )
    return tuple(stacks)


def _stacked(
    seeds: Sequence[int], values: Sequence[float], scale: _Scale, middle: float
) -> tuple[Dot, ...]:
    """Dots side by side where they would overlap, symmetrical about the strip's middle."""
    groups = _groups(values, scale)
    places: dict[int, float] = {}
    for members in groups.values():
        room = _STRIP_HEIGHT - 2 * _DOT_RADIUS
        pitch = min(2 * _DOT_RADIUS, room / max(len(members) - 1, 1))
        for rank, index in enumerate(members):
            places[index] = middle + (rank - (len(members) - 1) / 2) * pitch
    return tuple(
        Dot(x=scale(value), y=round(places[index], 2), seed=seed, value=value)
        for index, (seed, value) in enumerate(zip(seeds, values, strict=True))
    )
