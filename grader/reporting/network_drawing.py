"""The drawn network: blocks of what was asked for beside blocks of what was handed in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from grader.records.result import LayerCell, LayerRow, NetworkTable, RowStatus
from grader.reporting.network_lines import Rail, rails
from grader.reporting.network_words import (
    HARMLESS,
    Chip,
    Difference,
    chips,
    differences_of,
    row_differences,
    table_sentence,
)

LANE_PITCH: Final = 14
"""Pixels from lane to lane."""
_SHAPE: Final = re.compile(r"\d{1,9}")
_GLYPH: Final = 40.0
"""Width and height of the picture of an output's shape."""
_MAX_DRAWN_INPUTS: Final = 8


@dataclass(frozen=True)
class Glyph:
    """The shape of an output as a box: a front side and its depth, or a bar for a vector."""

    front: str
    """Corners of the front side, as an SVG polygon has them."""
    top: str
    side: str


@dataclass(frozen=True)
class Block:
    """One layer as it is drawn."""

    number: int | None
    """Place among the layers of its column, from 1; None for preprocessing."""
    cell: LayerCell
    chips: tuple[Chip, ...]
    other_kind: bool
    """Whether the kind itself differs."""
    other_shape: bool
    """Whether the output has another shape than the layer opposite."""
    reads: str
    """What it reads, in words, where that is not simply the layer before."""
    glyph: Glyph | None


@dataclass(frozen=True)
class Line:
    """One line or dot of a rail, in a box of the rail's width and 100 units of height."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class DrawnRail:
    """The lines beside one row."""

    width: int
    lines: tuple[Line, ...]
    dot: Line | None


@dataclass(frozen=True)
class DrawnRow:
    """One row: the layer asked for, the student's, and what is between them."""

    status: RowStatus
    expected: Block | None
    received: Block | None
    remarks: tuple[str, ...]
    """What there is to say that no attribute shows."""
    follows: bool
    """Whether only the shape differs, because of another row."""
    points: float
    max_points: float
    expected_rail: DrawnRail
    received_rail: DrawnRail


@dataclass(frozen=True)
class NetworkDrawing:
    """All that is drawn of one table."""

    sentence: str
    inputs: tuple[str, ...]
    """Names of the inputs, drawn above everything."""
    input_rails: tuple[tuple[DrawnRail, DrawnRail], ...]
    rows: tuple[DrawnRow, ...]
    expected_lanes: int
    received_lanes: int
    branches: bool
    """Whether one of the two networks is more than a chain."""


def network_drawing(table: NetworkTable) -> NetworkDrawing:
    """Where everything of a table is drawn."""
    inputs = _inputs(table)
    columns = [
        _column(table, lambda row: row.expected, inputs),
        _column(table, lambda row: row.received, inputs),
    ]
    (expected_rails, expected_lanes), (received_rails, received_lanes) = (
        rails(column, len(inputs) + len(table.rows)) for column in columns
    )
    scale = _largest_side(table)
    numbers = _numbers(table)
    rows: list[DrawnRow] = []
    seen_wrong = False
    for index, row in enumerate(table.rows):
        known, others = differences_of(row)
        at = len(inputs) + index
        blocks = [
            None
            if cell is None
            else _block(
                row, cell, known, scale, received=received, number=number,
                reads=_reads_text(columns[received], at, len(inputs), numbers, received),
            )
            for received, (cell, number) in enumerate(
                zip((row.expected, row.received), numbers[index], strict=True)
            )
        ]  # fmt: skip
        wrong = row.status not in HARMLESS
        rows.append(
            DrawnRow(
                status=row.status,
                expected=blocks[0],
                received=blocks[1],
                remarks=others if row.differences else row_differences(row),
                follows=row.status is RowStatus.MATCHES and seen_wrong and _other_shape(row),
                points=row.points,
                max_points=row.max_points,
                expected_rail=_drawn(expected_rails[at], expected_lanes, mirrored=False),
                received_rail=_drawn(received_rails[at], received_lanes, mirrored=True),
            )
        )
        seen_wrong = seen_wrong or wrong
    return NetworkDrawing(
        sentence=table_sentence(table),
        inputs=("input",)
        if len(inputs) == 1
        else tuple(f"input {number + 1}" for number in range(len(inputs))),
        input_rails=tuple(
            (
                _drawn(expected_rails[at], expected_lanes, mirrored=False),
                _drawn(received_rails[at], received_lanes, mirrored=True),
            )
            for at in range(len(inputs))
        ),
        rows=tuple(rows),
        expected_lanes=expected_lanes,
        received_lanes=received_lanes,
        branches=expected_lanes > 1 or received_lanes > 1,
    )


# --- what is connected --------------------------------------------------------------------------


def _inputs(table: NetworkTable) -> range:
    """One row for each input of the network."""
    cells = [cell for row in table.rows for cell in (row.expected, row.received) if cell]
    lowest = min((source for cell in cells for source in cell.reads), default=-1)
    return range(min(max(-lowest, 1), _MAX_DRAWN_INPUTS))


def _column(
    table: NetworkTable, side: Callable[[LayerRow], LayerCell | None], inputs: range
) -> dict[int, tuple[int, ...]]:
    """For each row of the drawing that has a layer in a column, the rows that it reads."""
    reads: dict[int, tuple[int, ...]] = dict.fromkeys(inputs, ())
    before = len(inputs) - 1 if len(inputs) == 1 else 0
    for index, row in enumerate(table.rows):
        cell, at = side(row), len(inputs) + index
        if cell is None:
            continue
        wanted = [
            -1 - source if source < 0 else len(inputs) + source
            for source in cell.reads
            if -len(inputs) <= source < index
        ]
        known = tuple(dict.fromkeys(source for source in wanted if source in reads))
        reads[at] = known or (before,)
        before = at
    return reads


