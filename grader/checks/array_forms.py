"""One-hot labels, pooling and the Huber loss of single errors, right and wrong."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from grader.checks.function_codes import FunctionCode
from grader.checks.function_reference import (
    Array,
    FunctionReference,
    Told,
    Wrong,
    combined,
    explainer,
)
from grader.checks.loss import TOLD as TOLD_HUBER
from grader.checks.loss_forms import LossMistake, forms, huber


def one_hot(labels: Array, num_classes: int) -> Array:
    """A row for each label: 1 in the column of its class, 0 elsewhere.

    Args:
        labels: integers from 0 to num_classes − 1, shape (count,).
        num_classes: columns.

    Returns:
        float64, shape (count, num_classes).
    """
    rows: Array = np.eye(num_classes)[np.asarray(labels)]
    return rows


def max_pooling_2d(image: Array, pool_size: int, stride: int) -> Array:
    """The largest value of every window that lies inside the image.

    Goodfellow, Bengio and Courville, *Deep Learning* (2016), section 9.3.

    Args:
        image: shape (height, width).
        pool_size: side of the square window, at most that of the image.
        stride: pixels from one window to the next, down and across.

    Returns:
        float64, shape ((height − pool_size) // stride + 1, (width − pool_size) // stride + 1).
    """
    largest: Array = _windows(image, pool_size, stride).max(axis=(2, 3))
    return largest


def _windows(image: Array, pool_size: int, stride: int) -> Array:
    pixels = np.asarray(image, np.float64)
    return sliding_window_view(pixels, (pool_size, pool_size))[::stride, ::stride]


def huber_of_errors(error: Array, delta: float) -> Array:
    """The Huber loss of every error; see `grader.checks.references.huber_loss`."""
    return huber(np.asarray(error, np.float64), delta)


# --- mistakes -----------------------------------------------------------------------------------

_TOLD_ONE_HOT: Final[dict[str, Told]] = {
    "from_one": Told(
        FunctionCode.CLASSES_FROM_ONE, "The classes are counted from 1.",
        "The first class is 0: write to column `label`, not `label - 1`."),
    "from_data": Told(
        FunctionCode.CLASSES_FROM_DATA, "The number of columns comes from the labels at hand.",
        "Use `num_classes`: a batch need not hold the last class."),
    "transposed": Told(
        FunctionCode.TRANSPOSED, "Rows and columns of the output are exchanged.",
        "One row for each label: make `np.zeros((len(labels), num_classes))`."),
    "inverted": Told(
        FunctionCode.CLASSES_FROM_ONE, "Zeros and ones are exchanged.",
        "Start with zeros and write a 1 to the column of the class."),
}  # fmt: skip


def _wrong_one_hot(labels: Array, num_classes: int) -> Wrong:
    labels = np.asarray(labels)
    right = one_hot(labels, num_classes)
    # A label of −1 is the last column in numpy, and has no column elsewhere.
    variants = {
        frozenset[str](): right,
        combined("from_one"): np.roll(right, -1, axis=1),
        combined("from_data"): right[:, : int(labels.max()) + 1],
        combined("inverted"): 1 - right,
    }
    shifted = np.zeros_like(right)
    shifted[:, :-1] = right[:, 1:]
    for made, value in (*variants.items(), (combined("from_one"), shifted)):
        yield made, value
        yield made | {"transposed"}, value.T


_TOLD_POOLING: Final[dict[str, Told]] = {
    "average": Told(
        FunctionCode.AVERAGE_POOLING, "The mean of each window is taken, not its largest value.",
        "Use `window.max()`."),
    "sum": Told(
        FunctionCode.AVERAGE_POOLING, "The sum of each window is taken, not its largest value.",
        "Use `window.max()`."),
    "minimum": Told(
        FunctionCode.MINIMUM_POOLING, "The smallest value of each window is taken.",
        "Use `window.max()`."),
    "clipped": Told(
        FunctionCode.CLIPPED, "Negative values are cut to 0.",
        "Start a maximum from the first value of the window or from `-np.inf`, not from 0."),
    "stride_one": Told(
        FunctionCode.STRIDE_IGNORED, "The stride is ignored.",
        "Let the window start at row `i * stride` and column `j * stride`."),
    "stride_is_window": Told(
        FunctionCode.STRIDE_IS_WINDOW, "The window always moves by its own size.",
        "Let the window start at row `i * stride` and column `j * stride`, whatever its size."),
    "rest": Told(
        FunctionCode.REST_KEPT, "Windows that reach beyond the image are counted too.",
        "Only windows that lie inside the image count: `(height - pool_size) // stride + 1` rows."),
    "transposed": Told(
        FunctionCode.TRANSPOSED, "Rows and columns of the output are exchanged.",
        "The first index of the output is the row: `out[i, j]` with `i` from the image's height."),
}  # fmt: skip


def _wrong_pooling(image: Array, pool_size: int, stride: int) -> Wrong:
    pixels = np.asarray(image, np.float64)
    rest = [max(-(-(side - pool_size) // stride), 0) * stride + pool_size for side in pixels.shape]
    padding = [(0, max(full - side, 0)) for full, side in zip(rest, pixels.shape, strict=True)]
    for partial in (None, "rest"):
        lowest = np.pad(pixels, padding, constant_values=-np.inf) if partial else pixels
        for moved, step in (
            (None, stride), ("stride_one", 1), ("stride_is_window", pool_size),
        ):  # fmt: skip
            windows = _windows(lowest, pool_size, step)
            inside = np.isfinite(windows)
            sums = np.where(inside, windows, 0.0).sum(axis=(2, 3))
            for how, value in (
                (None, windows.max(axis=(2, 3))),
                ("average", sums / np.maximum(inside.sum(axis=(2, 3)), 1)),
                ("sum", sums),
                ("minimum", np.where(inside, windows, np.inf).min(axis=(2, 3))),
                ("clipped", np.maximum(windows.max(axis=(2, 3)), 0)),
            ):
                made = combined(partial, moved, how)
                yield made, value
                yield made | {"transposed"}, value.T


_TOLD_HUBER: Final[dict[str, Told]] = {
    **{mistake: Told(*told) for mistake, told in TOLD_HUBER.items()},
    LossMistake.SUMMED: Told(
        TOLD_HUBER[LossMistake.SUMMED][0], "The losses of all errors are put together.",
        "Return one loss for each error; the mean is taken elsewhere."),
}  # fmt: skip


def _wrong_huber(error: Array, delta: float) -> Wrong:
    errors = np.asarray(error, np.float64)
    for other in (None, 0.5, 1.0, 2.0):
        for form in forms(delta, other):
            made = combined(form.mistake)
            value = form.value(errors)
            yield made, value
            yield made | {LossMistake.SUMMED}, np.asarray(np.mean(value))
            yield made | {LossMistake.SUMMED}, np.asarray(np.sum(value))


ONE_HOT: Final = FunctionReference(
    compute=one_hot, explain=explainer(_wrong_one_hot, _TOLD_ONE_HOT), told=_TOLD_ONE_HOT,
    shape_advice="Return one row for each label and one column for each class.",
    values_advice="Write a 1 to `out[i, labels[i]]` and leave the rest 0.",
    result="an array of shape (labels, classes)",
)  # fmt: skip
MAX_POOLING: Final = FunctionReference(
    compute=max_pooling_2d, explain=explainer(_wrong_pooling, _TOLD_POOLING), told=_TOLD_POOLING,
    shape_advice="Return a two-dimensional array with `(height - pool_size) // stride + 1` rows, "
    "and columns alike, even when that is 1.",
    values_advice="Compute one small case by hand: `out[i, j]` is the largest value of "
    "`image[i * stride : i * stride + pool_size, j * stride : j * stride + pool_size]`.",
)  # fmt: skip
HUBER: Final = FunctionReference(
    compute=huber_of_errors, explain=explainer(_wrong_huber, _TOLD_HUBER), told=_TOLD_HUBER,
    shape_advice="Return one loss for each error, in the shape of the errors.",
    values_advice="Compute one small case by hand: `0.5 * error**2` up to δ, "
    "`delta * (abs(error) - 0.5 * delta)` beyond.",
    result="one loss for each error",
    no_result_advice="Return the array; a function without `return` returns None.",
)  # fmt: skip
