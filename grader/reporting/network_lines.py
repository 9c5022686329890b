"""The lines between the layers of a drawn network: which lane each layer and each line takes.

As in the history of a version control system: every row has the dot of one layer; a layer goes on
in the lane of what it reads if nothing else has, and takes a lane of its own otherwise. Lane 0 is
next to the layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MAX_LANES: Final = 6
"""Networks that need more have their last lines on top of each other."""


@dataclass
class Rail:
    """What is drawn beside one row."""

    dot: int | None = None
    """Lane of the row's layer; None where the column has no layer in this row."""
    upper: set[int] = field(default_factory=set)
    """Lanes with a line from the row's top to its middle."""
    lower: set[int] = field(default_factory=set)
    """Lanes with a line from the row's middle to its bottom."""
    across: set[int] = field(default_factory=set)
    """Lanes that are joined to the dot."""


def rails(reads: Mapping[int, Sequence[int]], rows: int) -> tuple[list[Rail], int]:
    """The lines beside each row of one column.

    Args:
        reads: for each row that has a layer, the rows it reads, all of them earlier.
        rows: how many rows there are.

    Returns:
        One rail for each row, and the number of lanes.
    """
    drawn = [Rail() for _ in range(rows)]
    last_use: dict[int, int] = {}
    for row in sorted(reads):
        for source in reads[row]:
            last_use[source] = row
    busy: list[list[tuple[int, int]]] = []
    lane_of: dict[int, int] = {}
    tips: dict[int, int] = {}
    for row in sorted(reads):
        sources = sorted({source for source in reads[row] if source in lane_of})
        open_lanes = sorted(
            (lane_of[source], source) for source in sources if tips.get(lane_of[source]) == source
        )
        if open_lanes:
            lane, straight = open_lanes[0]
            busy[lane] = [stretch for stretch in busy[lane] if stretch[0] != straight]
            busy[lane].append((straight, row))
        else:
            straight = max(sources, default=row)
            lane = _free(busy, straight, row)
            busy[lane].append((straight, row))
        lane_of[row], tips[lane] = lane, row
        drawn[row].dot = lane
        for source in sources:
            way = lane
            if source != straight:
                # In a lane that goes on from here, the line would seem to come from this row.
                own = tips.get(lane_of[source]) == source and last_use[source] == row
                way = lane_of[source] if own else _free(busy, source, row)
                busy[way].append((source, row))
            _draw(drawn, source, row, way, lane_of)
        busy[lane].append((row, last_use.get(row, row)))
    return drawn, max(len(busy), 1)


def _free(busy: list[list[tuple[int, int]]], start: int, end: int) -> int:
    """The first lane without a line between two rows."""
    for lane, stretches in enumerate(busy):
        if all(end <= first or last <= start for first, last in stretches):
            return lane
    if len(busy) < MAX_LANES:
        busy.append([])
    return len(busy) - 1


def _draw(drawn: list[Rail], source: int, row: int, way: int, lane_of: Mapping[int, int]) -> None:
    if way != lane_of[source]:
        drawn[source].across.add(way)
    if way != lane_of[row]:
        drawn[row].across.add(way)
    drawn[source].lower.add(way)
    drawn[row].upper.add(way)
    for between in range(source + 1, row):
        drawn[between].upper.add(way)
        drawn[between].lower.add(way)