def _numbers(table: NetworkTable) -> list[tuple[int | None, int | None]]:
    """Places of the layers of each row in their columns, from 1; none for preprocessing."""
    counts = [0, 0]
    numbers: list[tuple[int | None, int | None]] = []
    for row in table.rows:
        pair: list[int | None] = [None, None]
        for side, cell in enumerate((row.expected, row.received)):
            if cell is not None and row.status is not RowStatus.PREPROCESSING:
                counts[side] += 1
                pair[side] = counts[side]
        numbers.append((pair[0], pair[1]))
    return numbers


def _reads_text(
    column: dict[int, tuple[int, ...]],
    at: int,
    inputs: int,
    numbers: list[tuple[int | None, int | None]],
    side: int,
) -> str:
    """Such as `reads layers 5 and 7`; empty for a layer that reads the one before and nothing."""
    earlier = [row for row in column if row < at]
    if at not in column or (earlier and column[at] == (max(earlier),)):
        return ""
    inputs_read, layers = [], []
    for source in column[at]:
        if source < inputs:
            inputs_read.append("the input" if inputs == 1 else f"input {source + 1}")
            continue
        number = numbers[source - inputs][side]
        if number is None:
            inputs_read.append("the preprocessing")
        else:
            layers.append(str(number))
    if layers:
        inputs_read.append(f"layer{'s' if layers[1:] else ''} {_listed(layers)}")
    return f"reads {_listed(inputs_read)}"


def _listed(names: list[str]) -> str:
    """Such as `5, 6 and 7`."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if names[1:] else names[0]


def _drawn(rail: Rail, lanes: int, *, mirrored: bool) -> DrawnRail:
    """The lines of a rail; lane 0 is at the right, or mirrored at the left."""
    width = lanes * LANE_PITCH + LANE_PITCH // 2

    def x(lane: int) -> float:
        from_block = LANE_PITCH * (lane + 0.5) + LANE_PITCH / 4
        return from_block if mirrored else width - from_block

    lines = [Line(x(lane), 0, x(lane), 50) for lane in sorted(rail.upper)]
    lines += [Line(x(lane), 50, x(lane), 100) for lane in sorted(rail.lower)]
    dot = None
    if rail.dot is not None:
        lines += [Line(x(rail.dot), 50, x(lane), 50) for lane in sorted(rail.across)]
        if rail.dot == 0:
            lines.append(Line(x(0), 50, 0 if mirrored else width, 50))
        dot = Line(x(rail.dot), 50, x(rail.dot), 50)
    return DrawnRail(width, tuple(lines), dot)


# --- blocks -------------------------------------------------------------------------------------


def _block(
    row: LayerRow,
    cell: LayerCell,
    known: tuple[Difference, ...],
    scale: float,
    *,
    received: int,
    number: int | None,
    reads: str,
) -> Block:
    both = row.expected is not None and row.received is not None
    return Block(
        number=number,
        cell=cell,
        chips=tuple(chips(cell, known, received=bool(received))) if both
        else tuple(chips(cell, (), received=bool(received))),
        other_kind=any(difference.attribute == "kind" for difference in known),
        other_shape=_other_shape(row),
        reads=reads,
        glyph=_glyph(cell.output_shape, scale),
    )  # fmt: skip


def _other_shape(row: LayerRow) -> bool:
    return (
        row.expected is not None
        and row.received is not None
        and None not in (row.expected.output_shape, row.received.output_shape)
        and row.expected.output_shape != row.received.output_shape
    )


def _sides(shape: str | None) -> tuple[int, ...]:
    return tuple(int(text) for text in _SHAPE.findall(shape or "")[:4])


def _largest_side(table: NetworkTable) -> float:
    """The largest height or width of all feature maps, for glyphs on one scale."""
    shapes = [
        _sides(cell.output_shape)
        for row in table.rows
        for cell in (row.expected, row.received)
        if cell is not None
    ]
    return float(max((max(shape[:2]) for shape in shapes if len(shape) == 3), default=1)) or 1.0


def _glyph(shape: str | None, scale: float) -> Glyph | None:
    """A box as high and wide as the maps and as deep as they are many, in its own measure."""
    sides = _sides(shape)
    if not sides or len(sides) > 3:
        return None
    if len(sides) == 3:
        height, width = (5 + 21 * math.sqrt(min(side / scale, 1.0)) for side in sides[:2])
        depth = 1.5 + 1.1 * math.log2(max(sides[2], 1))
    elif len(sides) == 2:
        height, width = (5 + 2.1 * math.log2(max(side, 1)) for side in sides)
        depth = 1.5
    else:
        height, width, depth = 5 + 2.6 * math.log2(max(sides[0], 1)), 4.0, 1.5
    height, width, depth = min(height, 28), min(width, 26), min(depth, 11)
    left, top = (_GLYPH - width - depth) / 2, (_GLYPH - height - depth) / 2 + depth

    def corners(*points: tuple[float, float]) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)

    right, bottom = left + width, top + height
    return Glyph(
        front=corners((left, top), (right, top), (right, bottom), (left, bottom)),
        top=corners(
            (left, top), (left + depth, top - depth), (right + depth, top - depth), (right, top)
        ),
        side=corners(
            (right, top), (right + depth, top - depth), (right + depth, bottom - depth),
            (right, bottom),
        ),
    )  # fmt: skip
