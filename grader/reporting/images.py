"""Arrays of bytes as images that stand inside the page, as data URLs."""

from __future__ import annotations

import base64
import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.records.network_pictures import ZERO
from grader.records.png import write_png

Bytes = npt.NDArray[np.uint8]

_HALF: Final = 32
"""Steps of colour on each side of zero; more cannot be told apart."""
_NEGATIVE: Final = (0.02, 0.27, 0.58)
_POSITIVE: Final = (0.70, 0.30, 0.00)
_MIDDLE: Final = (0.97, 0.97, 0.97)
_GAP: Final = (0.45, 0.48, 0.52)
_MARK: Final = (0.90, 0.10, 0.10)
_GREYS: Final = 64


def _diverging() -> Bytes:
    """Blue for negative, almost white for zero, orange for positive; then the colour of gaps."""
    colours = [
        np.asarray(_MIDDLE) + (np.asarray(end) - np.asarray(_MIDDLE)) * (step / _HALF) ** 0.8
        for end, steps in ((_NEGATIVE, range(_HALF, 0, -1)), (_POSITIVE, range(_HALF + 1)))
        for step in steps
    ]
    shown: Bytes = np.rint(255 * np.asarray([*colours, _GAP])).astype(np.uint8)
    return shown


_SIGNED: Final = _diverging()
_GAP_NUMBER: Final = len(_SIGNED) - 1
_MARKED: Final[Bytes] = np.concatenate(
    (
        np.repeat(np.linspace(0, 255, _GREYS).astype(np.uint8)[:, None], 3, axis=1),
        np.rint(255 * np.asarray([_MARK])).astype(np.uint8),
    )
)


def data_url(png: bytes) -> str:
    """An image inside the page."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def image_url(pixels: npt.NDArray[Any], *, signed: bool, lifted: bool = False) -> str:
    """Bytes as a data URL: grey, or blue and orange about zero.

    Args:
        pixels: uint8, shape (height, width).
        signed: whether byte 128 stands for zero.
        lifted: whether what is dark is drawn brighter, by the square root; zero stays black.
    """
    if signed:
        return data_url(write_png(_colour_numbers(pixels), _SIGNED))
    if lifted:
        pixels = np.rint(np.sqrt(255.0 * pixels)).astype(np.uint8)
    return data_url(write_png(np.ascontiguousarray(pixels, np.uint8)))


def _colour_numbers(pixels: npt.NDArray[Any]) -> Bytes:
    steps = (pixels.astype(np.float64) - ZERO) / (ZERO - 1) * _HALF
    numbers: Bytes = (np.clip(np.rint(steps), -_HALF, _HALF) + _HALF).astype(np.uint8)
    return numbers


def mosaic_url(channels: npt.NDArray[Any]) -> str:
    """The channels of one kernel in a square, row by row, with lines between them.

    Args:
        channels: uint8, shape (channels, height, width); byte 128 stands for zero.
    """
    count, height, width = channels.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    canvas = np.full(
        (rows * (height + 1) - 1, columns * (width + 1) - 1), _GAP_NUMBER, dtype=np.uint8
    )
    for index, channel in enumerate(channels):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        canvas[top : top + height, left : left + width] = _colour_numbers(channel)
    return data_url(write_png(canvas, _SIGNED))


def framed_url(
    pixels: npt.NDArray[Any], corner: tuple[int, int], size: tuple[int, int], zoom: int = 3
) -> str:
    """A grey image with a red frame around a window.

    Args:
        pixels: uint8, shape (height, width).
        corner: row and column of the window's first pixel.
        size: height and width of the window.
        zoom: how many pixels each becomes, so that the frame is thin.
    """
    grey = np.rint(pixels.astype(np.float64) / 255 * (_GREYS - 1)).astype(np.uint8)
    large = np.kron(grey, np.ones((zoom, zoom), np.uint8))
    top, left = (max(place * zoom - 2, 0) for place in corner)
    bottom, right = ((place + side) * zoom + 2 for place, side in zip(corner, size, strict=True))
    for rows, columns in (
        (slice(top, top + 2), slice(left, right)),
        (slice(bottom - 2, bottom), slice(left, right)),
        (slice(top, bottom), slice(left, left + 2)),
        (slice(top, bottom), slice(right - 2, right)),
    ):
        large[rows, columns] = _GREYS
    return data_url(write_png(large, _MARKED))
