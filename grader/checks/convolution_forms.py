"""What people compute instead of a 'valid' cross-correlation, so that a mistake can be named.

A wrong result is compared with what a function would return that makes one or several of the known
mistakes. Several are told apart although they come together, as in `scipy.signal.convolve2d`, which
flips the kernel and pads.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from grader.checks.references import cross_correlation_2d
from grader.checks.trials import matches

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


class ConvolutionMistake(StrEnum):
    """Known mistakes, in the order in which they are told."""

    FLIPPED = "flipped"
    TRANSPOSED_KERNEL = "transposed_kernel"
    SAME = "same"
    FULL = "full"
    STRIDE_IGNORED = "stride_ignored"
    STRIDE_DOWN_ONLY = "stride_down_only"
    STRIDE_ACROSS_ONLY = "stride_across_only"
    STRIDE_SHAPE_ONLY = "stride_shape_only"
    TRANSPOSED = "transposed"
    OFF_BY_ONE = "off_by_one"
    OVERFLOW = "overflow"
    TRUNCATED = "truncated"
    CLIPPED = "clipped"
    AVERAGED = "averaged"
    CONSTANT = "constant"


Mistakes = frozenset[ConvolutionMistake]
_M = ConvolutionMistake
NONE: Final[Mistakes] = frozenset()
_TELLING: Final = 3
"""Right cases, and wrong ones, from which what they have in common is no chance."""


def explanations(
    image: Array,
    kernel: Array,
    stride: int,
    result: Array,
    absolute_tolerance: float,
    relative_tolerance: float,
) -> tuple[Mistakes, ...]:
    """All sets of known mistakes that lead to this result, the smallest first.

    Args:
        image: shape (height, width).
        kernel: shape (kernel_height, kernel_width).
        stride: at least 1.
        result: what came back; it is not what should have come back.
        absolute_tolerance: as for `grader.checks.trials.matches`.
        relative_tolerance: as for `grader.checks.trials.matches`.
    """
    found: set[Mistakes] = set()
    for mistakes, expected in _wrong_results(image, kernel, stride):
        if matches(result, expected, absolute_tolerance, relative_tolerance):
            found.add(mistakes)
        elif _off_by_one(result, expected, absolute_tolerance, relative_tolerance):
            found.add(mistakes | {_M.OFF_BY_ONE})
    if result.size > 1 and np.ptp(result.astype(np.float64)) == 0:
        found.add(frozenset({_M.CONSTANT}))
    order = list(ConvolutionMistake)
    return tuple(sorted(found - {NONE}, key=lambda s: (len(s), sorted(order.index(m) for m in s))))


def only_squares(cases: Sequence[tuple[Array, Array, bool]]) -> str | None:
    """What must be square for a case to be right, if that alone decides it.

    Args:
        cases: image, kernel, and whether the result is right.

    Returns:
        `images`, `kernels`, or `images and kernels`; None when something else decides.
    """
    right = [case[2] for case in cases]
    if right.count(True) < _TELLING or right.count(False) < _TELLING:
        return None
    images = [image.shape[0] == image.shape[1] for image, _, _ in cases]
    kernels = [kernel.shape[0] == kernel.shape[1] for _, kernel, _ in cases]
    both = [image and kernel for image, kernel in zip(images, kernels, strict=True)]
    names = {"images": images, "kernels": kernels, "images and kernels": both}
    return next((name for name, square in names.items() if square == right), None)


def _wrong_results(image: Array, kernel: Array, stride: int) -> Iterator[tuple[Mistakes, Floats]]:
    for turned, weights in _kernels(kernel):
        for padded, pixels in _paddings(image, weights, stride):
            for arithmetic, dense in _arithmetics(pixels, weights):
                for strided, strides in _STRIDES.items():
                    output = strides(dense, stride)
                    mistakes = turned | padded | arithmetic | strided
                    yield mistakes, output
                    yield mistakes | {_M.TRANSPOSED}, output.T


def _kernels(kernel: Array) -> Iterator[tuple[Mistakes, Array]]:
    yield NONE, kernel
    yield frozenset({_M.FLIPPED}), kernel[::-1, ::-1]
    if kernel.shape[0] == kernel.shape[1]:
        yield frozenset({_M.TRANSPOSED_KERNEL}), kernel.T


def _paddings(image: Array, kernel: Array, stride: int) -> Iterator[tuple[Mistakes, Array]]:
    yield NONE, image
    # Frameworks disagree on where the odd pixel of 'same' padding goes; all of these are met.
    whole = [(side - 1, side - 1) for side in kernel.shape]
    lower = [((side - 1) // 2, side // 2) for side in kernel.shape]
    upper = [(side // 2, (side - 1) // 2) for side in kernel.shape]
    halves = [(side // 2, side // 2) for side in kernel.shape]
    strided = []
    for length, side in zip(image.shape, kernel.shape, strict=True):
        missing = max((-(-length // stride) - 1) * stride + side - length, 0)
        strided.append((missing // 2, missing - missing // 2))
    for mistake, amounts in (
        (_M.SAME, lower), (_M.SAME, upper), (_M.SAME, halves), (_M.SAME, strided), (_M.FULL, whole),
    ):  # fmt: skip
        if any(before or after for before, after in amounts):
            yield frozenset({mistake}), np.pad(image, amounts)


def _arithmetics(image: Array, kernel: Array) -> Iterator[tuple[Mistakes, Floats]]:
    """Results at stride 1 under every known way to compute the sums."""
    exact = cross_correlation_2d(image, kernel)
    yield NONE, exact
    cut = np.trunc(exact)
    yield frozenset({_M.TRUNCATED}), cut
    yield frozenset({_M.CLIPPED}), np.maximum(exact, 0)
    yield frozenset({_M.CLIPPED}), np.clip(exact, 0, 255)
    yield frozenset({_M.AVERAGED}), exact / kernel.size
    common = np.result_type(image, kernel)
    stored = {d for d in (image.dtype, kernel.dtype, common) if np.issubdtype(d, np.integer)}
    for dtype in sorted(stored, key=str):
        yield frozenset({_M.OVERFLOW}), cut.astype(np.int64).astype(dtype).astype(np.float64)
    if np.issubdtype(common, np.integer):
        windows = sliding_window_view(image.astype(common), kernel.shape)
        yield from _wrapped(windows, kernel.astype(common))
    elif np.issubdtype(image.dtype, np.integer):
        with warnings.catch_warnings():
            # What becomes of a negative weight as uint8 is part of what is being imitated.
            warnings.simplefilter("ignore", RuntimeWarning)
            cut_kernel = kernel.astype(image.dtype)
        yield from _wrapped(sliding_window_view(image, kernel.shape), cut_kernel)


def _wrapped(windows: Array, kernel: Array) -> Iterator[tuple[Mistakes, Floats]]:
    """Sums of integers that wrap around, in the type numpy sums in and in the inputs' own."""
    with warnings.catch_warnings():
        # Wrapping around is what is being imitated.
        warnings.simplefilter("ignore", RuntimeWarning)
        products = windows * kernel
        sums = products.sum(axis=(2, 3))
        yield frozenset({_M.OVERFLOW}), sums.astype(np.float64)
        yield frozenset({_M.OVERFLOW}), sums.astype(products.dtype).astype(np.float64)


