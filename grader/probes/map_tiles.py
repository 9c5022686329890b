"""Feature maps and kernels as small images."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.expected_stack import ExpectedLayer, seeded_kernel
from grader.probes.received_convolutions import ReceivedConvolution, kernel_shape_of, pair_setting
from grader.records.arrays import ArrayRecord
from grader.records.network_pictures import (
    FeatureMaps,
    KernelTiles,
    MapPair,
    Tiles,
    quantised,
)

Array = npt.NDArray[Any]

MAX_MAPS: Final = 16
MAX_KERNELS: Final = 32
MAX_CHANNELS: Final = 4
"""Kernels for more channels are averaged over them."""
MAX_SIDE: Final = 84
"""Larger maps are shrunk."""
MAX_KERNEL_SIDE: Final = 16
_BRIGHT_SHARE: Final = 0.995
"""Share of the values of all maps shown that are not cut to the brightest byte."""
_BRIGHT_SHARE_OF_KERNELS: Final = 0.98


def received_kernels(item: ReceivedConvolution) -> KernelTiles | None:
    """The student's kernels; None where there are none, or they are too large to show."""
    if item.kernel is None or max(item.kernel.shape[:2]) > MAX_KERNEL_SIDE:
        return None
    zero = None if item.bias is None else not np.any(item.bias)
    return kernel_tiles(item.kernel, biases_zero=zero)


def expected_kernels(expected: tuple[ExpectedLayer, ...]) -> KernelTiles | None:
    """Kernels like those of the first convolution asked for before any training."""
    if not expected or expected[0].kernel_shape is None:
        return None
    if max(expected[0].kernel_shape[:2]) > MAX_KERNEL_SIDE:
        return None
    return kernel_tiles(seeded_kernel(expected[0].kernel_shape, 0), biases_zero=True)


def kernel_tiles(kernel: Array, *, biases_zero: bool | None) -> KernelTiles:
    """The first kernels of a convolution.

    Args:
        kernel: shape (height, width, channels, filters).
        biases_zero: whether all biases are 0.
    """
    height, width, channels, filters = kernel.shape
    shown = np.moveaxis(kernel[..., :MAX_KERNELS].astype(np.float64), (3, 2), (0, 1))
    averaged = channels > MAX_CHANNELS
    if averaged:
        shown = shown.mean(axis=1, keepdims=True)
    largest = _bright(finite(shown), _BRIGHT_SHARE_OF_KERNELS)
    return KernelTiles(
        filters=filters,
        size=(height, width),
        channels=channels,
        averaged=averaged,
        pixels=ArrayRecord.of(quantised(shown, largest, signed=True)),
        largest=largest,
        biases_zero=biases_zero,
    )


def map_pair(
    received: tuple[ReceivedConvolution, Array] | None,
    expected: tuple[ExpectedLayer, Array] | None,
) -> MapPair:
    """Two sets of maps: with the same kernels the same ones of both, drawn on one scale."""
    same = (
        received is not None
        and expected is not None
        and kernel_shape_of(received[0]) == expected[0].kernel_shape
    )
    one = None if received is None else finite(received[1])
    other = None if expected is None else finite(expected[1])
    leading = most_active(one if one is not None else other)
    following = leading if same or other is None or one is None else most_active(other)
    shown_one = None if one is None else _shrunk(one[:, :, leading])
    shown_other = None if other is None else _shrunk(other[:, :, following])
    scales = [None if array is None else _bright(array) for array in (shown_one, shown_other)]
    if same:
        scales = [max(scale for scale in scales if scale is not None)] * 2
    return MapPair(
        received=None
        if received is None or one is None or shown_one is None
        else FeatureMaps(
            kind=received[0].node.kind,
            kernel=pair_setting(received[0].node, "kernel_size"),
            strides=pair_setting(received[0].node, "strides"),
            activation=received[0].activation,
            **_described(one, shown_one, leading, scales[0] or 1.0),
        ),
        expected=None
        if expected is None or other is None or shown_other is None
        else FeatureMaps(
            kind=expected[0].kind,
            kernel=expected[0].window,
            strides=expected[0].strides,
            activation=expected[0].activation,
            **_described(other, shown_other, following, scales[1] or 1.0),
        ),
        same_kernels=same,
    )


def _described(maps: Array, shown: Array, numbers: list[int], scale: float) -> dict[str, Any]:
    signed = bool(np.min(maps, initial=0.0) < 0)
    return {
        "size": maps.shape[:2],
        "maps": maps.shape[2],
        "dead": int(np.sum(~np.any(maps, axis=(0, 1)))),
        "tiles": Tiles(
            numbers=tuple(number + 1 for number in numbers),
            pixels=ArrayRecord.of(quantised(np.moveaxis(shown, -1, 0), scale, signed=signed)),
            signed=signed,
            largest=scale,
            dead=tuple(number + 1 for number in numbers if not np.any(maps[:, :, number])),
        ),
    }


def finite(maps: Array) -> Array:
    """The same in double precision, with zero for what is no finite number."""
    return np.nan_to_num(maps.astype(np.float64), posinf=0.0, neginf=0.0)


def most_active(maps: Array | None) -> list[int]:
    """Indices of the maps with the largest mean absolute value, in rising order.

    Args:
        maps: shape (height, width, maps).
    """
    if maps is None:
        return []
    activity = np.mean(np.abs(maps), axis=(0, 1))
    return sorted(int(index) for index in np.argsort(-activity, kind="stable")[:MAX_MAPS])


def _shrunk(maps: Array) -> Array:
    """Maps of at most `MAX_SIDE`, each pixel the mean of a square."""
    step = -(-max(maps.shape[:2]) // MAX_SIDE)
    if step == 1:
        return maps
    height, width = (side // step * step for side in maps.shape[:2])
    if 0 in (height, width):
        return maps[:MAX_SIDE, :MAX_SIDE]
    squares = maps[:height, :width].reshape(height // step, step, width // step, step, -1)
    shrunk: Array = squares.mean(axis=(1, 3))
    return shrunk


def _bright(values: Array, share: float = _BRIGHT_SHARE) -> float:
    """What the brightest byte is to stand for, so that a few large values darken nothing else."""
    sizes = np.abs(values)
    return _rounded(float(np.quantile(sizes, share)) or float(sizes.max()))


def _rounded(value: float) -> float:
    """Three significant digits are enough for a caption; 1 where there is nothing to scale by."""
    return float(f"{value:.3g}") or 1.0
