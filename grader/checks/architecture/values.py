"""Reading single settings of a layer, and telling them; nothing that is read is trusted."""

from __future__ import annotations

import math
from typing import Final

from pydantic import JsonValue

from grader.records.layer_families import Value

UNKNOWN: Final = "unknown"
"""Stands for an attribute that cannot be read; it equals no expected value."""

_LARGEST: Final = 1 << 53
"""Larger numbers are no sizes; Python also refuses to print the largest."""


def equal_values(one: Value, two: Value | None) -> bool:
    """Whether two values are the same, floats up to rounding."""
    if isinstance(one, float) and isinstance(two, float):
        return abs(one - two) <= 1e-6
    return type(one) is type(two) and one == two


def value_text(value: Value) -> str:
    """A value as the student writes it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def shape_text(shape: tuple[int, ...] | None) -> str | None:
    """A shape as text, or None for one that is not known or cannot be one."""
    if shape is None or len(shape) > 8 or any(not 0 <= side < _LARGEST for side in shape):
        return None
    return str(shape)


def count_or_none(count: int | None) -> int | None:
    """A number of parameters, or None for one that cannot be one."""
    return count if count is not None and 0 <= count < _LARGEST else None


def read_size(value: JsonValue) -> int | None:
    """A positive whole number, or None."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST:
        return value
    return None


def read_integer(value: JsonValue) -> int | None:
    """A whole number, or None."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return value
    return None


def read_window(value: JsonValue, rank: int) -> tuple[int, ...] | None:
    """One positive whole number for each side, where one stands for all, or None."""
    if isinstance(value, list):
        sizes = [size for item in value[: rank + 1] if (size := read_size(item)) is not None]
        return tuple(sizes) if len(value) == len(sizes) == rank else None
    size = read_size(value)
    return None if size is None else (size,) * rank


def read_integers(value: JsonValue) -> tuple[int, ...] | None:
    """A few whole numbers, or None."""
    if not isinstance(value, list) or not 0 < len(value) <= 8:
        return None
    numbers = [number for item in value if (number := read_integer(item)) is not None]
    return tuple(numbers) if len(numbers) == len(value) else None


def read_number(value: JsonValue) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) > _LARGEST:
        return None
    return float(value) if math.isfinite(value) else None