def _shape_only(dense: Floats, stride: int) -> Floats:
    """As many values as the stride asks for, from windows that move by one pixel."""
    rows, columns = (-(-side // stride) for side in dense.shape)
    return dense[:rows, :columns]


_STRIDES: Final[dict[Mistakes, Callable[[Floats, int], Floats]]] = {
    NONE: lambda dense, stride: dense[::stride, ::stride],
    frozenset({_M.STRIDE_IGNORED}): lambda dense, _: dense,
    frozenset({_M.STRIDE_DOWN_ONLY}): lambda dense, stride: dense[::stride],
    frozenset({_M.STRIDE_ACROSS_ONLY}): lambda dense, stride: dense[:, ::stride],
    frozenset({_M.STRIDE_SHAPE_ONLY}): _shape_only,
}


def _off_by_one(
    result: Array, expected: Floats, absolute_tolerance: float, relative_tolerance: float
) -> bool:
    """Whether it is right but for one row or column, or one of each, too many or too few."""
    if result.ndim != 2 or result.shape == expected.shape:
        return False
    sides = tuple(zip(result.shape, expected.shape, strict=True))
    if any(abs(a - b) > 1 for a, b in sides):
        return False
    rows, columns = (min(a, b) for a, b in sides)
    return matches(
        result[:rows, :columns], expected[:rows, :columns], absolute_tolerance, relative_tolerance
    )
