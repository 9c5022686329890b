"""Grey and coloured images as PNG, the same bytes for the same pixels."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

Pixels = npt.NDArray[np.uint8]

_MODES: Final = frozenset({"L", "P"})
"""Eight bits in one channel: grey values, or numbers of colours."""


def write_png(pixels: Pixels, palette: Pixels | None = None) -> bytes:
    """An image as PNG.

    Args:
        pixels: uint8, shape (height, width): grey values, or numbers of colours.
        palette: uint8, shape (colours, 3): red, green and blue.

    Raises:
        ValueError: the pixels are no image, or lie outside the palette; the caller must act.
    """
    if pixels.ndim != 2 or 0 in pixels.shape or pixels.dtype != np.uint8:
        raise ValueError(f"no image: {pixels.dtype.name} {pixels.shape}")
    if palette is not None and int(pixels.max()) >= len(palette):
        raise ValueError(f"colour {pixels.max()} of {len(palette)}")
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if palette is not None:
        image.putpalette(np.ascontiguousarray(palette, np.uint8).tobytes())
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=9, bits=8)
    return content.getvalue()


def read_png(content: bytes) -> Pixels:
    """The pixels of an image that `write_png` wrote, shape (height, width).

    Raises:
        ValueError: it is no such image; whoever made the file must act.
    """
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if image.mode not in _MODES:
                raise ValueError("a PNG with several channels")
            return np.asarray(image, np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError("not a PNG") from error
