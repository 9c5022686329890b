import base64
from types import ModuleType

import numpy as np
import pytest

from grader.records.network_pictures import MapPair, NetworkPictures, NoPictures, quantised
from grader.records.png import read_png
from grader.reporting.filtered import filtered_view
from grader.reporting.images import framed_url, image_url, mosaic_url
from grader.reporting.pictures import ABSENT_WORDS, dead_sentence, pictures_view
from grader.reporting.wording import number_text


def pixels(url: str) -> np.ndarray:
    return read_png(base64.b64decode(url.removeprefix("data:image/png;base64,")))


def test_grey_image_holds_the_bytes_themselves() -> None:
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)

    assert np.array_equal(pixels(image_url(values, signed=False)), values)


def test_lifted_image_is_brighter_and_zero_stays_black() -> None:
    values = np.array([[0, 16, 255]], np.uint8)

    assert pixels(image_url(values, signed=False, lifted=True)).tolist() == [[0, 64, 255]]


def test_zero_is_the_middle_colour_and_signs_lie_on_both_sides() -> None:
    values = quantised(np.array([[-1.0, -0.5, 0.0, 0.5, 1.0]]), 1.0, signed=True)

    assert pixels(image_url(values, signed=True)).tolist() == [[0, 16, 32, 48, 64]]


def test_parts_of_a_kernel_stand_in_a_square_with_a_line_between_them() -> None:
    channels = np.full((4, 2, 3), 128, np.uint8)
    channels[3] = 255

    shown = pixels(mosaic_url(channels))

    assert shown.shape == (5, 7)
    assert set(shown[2]) == set(shown[:, 3]) == {65}
    assert (shown[:2, :3] == 32).all()
    assert (shown[3:, 4:] == 64).all()


def test_frame_stands_around_the_window() -> None:
    shown = pixels(framed_url(np.zeros((10, 10), np.uint8), (2, 3), (4, 4), zoom=3))

    marked = np.argwhere(shown == 64)
    assert marked.min(axis=0).tolist() == [4, 7]
    assert marked.max(axis=0).tolist() == [19, 22]
    assert (shown[6:18, 9:21] == 0).all()


@pytest.mark.parametrize("reason", list(NoPictures))
def test_reason_for_no_pictures_is_told(reason: NoPictures) -> None:
    view = pictures_view(NetworkPictures(absent=reason))

    assert view.absent == ABSENT_WORDS[reason]
    assert view.frames is None


def test_dead_maps_are_counted_and_marked(samples: ModuleType) -> None:
    assert dead_sentence(samples.feature_maps(9, 64, dead=9)) == (
        "9 of 64 maps are zero everywhere for this image."
    )
    assert dead_sentence(samples.feature_maps(9, 64, dead=1)).startswith("1 of 64 maps is zero")
    assert dead_sentence(samples.feature_maps(9, 64)).startswith("No map is zero")
    group = pictures_view(samples.pictures()).pairs[1].received
    assert group is not None
    assert [tile.label for tile in group.tiles if tile.dead] == ["1", "2", "3"]


def test_captions_say_what_is_compared(samples: ModuleType) -> None:
    same, strided, missing = pictures_view(samples.pictures()).pairs

    assert "give the same maps, as they should" in same.caption
    assert "what differs comes from the layers" in strided.caption
    assert missing.received is None
    assert "Your network has no such convolution" in missing.caption


def test_colours_of_both_sides_are_explained_where_they_differ(samples: ModuleType) -> None:
    linear = samples.feature_maps(9, 64, activation="linear")
    pair = MapPair(received=linear, expected=samples.feature_maps(9, 64), same_kernels=True)
    shown = samples.pictures().model_copy(update={"convolutions": (pair,)})

    (view,) = pictures_view(shown).pairs

    assert "Yours: orange is positive, blue negative, white zero." in view.caption
    assert "Asked for: black is zero" in view.caption
    assert view.received is not None
    assert "no activation" in view.received.notes[0]


def test_sums_of_the_worked_value_add_up(samples: ModuleType) -> None:
    pixel = pictures_view(samples.pictures()).pixel
    assert pixel is not None

    def number(text: str) -> float:
        return float(text.replace("−", "-").replace(",", ""))

    parts = [number(channel.total) for channel in pixel.channels]
    assert len(parts) == 4
    assert sum(parts) == pytest.approx(number(pixel.sum), abs=0.02)
    assert number(pixel.sum) + number(pixel.bias) == pytest.approx(number(pixel.total), abs=0.02)
    assert number(pixel.value) == max(number(pixel.total), 0)
    one, other = pixel.example.split(" = ")[0].split(" × ")
    assert number(one) * number(other) == pytest.approx(
        number(pixel.example.split(" = ")[1]), rel=2e-3
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (217.1766, "217.2"), (-0.05069, "−0.05069"), (1e-9, "1e−09"), (148.0, "148"),
     (1234567.0, "1.23e+06"), (-1160.0, "−1,160")],
)  # fmt: skip
def test_numbers_have_four_significant_digits(value: float, text: str) -> None:
    assert number_text(value) == text


def test_right_convolution_is_said_to_be_right(samples: ModuleType) -> None:
    view = filtered_view(samples.filtered(1.0))

    assert view.equal
    assert view.sentence == "Your result is the right one, pixel by pixel."
    assert set(pixels(view.difference).flat) == {32}


def test_wrong_convolution_is_worked_out_in_numbers(samples: ModuleType) -> None:
    view = filtered_view(samples.filtered(-1.0))

    assert not view.equal
    assert view.window[1] == ("0", "200", "200") or view.window[1] == ("0", "0", "200")
    assert view.kernel == (("−1", "0", "1"), ("−2", "0", "2"), ("−1", "0", "1"))
    assert view.expected_value == "800"
    assert view.received_value == "−800"
    products = [float(text.replace("−", "-")) for line in view.products for text in line]
    assert sum(products) == 800


def test_result_of_another_size_is_shown_without_a_difference(samples: ModuleType) -> None:
    base = samples.filtered()
    shown = base.model_copy(
        update={"received": base.image, "difference": None, "largest_difference": None}
    )

    view = filtered_view(shown)

    assert view.difference == ""
    assert view.sentence == (
        "Your result is 20 × 20 pixels, the right one 18 × 18, so the two cannot be laid on each "
        "other."
    )
