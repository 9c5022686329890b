"""Transitions that carry their number in every value, and batches decoded to these numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.values import MAX_ELEMENTS, TYPE_CHARS
from grader.records.function_settings import ReplayBufferSettings
from grader.records.text import clean_line
from grader.records.wire import describe, type_name

COLUMNS: Final = ("state", "action", "reward", "next_state", "done")
_ENDS_EVERY: Final = 3
_MOST_TIMES_TOO_MANY: Final = 8
"""Batches longer than so many times what was asked for are not looked into."""
_NAMES: Final = {
    "state": ("state", "states", "obs", "observations", "observation"),
    "action": ("action", "actions"),
    "reward": ("reward", "rewards"),
    "next_state": ("next_state", "next_states", "next_obs", "next_observations"),
    "done": ("done", "dones", "terminated", "terminal", "terminals"),
}


def transition(number: int, settings: ReplayBufferSettings) -> dict[str, Any]:
    """The transition of a number; its next state is the state of the next one.

    Values are such that all plain dtypes keep them, but for a reward with a half: whole numbers
    would hide a buffer that stores rewards as integers.
    """
    shape = settings.observation_shape
    return {
        "state": np.full(shape, number, np.float32),
        "action": number % settings.num_actions,
        "reward": number + 0.5,
        "next_state": np.full(shape, number + 1, np.float32),
        "done": number % _ENDS_EVERY == 0,
    }


@dataclass(frozen=True)
class Batch:
    """One batch as it came back."""

    form: str
    """`columns`, `rows` or `dict`; empty when it could not be read."""
    received: str
    """What came back."""
    numbers: npt.NDArray[np.int64] | None = None
    """Number of the transition of each value, −1 for what was never stored; shape (batch, 5)."""
    shapes: dict[str, tuple[int, ...]] | None = None
    dtypes: dict[str, str] | None = None
    """Dtype of each column that is an array, otherwise the name of its type."""


def decoded(answer: object, settings: ReplayBufferSettings, stored: int) -> Batch:
    """What a batch holds.

    Args:
        answer: what `sample` returned, containers in plain form.
        settings: shapes, and the order of the columns.
        stored: transitions that were stored so far.
    """
    received = clean_line(describe(answer), TYPE_CHARS)
    for form, columns in _readings(answer, settings):
        arrays = {name: _array(value) for name, value in columns.items()}
        if all(array is not None and array.ndim >= 1 for array in arrays.values()):
            count = min(len(array) for array in arrays.values() if array is not None)
            if any(array is None or len(array) != count for array in arrays.values()):
                continue
            if count > _MOST_TIMES_TOO_MANY * settings.batch_size:
                break
            known = {name: array for name, array in arrays.items() if array is not None}
            return Batch(
                form, received, _numbers(known, settings, stored),
                {name: array.shape for name, array in known.items()},
                {name: value.dtype.name if isinstance(value, np.ndarray) else type_name(value)
                 for name, value in columns.items()},
            )  # fmt: skip
    return Batch("", received)


def _readings(
    answer: object, settings: ReplayBufferSettings
) -> list[tuple[str, dict[str, object]]]:
    """The ways in which an answer may be meant."""
    found: list[tuple[str, dict[str, object]]] = []
    if isinstance(answer, dict):
        columns = _named(answer)
        return [("dict", columns)] if len(columns) == len(COLUMNS) else []
    if not isinstance(answer, list | tuple):
        return []
    if len(answer) == len(COLUMNS):
        found.append(("columns", dict(zip(settings.columns, answer, strict=True))))
    rows: list[dict[str, object]] = []
    for row in answer:
        if isinstance(row, dict):
            rows.append(_named(row))
        elif isinstance(row, list | tuple) and len(row) == len(COLUMNS):
            rows.append(dict(zip(settings.columns, row, strict=True)))
    if rows and len(rows) == len(answer) and all(len(row) == len(COLUMNS) for row in rows):
        found.append(("rows", {name: [row[name] for row in rows] for name in COLUMNS}))
    return found


def _named(values: dict[str, object]) -> dict[str, object]:
    lower = {key.lower(): value for key, value in values.items()}
    return {
        name: lower[key]
        for name, keys in _NAMES.items()
        for key in [next((each for each in keys if each in lower), None)]
        if key is not None
    }


def _array(value: object) -> npt.NDArray[Any] | None:
    if not isinstance(value, np.ndarray | list | tuple):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in "biuf" and array.size <= MAX_ELEMENTS else None


def _numbers(
    columns: dict[str, npt.NDArray[Any]], settings: ReplayBufferSettings, stored: int
) -> npt.NDArray[np.int64]:
    count = len(columns["state"])
    numbers = np.full((count, len(COLUMNS)), -1, np.int64)
    for row in range(count):
        state = _whole(columns["state"][row], 0.0, stored)
        numbers[row, 0] = state
        numbers[row, 2] = _whole(columns["reward"][row], 0.5, stored)
        numbers[row, 3] = _whole(columns["next_state"][row], 1.0, stored)
        # Neither tells a number by itself; they can only contradict that of the state.
        if state >= 0 and _is(columns["action"][row], state % settings.num_actions):
            numbers[row, 1] = state
        if state >= 0 and _is(columns["done"][row], state % _ENDS_EVERY == 0):
            numbers[row, 4] = state
    return numbers


def _whole(values: Any, offset: float, stored: int) -> int:
    array = np.asarray(values, np.float64).reshape(-1) - offset
    if array.size == 0 or not np.all(np.isfinite(array)) or np.ptp(array) > 0:
        return -1
    number = float(array[0])
    return int(number) if number == int(number) and 0 <= number < stored else -1


def _is(values: Any, wanted: float) -> bool:
    array = np.asarray(values, np.float64).reshape(-1)
    return array.size > 0 and bool(np.all(array == wanted))
