"""One value of one feature map, with all that it is the sum of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from grader.probes.map_tiles import MAX_CHANNELS, MAX_KERNEL_SIDE, finite
from grader.probes.received_convolutions import ReceivedConvolution, pair_setting
from grader.records.arrays import ArrayRecord
from grader.records.network_pictures import MapPair, WorkedPixel

Array = npt.NDArray[Any]


def worked_pixel(
    item: ReceivedConvolution, maps: Array, image: Array, pairs: tuple[MapPair, ...]
) -> WorkedPixel | None:
    """The brightest place of the most active map whose window lies inside the image."""
    config, kernel = item.node.config, item.kernel
    shown = next((pair.received for pair in pairs if pair.received is not None), None)
    plain = (
        config.get("data_format") == "channels_last"
        and pair_setting(item.node, "dilation_rate") == (1, 1)
        and config.get("groups") == 1
        and (item.shown is item.node or item.shown.inputs == (item.node.index,))
    )
    if kernel is None or shown is None or not plain or max(kernel.shape[:2]) > MAX_KERNEL_SIDE:
        return None
    if image.ndim != 3 or kernel.shape[2] != image.shape[2] or image.shape[2] > MAX_CHANNELS:
        return None
    numbers = [number - 1 for number in shown.tiles.numbers]
    strides, offset = pair_setting(item.node, "strides"), (0, 0)
    if config.get("padding") == "same":
        offset = _padding(image.shape[:2], kernel.shape[:2], strides)
    values = finite(maps)
    best: tuple[float, int, int, int] | None = None
    number = max(numbers, key=lambda index: float(np.mean(np.abs(values[:, :, index]))))
    for row in range(values.shape[0]):
        top = row * strides[0] - offset[0]
        for column in range(values.shape[1]):
            left = column * strides[1] - offset[1]
            inside = (
                top >= 0 and left >= 0
                and top + kernel.shape[0] <= image.shape[0]
                and left + kernel.shape[1] <= image.shape[1]
            )  # fmt: skip
            size = abs(float(values[row, column, number]))
            if inside and (best is None or size > best[0]):
                best = (size, row, column, number)
    if best is None:
        return None
    _, row, column, number = best
    top, left = row * strides[0] - offset[0], column * strides[1] - offset[1]
    patch = image[top : top + kernel.shape[0], left : left + kernel.shape[1]]
    bias = 0.0 if item.bias is None else float(item.bias[number])
    if not all(np.isfinite(part).all() for part in (patch, kernel[..., number], np.array(bias))):
        return None
    return WorkedPixel(
        filter=number + 1,
        place=(row, column),
        corner=(top, left),
        patch=ArrayRecord.of(np.ascontiguousarray(patch, np.float32)),
        kernel=ArrayRecord.of(np.ascontiguousarray(kernel[..., number], np.float32)),
        bias=bias,
        activation=item.activation,
        value=float(values[row, column, number]),
    )


def _padding(
    sides: tuple[int, ...], kernel: tuple[int, ...], strides: tuple[int, int]
) -> tuple[int, int]:
    """Rows above and columns left of the image that 'same' adds, as TensorFlow does."""
    added = [
        max((-(-side // stride) - 1) * stride + window - side, 0) // 2
        for side, window, stride in zip(sides, kernel, strides, strict=True)
    ]
    return added[0], added[1]
