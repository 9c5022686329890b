"""What a network does to an image, as small images: what the report shows and nobody is judged by.

All pixels are bytes, made on the trusted side from arrays of the inspector, which runs no student
code. Where values can be negative, byte 128 stands for zero; otherwise byte 0 does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from grader.records.arrays import ArrayRecord
from grader.records.base import Record

ZERO: Final = 128
"""The byte that stands for zero where values can be negative."""


def quantised(values: npt.NDArray[Any], largest: float, *, signed: bool) -> npt.NDArray[np.uint8]:
    """Values as bytes; what is not finite becomes zero.

    Args:
        values: any shape.
        largest: what the brightest byte stands for; larger values are cut to it.
        signed: whether negative values are to be seen; otherwise they become zero.
    """
    scale = largest if np.isfinite(largest) and largest > 0 else 1.0
    with np.errstate(over="ignore"):  # what is too large is cut below
        shares = values.astype(np.float64) / scale
    shares = np.where(np.isfinite(values), np.nan_to_num(shares), 0.0)
    if signed:
        return np.rint(ZERO + (ZERO - 1) * np.clip(shares, -1, 1)).astype(np.uint8)
    return np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)


class NoPictures(StrEnum):
    """Why there are no pictures of feature maps."""

    NOT_REBUILT = "not_rebuilt"
    """The layers are not proven to compute the output, or only as a whole."""
    SEVERAL_INPUTS = "several_inputs"
    """It reads more than one image."""
    NO_CONVOLUTION = "no_convolution"
    """No layer slides a kernel over an image."""
    TOO_LARGE = "too_large"
    """Its feature maps do not fit into a report."""
    BROKEN = "broken"
    """The grader could not draw them."""


class Tiles(Record):
    """Some of the channels of one layer, each an image."""

    numbers: tuple[int, ...]
    """Which channels, from 1, in rising order."""
    pixels: ArrayRecord
    """uint8, shape (len(numbers), height, width)."""
    signed: bool
    """Whether byte 128 stands for zero, rather than byte 0."""
    largest: float
    """What the brightest byte stands for; larger values are drawn as it."""
    dead: tuple[int, ...] = ()
    """Which of those shown are 0 everywhere."""


class KernelTiles(Record):
    """The kernels of a convolution."""

    filters: int
    """How many there are."""
    size: tuple[int, int]
    """Height and width."""
    channels: int
    """Channels of the image that it reads."""
    averaged: bool
    """Whether the mean over the channels is shown instead of each of them."""
    pixels: ArrayRecord
    """uint8, shape (filters shown, channels shown, height, width); byte 128 stands for zero. The
    first filters are shown."""
    largest: float
    """What the brightest byte stands for."""
    biases_zero: bool | None = None
    """Whether all biases are 0, as before any training; None where there are no biases."""


class FeatureMaps(Record):
    """What comes out of one convolution for one image, its activation included."""

    kind: str
    """Keras class name."""
    size: tuple[int, int]
    """Height and width of a map."""
    kernel: tuple[int, int]
    strides: tuple[int, int]
    activation: str
    """What follows the convolution, `linear` where nothing does."""
    maps: int
    """How many there are."""
    dead: int
    """How many of them are 0 everywhere."""
    tiles: Tiles
    """The most active ones: those with the largest mean absolute value."""


class MapPair(Record):
    """A convolution of the student's network beside the one asked for."""

    received: FeatureMaps | None
    expected: FeatureMaps | None
    same_kernels: bool = False
    """Whether both have the student's kernels, so that they differ by the layers alone."""


class WorkedPixel(Record):
    """One value of one feature map of the first convolution, worked out."""

    filter: int
    """From 1."""
    place: tuple[int, int]
    """Row and column in the feature map, from 0."""
    corner: tuple[int, int]
    """Row and column of the window's first pixel in what the layer reads, from 0."""
    patch: ArrayRecord
    """float32, shape (height, width, channels): what the window holds."""
    kernel: ArrayRecord
    """float32, of the same shape."""
    bias: float
    activation: str
    value: float
    """What the inspector's network has there."""


class NetworkPictures(Record):
    """What the network makes of four frames of a game."""

    type: Literal["network_pictures"] = "network_pictures"
    absent: NoPictures | None = None
    message: str = ""
    """More about why there are none."""
    frames: ArrayRecord | None = None
    """uint8, shape (height, width, channels): the image that went in, the newest frame last."""
    resized: bool = False
    """Whether it was brought to another size, or to another number of channels."""
    received_kernels: KernelTiles | None = None
    """Those of the student's first convolution."""
    expected_kernels: KernelTiles | None = None
    """As a network like the one asked for has them before training."""
    convolutions: tuple[MapPair, ...] = ()
    """From input to output."""
    left_out: int = 0
    """Convolutions that are not shown."""
    pixel: WorkedPixel | None = None


class FilteredImage(Record):
    """A student's convolution of a known image beside the right one."""

    type: Literal["filtered_image"] = "filtered_image"
    image: ArrayRecord
    """uint8, shape (height, width)."""
    kernel: ArrayRecord
    """float64, shape (height, width)."""
    expected: ArrayRecord
    """uint8; byte 128 stands for zero."""
    received: ArrayRecord | None
    """The same, of its own shape; None when no image came back."""
    difference: ArrayRecord | None
    """The same; None where the shapes differ."""
    largest: float
    """What the brightest byte stands for."""
    largest_difference: float | None = None
    """Largest absolute difference; None where the shapes differ or a value is not finite."""
    place: tuple[int, int]
    """Row and column of the output value that is worked out."""
    expected_value: float
    received_value: float | None = None
    remark: str = ""
    """Why there is nothing to see of the student's."""
