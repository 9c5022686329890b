"""How a student's convolution of an image is shown, with one value worked out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grader.records.network_pictures import FilteredImage
from grader.reporting.images import framed_url, image_url
from grader.reporting.wording import number_text


@dataclass(frozen=True)
class FilteredView:
    """A student's convolution beside the right one."""

    image: str
    expected: str
    received: str
    difference: str
    sentence: str
    equal: bool
    remark: str
    kernel: tuple[tuple[str, ...], ...]
    window: tuple[tuple[str, ...], ...]
    products: tuple[tuple[str, ...], ...]
    place: tuple[int, int]
    expected_value: str
    received_value: str
    sizes: tuple[str, str]


def filtered_view(shown: FilteredImage) -> FilteredView:
    """All images, numbers and words of one filtered image."""
    image, kernel = shown.image.array(), shown.kernel.array()
    row, column = shown.place
    window = image[row : row + kernel.shape[0], column : column + kernel.shape[1]]
    window = window.astype(np.float64)
    expected = shown.expected.array()
    received = None if shown.received is None else shown.received.array()
    equal = shown.largest_difference is not None and shown.largest_difference <= (
        1e-4 * max(shown.largest, 1e-9)
    )
    return FilteredView(
        image=framed_url(image, shown.place, (kernel.shape[0], kernel.shape[1])),
        expected=image_url(expected, signed=True),
        received="" if received is None else image_url(received, signed=True),
        difference=""
        if shown.difference is None
        else image_url(shown.difference.array(), signed=True),
        sentence=_filtered_sentence(shown, equal=equal),
        equal=equal,
        remark=shown.remark,
        kernel=_table(kernel),
        window=_table(window),
        products=_table(window * kernel),
        place=shown.place,
        expected_value=number_text(shown.expected_value),
        received_value="" if shown.received_value is None else number_text(shown.received_value),
        sizes=(_size(expected), "" if received is None else _size(received)),
    )


def _size(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    return f"{pixels.shape[0]} × {pixels.shape[1]}"


def _table(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(number_text(float(value)) for value in line) for line in values)


def _filtered_sentence(shown: FilteredImage, *, equal: bool) -> str:
    if shown.received is None:
        return f"There is nothing to compare: {shown.remark}."
    if shown.difference is None:
        return (
            f"Your result is {_size(shown.received.array())} pixels, the right one "
            f"{_size(shown.expected.array())}, so the two cannot be laid on each other."
        )
    if equal:
        return "Your result is the right one, pixel by pixel."
    if shown.largest_difference is None:
        return "Your result holds values that are not finite (NaN or infinity)."
    return (
        f"Your result differs from the right one by up to "
        f"{number_text(shown.largest_difference)}; the right values reach "
        f"±{number_text(shown.largest)}."
    )
