"""What is sent to student functions and what comes back, in the forms that evidence keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from grader.probes.cases import Case
from grader.records.arrays import ALLOWED_DTYPES, ArrayRecord

MAX_ELEMENTS: Final = 1 << 20
"""Largest array that is kept in evidence; a hundred times what any right answer has."""
TYPE_CHARS: Final = 200
"""Longest name of a type that is kept."""


def as_array(value: object) -> ArrayRecord | None:
    """A number, an array, or nested lists of numbers as an array; None for anything else.

    A boolean is no number; an array larger than any right answer is None too.
    """
    if isinstance(value, bool | np.bool_):
        return None
    if not isinstance(value, np.ndarray | np.generic | int | float | list | tuple):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):  # lists of different lengths, for one
        return None
    fits = array.dtype.name in ALLOWED_DTYPES and array.size <= MAX_ELEMENTS
    return ArrayRecord.of(array) if fits else None


def recorded_arguments(case: Case) -> dict[str, ArrayRecord | int | float]:
    """A case's arguments as they stand in evidence."""
    return {
        name: ArrayRecord.of(value) if isinstance(value, np.ndarray) else value
        for name, value in case.arguments.items()
    }


def renamed(arguments: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Arguments under the names that the assignment gives them, in the same order."""
    return {names.get(name, name): value for name, value in arguments.items()}
