"""Where every mark of a plot goes: numbers in, coordinates out. The templates draw them.

All lengths are in the units of the plot's own `viewBox`; the width is always `WIDTH`, narrow enough
that the labels stay readable on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grader.records.result import ActionCounts
from grader.reporting.class_figures import Bin
from grader.reporting.wording import decimal_text

WIDTH: Final = 360.0
_MARGIN: Final = 14.0
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
class Scale:
    """Maps values to horizontal places."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """The horizontal place of a value."""
        share = (value - self.low) / (self.high - self.low)
        return round(_MARGIN + share * (WIDTH - 2 * _MARGIN), 2)


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
    scale = Scale(0, 100)
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


def tick_text(mark: float, marks: Sequence[float]) -> str:
    """The label of a mark, with as many decimals as tell it from its neighbours."""
    step = marks[1] - marks[0]
    return decimal_text(mark, max(0, -math.floor(math.log10(step) + 1e-9)))
