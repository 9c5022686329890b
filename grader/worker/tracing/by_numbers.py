"""Recognising a function by the numbers it turns into others.

The way where operations leave no trace: code that goes through numpy, and versions of TensorFlow
that do not tell of their operations. Also what names a function written in several operations.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from grader.worker.layers import ACTIVATIONS, close
from grader.worker.operations import MERGES
from grader.worker.tracing.record import Trace

_MOST_NUMBERS: Final = 1 << 20
Named = tuple[str, dict[str, Any]]
"""A known operation and its parameters."""


def function_named(before: Any, after: Any) -> Named | None:
    """The known activation that takes one array to another of the same shape, if there is one."""
    tensor = tf.constant(before, tf.float32)
    for name, known in ACTIVATIONS.items():
        if close(after, known(tensor)):
            return name, {}
    if close(after, keras.activations.gelu(tensor, approximate=True)):
        return "gelu", {"approximate": True}
    numbers, results = np.asarray(before, np.float64), np.asarray(after, np.float64)
    low = numbers.argmin() if numbers.size else 0
    if numbers.size and numbers.flat[low] < 0:
        slope = float(results.flat[low] / numbers.flat[low])
        if 0 < slope < 1 and close(after, np.where(numbers < 0, slope * numbers, numbers)):
            return "leaky_relu", {"negative_slope": float(f"{slope:.4g}")}
    return None


def identify(trace: Trace, value: Any) -> int | None:
    """The node that makes a tensor, found or added by what its numbers are; None where unknown."""
    dtype = getattr(value, "dtype", None)
    if dtype is None or np.dtype(getattr(dtype, "as_numpy_dtype", dtype)).kind not in "fiub":
        return None
    array = np.asarray(value)
    if array.ndim == 0 or array.size > _MOST_NUMBERS:
        return None
    recent = [seen for seen in trace.recent() if _comparable(seen.value)]
    for seen in recent:
        if tuple(seen.value.shape) == array.shape and close(array, seen.value):
            trace.remember(value, seen.node)
            return seen.node
    for seen in recent:
        if steps := _steps(seen.value, array):
            *before, (kind, config, _) = steps
            node = seen.node
            for earlier, settings, between in before:
                node = trace.operation(earlier, (node,), between, settings)
            return trace.operation(kind, (node,), value, config)
    for first, second in itertools.permutations(recent, 2):
        if found := _two_inputs(first.value, second.value, array):
            return trace.operation(found[0], (first.node, second.node), value, found[1])
    return None


def _comparable(value: Any) -> bool:
    dtype = value.dtype
    kind = np.dtype(getattr(dtype, "as_numpy_dtype", dtype)).kind
    return kind in "fiub" or "float" in str(dtype)


_Step = tuple[str, dict[str, Any], Any]
"""A known operation: its name, its parameters, and the value it makes."""


def _steps(source: Any, result: Any) -> list[_Step] | None:
    """Known operations that take one tensor to another.

    One that works number by number, one that moves numbers, or first the one and then the other,
    as in `np.reshape(np.maximum(x, 0), …)`: between two layers only the last value is to be seen.
    """
    before = np.asarray(source, np.float64)
    after = np.asarray(result, np.float64)
    if before.ndim == 0 or before.size != after.size or before.shape[:1] != after.shape[:1]:
        return None
    if before.shape == after.shape and (found := _elementwise(before, after)):
        return [(*found, result)]
    moves = list(_moves(before, after))
    for kind, config, back in moves:
        if close(back, before):
            return [(kind, config, result)]
    for kind, config, back in moves:
        if found := _elementwise(before, back):
            return [(*found, tf.constant(back, tf.float32)), (kind, config, result)]
    return None


def _elementwise(before: Any, after: Any) -> Named | None:
    if found := function_named(before, after):
        return found
    affine = _affine(before, after)
    return ("affine", affine) if affine else None


def _moves(before: Any, after: Any) -> Iterator[_Step]:
    """Ways of moving numbers from one shape to another; the value is the result moved back."""
    for order in itertools.permutations(range(1, before.ndim)):
        permutation = (0, *order)
        moved = tuple(before.shape[axis] for axis in permutation)
        if moved == after.shape and list(order) != sorted(order):
            back = after.transpose(np.argsort(permutation))
            yield "transpose", {"permutation": list(permutation)}, back
    if before.shape != after.shape:
        kind = "flatten" if after.ndim == 2 else "reshape"
        yield kind, {"target_shape": list(after.shape[1:])}, after.reshape(before.shape)


def _affine(before: Any, after: Any) -> dict[str, Any] | None:
    """Scale and offset that take one array to the other, if there are such."""
    if before.shape != after.shape or np.ptp(before) == 0:
        return None
    low, high = before.argmin(), before.argmax()
    spread = before.flat[high] - before.flat[low]
    scale = float((after.flat[high] - after.flat[low]) / spread)
    offset = float(after.flat[low] - scale * before.flat[low])
    if scale == 0 or not close(after, before * scale + offset):
        return None
    return {"scale": readable(scale, 1e-3), "offset": 0.0 if abs(offset) < 1e-6 else offset}


def readable(scale: float, tolerance: float) -> float:
    """A factor, as the division by a whole number that it nearly is: 0.0039215688 is 1 / 255."""
    if scale == 0 or not np.isfinite(scale):
        return scale
    reciprocal = 1 / scale
    if abs(reciprocal - round(reciprocal)) < tolerance * abs(reciprocal) and abs(reciprocal) > 1:
        return 1 / round(reciprocal)
    return scale


def _two_inputs(first: Any, second: Any, result: Any) -> Named | None:
    sides = tuple(first.shape), tuple(second.shape)
    if result.shape == _joined(*sides):
        joined = np.concatenate([np.asarray(first), np.asarray(second)], -1)
        return ("concatenate", {"axis": -1}) if close(result, joined) else None
    if result.shape != _broadcast(*sides):
        return None
    a, b = tf.cast(first, tf.float32), tf.cast(second, tf.float32)
    for name, merge in MERGES.items():
        try:
            merged = merge(a, b)
        except (tf.errors.OpError, ValueError):
            continue
        if tuple(merged.shape) == result.shape and close(result, merged):
            return name, {}
    return None


def _broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(first, second)
    except ValueError:
        return None


def _joined(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...] | None:
    if not first or not second or first[:-1] != second[:-1]:
        return None
    return (*first[:-1], first[-1] + second[-1])
