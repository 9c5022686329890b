import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.records.png import read_png, write_png

IMAGES = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(IMAGES)
def test_what_is_written_can_be_read(image: np.ndarray) -> None:
    assert np.array_equal(read_png(write_png(image)), image)


@given(hnp.arrays(np.uint8, (3, 4), elements=st.integers(0, 2)))
def test_numbers_of_colours_come_back(image: np.ndarray) -> None:
    palette = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)

    assert np.array_equal(read_png(write_png(image, palette)), image)


def test_bytes_are_a_png_that_follows_from_the_pixels_alone() -> None:
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)

    assert write_png(image).startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x08")
    assert write_png(image) == write_png(np.asfortranarray(image))


@pytest.mark.parametrize(
    "image", [np.zeros((2, 2)), np.zeros((0, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)]
)
def test_what_is_no_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no image"):
        write_png(image)


def test_colours_outside_the_palette_are_refused() -> None:
    with pytest.raises(ValueError, match="colour 3 of 2"):
        write_png(np.full((1, 1), 3, np.uint8), np.zeros((2, 3), np.uint8))


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\nabcdefghijklm"]
)
def test_what_is_no_png_cannot_be_read(content: bytes) -> None:
    with pytest.raises(ValueError, match="PNG"):
        read_png(content)
