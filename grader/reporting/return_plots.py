"""Where every mark of the plots of episode returns goes: numbers in, coordinates out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grader.records.agent_settings import Measure
from grader.records.result import AgentFigures, EpisodeReturns, PointsBar
from grader.reporting.plots import WIDTH, Scale, Tick, nice_ticks, tick_text
from grader.reporting.wording import decimal_text, number_text

_DOT_RADIUS: Final = 4.0
_COUNTABLE: Final = 9
"""The most dots in one stack that are not given as a number too."""
_LABEL_WIDTH: Final = 50.0
"""Room of the label beside a stack."""
_STRIP_HEIGHT: Final = 44.0
_STRIP_PITCH: Final = 70.0
_STRIP_TOP: Final = 20.0
_FIGURES_HEIGHT: Final = 22.0
"""Room below the dots for the mean and the interquartile mean with their intervals."""
_BARS_HEIGHT: Final = 16.0
"""Room above the strips for what the bars are."""


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
    label: str
    """Such as `21 at 0`."""
    before: bool
    """Whether the label stands left of the dots."""


@dataclass(frozen=True)
class Whisker:
    """A number with its interval."""

    kind: str
    """`mean` or `iqm`; the template draws its mark by it."""
    label: str
    y: float
    x: float
    low_x: float
    high_x: float


@dataclass(frozen=True)
class BarMark:
    """A result at which points begin, end or jump."""

    x: float
    label: str
    """Empty for all but full marks."""
    label_x: float
    before: bool
    """Whether the label ends at the line."""


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
    whiskers: tuple[Whisker, ...]
    floor: float
    """Where the room of the whiskers ends."""


@dataclass(frozen=True)
class StripPlot:
    """Three strips above one axis, and the bars across them."""

    height: float
    axis_y: float
    ticks: tuple[Tick, ...]
    strips: tuple[Strip, ...]
    bars: tuple[BarMark, ...]


@dataclass(frozen=True)
class IntervalPlot:
    """The normalised score with its interval, between random play and the reference."""

    height: float
    axis_y: float
    ticks: tuple[Tick, ...]
    low_x: float
    high_x: float
    point_x: float
    bars: tuple[BarMark, ...]


def strip_plot(returns: EpisodeReturns) -> StripPlot:
    """Every episode of the student, the random agent and the reference as a dot.

    Dots that would cover each other are stacked, and a stack too high to count has its number
    beside it. Below the dots stand the mean and the interquartile mean with their intervals; the
    results at which points end or jump are drawn across all strips.
    """
    bars = _shown_bars(returns)
    values = (*returns.student, *returns.random, *returns.dqn, *(bar.at_return for bar in bars))
    marks = nice_ticks(min(values), max(values))
    scale = Scale(min(marks[0], *values), max(marks[-1], *values))
    compared = returns.comparison
    agents = (
        ("student", "Your agent", returns.student, returns.student_mean,
         compared and compared.student),
        ("random", "Random agent", returns.random, returns.random_mean,
         compared and compared.random),
        ("dqn", "Reference DQN", returns.dqn, returns.dqn_mean, compared and compared.dqn),
    )  # fmt: skip
    first = _STRIP_TOP + (_BARS_HEIGHT if bars else 0.0)
    pitch = _STRIP_PITCH + (_FIGURES_HEIGHT if compared else 0.0)
    strips: list[Strip] = []
    for index, (role, label, values_of_agent, mean, figures) in enumerate(agents):
        top = first + index * pitch
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
                whiskers=_whiskers(figures, scale, top + _STRIP_HEIGHT) if figures else (),
                floor=top + _STRIP_HEIGHT + (_FIGURES_HEIGHT if figures else 0.0),
            )
        )
    axis_y = first + 2 * pitch + _STRIP_HEIGHT + (_FIGURES_HEIGHT if compared else 0.0) + 6
    return StripPlot(
        height=axis_y + 40,
        axis_y=axis_y,
        ticks=tuple(Tick(scale(mark), tick_text(mark, marks)) for mark in marks),
        strips=tuple(strips),
        bars=tuple(_bar_mark(scale(bar.at_return), bar, bar.at_return, 1) for bar in bars),
    )


def _shown_bars(returns: EpisodeReturns) -> tuple[PointsBar, ...]:
    return tuple(bar for bar in returns.points.bars if bar.share) if returns.points else ()


def _bar_mark(x: float, bar: PointsBar, at: float, places: int) -> BarMark:
    before = x > WIDTH / 2
    return BarMark(
        x=x,
        label=f"full marks {decimal_text(at, places)}" if bar.share == 1 else "",
        label_x=min(x + 3, WIDTH - 2) if before else max(x - 3, 2),
        before=before,
    )


def _whiskers(figures: AgentFigures, scale: Scale, below: float) -> tuple[Whisker, ...]:
    return tuple(
        Whisker(
            kind=kind,
            label=label,
            y=below + y,
            x=scale(estimate.value),
            low_x=scale(estimate.low),
            high_x=scale(estimate.high),
        )
        for kind, label, estimate, y in (
            ("mean", "mean", figures.mean, 7.0),
            ("iqm", "interquartile mean", figures.iqm, 17.0),
        )
    )


def interval_plot(returns: EpisodeReturns) -> IntervalPlot:
    """The normalised score on a line from random play (0) to the reference (1)."""
    points = returns.points
    bars = _shown_bars(returns)
    if points is not None and points.measure is not Measure.NORMALIZED:
        bars = ()
    shown = [bar.at for bar in bars]
    low = min(0.0, returns.normalized_low, returns.normalized_score, *shown)
    high = max(1.0, returns.normalized_high, returns.normalized_score, *shown)
    pad = 0.06 * (high - low)
    scale = Scale(low - pad, high + pad)
    return IntervalPlot(
        height=60 + (_BARS_HEIGHT if bars else 0.0),
        axis_y=30 + (_BARS_HEIGHT if bars else 0.0),
        ticks=(Tick(scale(0.0), "0 random"), Tick(scale(1.0), "1 reference")),
        low_x=scale(returns.normalized_low),
        high_x=scale(returns.normalized_high),
        point_x=scale(returns.normalized_score),
        bars=tuple(_bar_mark(scale(bar.at), bar, bar.at, 4) for bar in bars),
    )


def _groups(values: Sequence[float], scale: Scale) -> dict[int, list[int]]:
    """Indices of the values whose dots would cover each other."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, value in enumerate(values):
        groups[round(scale(value) / (2 * _DOT_RADIUS))].append(index)
    return groups


def _free_place(x: float, taken: Sequence[float], *, before: bool) -> float:
    """Where the label beside a stack begins (or ends, `before` it): past the dots in its way."""
    way = -1 if before else 1
    place = x
    for distance in sorted((other - x) * way for other in taken):
        if distance >= 0 and distance - _DOT_RADIUS < (place - x) * way + _LABEL_WIDTH:
            place = x + way * distance
    return min(max(place + way * 3 * _DOT_RADIUS, 2.0), WIDTH - 2)


def _high_stacks(values: Sequence[float], scale: Scale, middle: float) -> tuple[Stack, ...]:
    stacks: list[Stack] = []
    for members in _groups(values, scale).values():
        equal = len({values[index] for index in members}) == 1
        if equal and len(members) > _COUNTABLE:
            x = scale(values[members[0]])
            before = x > WIDTH / 2
            stacks.append(
                Stack(
                    x=_free_place(x, [scale(value) for value in values], before=before),
                    y=middle + 4.5,
                    count=len(members),
                    label=f"{len(members)} at {number_text(values[members[0]])}",
                    before=before,
                )
            )
    return tuple(stacks)


def _stacked(
    seeds: Sequence[int], values: Sequence[float], scale: Scale, middle: float
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
