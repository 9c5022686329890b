"""Ranges in which there is no value that an attribute of a layer can have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from grader.assignments.positions import KeyPath
from grader.assignments.problems import Problem
from grader.checks.architecture.rules import WINDOWS
from grader.records.network_settings import SIZE_FIELDS
from grader.records.patterns import Between, FreeEntry, LayerEntry

WINDOW_NAMES: Final = frozenset(attribute.value for attribute in WINDOWS)
"""Fields with one number for each side of a window."""


def range_problems(entries: Iterable[tuple[KeyPath, LayerEntry | FreeEntry]]) -> Iterator[Problem]:
    """Ranges that nobody can meet.

    Args:
        entries: entries of the list of layers, each with its place.
    """
    for at, entry in entries:
        for name, value in entry:
            if isinstance(value, Between) and (text := _problem(name, value)):
                yield Problem((*at, name), text)


def _problem(name: str, bounds: Between) -> str | None:
    low = -math.inf if bounds.min is None else bounds.min
    high = math.inf if bounds.max is None else bounds.max
    if name in SIZE_FIELDS | WINDOW_NAMES:
        least = max(1, math.ceil(low) if bounds.min is not None else 1)
        return "no whole number from 1 lies in this range" if least > high else None
    if high < 0:
        return "no number from 0 lies in this range"
    if name != "stddev" and low >= 1:
        return "no number from 0 to less than 1 lies in this range"
    return None
