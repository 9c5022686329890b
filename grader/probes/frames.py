"""The image that networks and convolutions are shown: four frames of Breakout.

`reference/frames.py` made it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.cases import Case
from grader.records.png import read_png

_FRAMES: Final = 4
EDGE_KERNEL: Final = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
"""Finds upright edges: positive where it gets brighter to the right (Sobel and Feldman 1968)."""


@cache
def breakout_frames() -> npt.NDArray[np.uint8]:
    """Four frames, the newest last, shape (84, 84, 4)."""
    side_by_side = read_png(files("grader.probes").joinpath("breakout_frames.png").read_bytes())
    frames = np.stack(np.hsplit(side_by_side, _FRAMES), axis=-1)
    frames.setflags(write=False)
    return frames


def frames_of_shape(shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """The frames in another size.

    Args:
        shape: height, width and channels. Of fewer channels the newest frames are kept; for more
            the oldest comes several times.
    """
    height, width, channels = shape
    frames = breakout_frames()
    image: npt.NDArray[Any] = frames.astype(np.float64)
    for axis, length in ((0, height), (1, width)):
        image = np.moveaxis(
            np.tensordot(_areas(image.shape[axis], length), image, (1, axis)), 0, axis
        )
    chosen = [max(0, _FRAMES - channels + index) for index in range(channels)]
    resized: npt.NDArray[np.uint8] = np.rint(image[:, :, chosen]).astype(np.uint8)
    return resized


def _areas(length: int, wanted: int) -> npt.NDArray[np.float64]:
    """How much of each pixel lies in each of the pixels wanted, shape (wanted, length)."""
    edges = np.linspace(0, length, wanted + 1)[:, None]
    pixels = np.arange(length)
    overlap = np.minimum(pixels + 1, edges[1:]) - np.maximum(pixels, edges[:-1])
    shares = np.clip(overlap, 0, None)
    weights: npt.NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return weights


def edge_case() -> Case:
    """A convolution whose result can be seen: upright edges of the newest frame."""
    image = breakout_frames()[:, :, -1].astype(np.float64)
    return Case(
        "upright edges of a game frame", {"image": image, "kernel": EDGE_KERNEL, "stride": 1}
    )
