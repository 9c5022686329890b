from itertools import pairwise

import numpy as np
import pytest

from grader.probes.expected_stack import expected_stack, seeded_kernel
from grader.probes.frames import EDGE_KERNEL, breakout_frames, edge_case, frames_of_shape
from grader.probes.map_tiles import MAX_MAPS, kernel_tiles, map_pair, most_active
from grader.probes.network_pictures import network_pictures, pair_up
from grader.probes.received_convolutions import ReceivedConvolution
from grader.probes.worked_pixel import worked_pixel
from grader.records.network_evidence import GraphNode, NetworkProof, NodeSource, ProofMethod
from grader.records.network_pictures import NoPictures, quantised
from grader.records.network_settings import NetworkSettings

SETTINGS = {
    "input_shapes": [[16, 16, 2], [2, 16, 16]],
    "num_actions": [3],
    "layers": [
        {"layer": "Conv2D", "filters": 20, "kernel_size": [4, 4], "strides": [2, 2],
         "activation": "relu"},
        {"layer": "Conv2D", "filters": 6, "kernel_size": [3, 3], "activation": "relu"},
        {"layer": "Flatten"},
        {"layer": "Dense", "units": "num_actions"},
    ],
}  # fmt: skip
FIRST = 'layers.Conv2D(20, 4, strides=2, activation="relu")'
SECOND = 'layers.Conv2D(6, 3, activation="relu")'


def model(*stack: str, shape: str = "(16, 16, 2)") -> str:
    """A module whose builder stacks these layers, and ends in the values of the actions."""
    layers = ", ".join((*stack, "layers.Flatten()", "layers.Dense(num_actions)"))
    return f"""
import keras
import numpy as np
import tensorflow as tf
from keras import layers

def create_q_model(num_actions):
    return keras.Sequential([keras.Input({shape}), {layers}])
"""


@pytest.fixture(scope="module")
def pictures(probe):
    def collect(source, **settings):
        return probe("network", source, settings=SETTINGS | settings).pictures

    return collect


@pytest.fixture(scope="module")
def right(pictures):
    return pictures(model(FIRST, SECOND))


# --- what a real worker and inspector answer ----------------------------------------------------


def test_network_as_asked_for_gives_the_same_maps_as_the_expected_one(right):
    assert right.absent is None
    assert right.frames.shape == (16, 16, 2)
    assert right.resized
    first, second = right.convolutions
    assert first.same_kernels
    assert second.same_kernels
    for pair, size, maps in ((first, (7, 7), 20), (second, (5, 5), 6)):
        assert pair.received.size == pair.expected.size == size
        assert pair.received.maps == pair.expected.maps == maps
        assert pair.received.tiles == pair.expected.tiles
        assert pair.received.activation == "relu"
        assert not pair.received.tiles.signed
    assert len(first.received.tiles.numbers) == MAX_MAPS
    assert second.received.tiles.numbers == (1, 2, 3, 4, 5, 6)


def test_pictures_are_the_same_in_every_run(right, pictures):
    assert pictures(model(FIRST, SECOND)) == right


def test_worked_value_is_the_sum_of_its_products(right):
    pixel = right.pixel
    patch, kernel = pixel.patch.array().astype(float), pixel.kernel.array().astype(float)

    assert patch.shape == kernel.shape == (4, 4, 2)
    total = float((patch * kernel).sum()) + pixel.bias
    assert max(total, 0) == pytest.approx(pixel.value, rel=1e-4)
    top, left = pixel.corner
    assert (top, left) == (2 * pixel.place[0], 2 * pixel.place[1])
    frames = right.frames.array()
    assert np.array_equal(patch, frames[top : top + 4, left : left + 4])
    maps = right.convolutions[0].received.tiles
    shown = maps.pixels.array()[maps.numbers.index(pixel.filter)]
    assert shown[pixel.place] == quantised(np.array(pixel.value), maps.largest, signed=False)


def test_kernels_are_those_of_the_network_before_any_training(right):
    kernels = right.received_kernels

    assert (kernels.filters, kernels.size, kernels.channels) == (20, (4, 4), 2)
    assert kernels.pixels.shape == (20, 2, 4, 4)
    assert kernels.biases_zero
    assert not kernels.averaged
    assert right.expected_kernels.pixels.shape == (20, 2, 4, 4)
    assert right.expected_kernels.pixels != kernels.pixels


def test_other_strides_give_maps_of_another_size_with_the_same_kernels(pictures):
    found = pictures(model('layers.Conv2D(20, 4, strides=1, activation="relu")', SECOND))

    first, second = found.convolutions
    assert first.same_kernels
    assert second.same_kernels
    assert (first.received.size, first.expected.size) == ((13, 13), (7, 7))
    assert (second.received.size, second.expected.size) == ((11, 11), (5, 5))
    assert first.received.tiles.numbers == first.expected.tiles.numbers
    assert first.received.tiles.largest == first.expected.tiles.largest


def test_missing_activation_shows_negative_values(pictures):
    found = pictures(model("layers.Conv2D(20, 4, strides=2)", SECOND))

    first = found.convolutions[0]
    assert first.received.activation == "linear"
    assert first.received.tiles.signed
    assert not first.expected.tiles.signed


def test_activation_in_a_layer_of_its_own_belongs_to_the_convolution(right, pictures):
    own = pictures(model("layers.Conv2D(20, 4, strides=2)", 'layers.Activation("relu")', SECOND))

    first = own.convolutions[0]
    assert first.received.activation == "relu"
    assert first.received.tiles == first.expected.tiles
    assert own.pixel.value > 0


@pytest.mark.parametrize(("channels", "worked"), [(1, True), (9, False)])
def test_images_of_other_channels_are_shown_too(pictures, channels, worked):
    found = pictures(
        model(FIRST, SECOND, shape=f"(16, 16, {channels})"), input_shapes=[[16, 16, channels]]
    )

    assert found.frames.shape == (16, 16, channels)
    assert found.convolutions[0].same_kernels
    assert found.received_kernels.averaged is not worked
    assert (found.pixel is not None) is worked


def test_scaling_in_front_changes_nothing_but_the_scale(pictures):
    found = pictures(model("layers.Rescaling(1 / 255)", FIRST, SECOND))

    first = found.convolutions[0]
    assert first.received.tiles == first.expected.tiles
    assert found.pixel.patch.array().max() <= 1


def test_channels_first_network_gets_the_same_image(pictures):
    found = pictures(
        model("layers.Permute((2, 3, 1))", FIRST, SECOND, shape="(2, 16, 16)"),
    )

    assert found.frames.shape == (16, 16, 2)
    first = found.convolutions[0]
    assert first.received.size == (7, 7)
    assert first.received.tiles == first.expected.tiles


def test_convolution_that_is_missing_is_shown_with_kernels_drawn_at_random(pictures):
    found = pictures(model(FIRST))

    first, second = found.convolutions
    assert first.same_kernels
    assert second.received is None
    assert second.expected.size == (5, 5)
    assert not second.same_kernels


def test_kernels_of_another_shape_are_not_lent(pictures):
    found = pictures(model('layers.Conv2D(8, 5, strides=2, activation="relu")', SECOND))

    first, second = found.convolutions
    assert not first.same_kernels
    assert first.received.maps == 8
    assert first.expected.maps == 20
    assert not second.same_kernels


def test_maps_that_are_zero_everywhere_are_counted(pictures):
    off = "bias_initializer=keras.initializers.Constant([-1e6] * 3 + [0.0] * 17)"
    found = pictures(model(f'layers.Conv2D(20, 4, strides=2, activation="relu", {off})', SECOND))

    maps = found.convolutions[0].received
    assert maps.dead >= 3
    assert set(maps.tiles.numbers) & {1, 2, 3} == set(maps.tiles.dead) & {1, 2, 3}
    assert found.received_kernels.biases_zero is False


@pytest.mark.parametrize(
    ("source", "settings", "reason"),
    [
        (
            model("layers.Lambda(lambda x: tf.math.cumsum(tf.sort(x, 1), 2))", FIRST, SECOND),
            {}, NoPictures.NOT_REBUILT,
        ),
        (model("layers.Rescaling(1 / 255)"), {}, NoPictures.NO_CONVOLUTION),
        (
            model('layers.Conv2D(600, 1, padding="same")', shape="(64, 64, 2)"),
            {"input_shapes": [[64, 64, 2]]}, NoPictures.TOO_LARGE,
        ),
    ],
    ids=["code of the student's own", "no convolution", "too large"],
)  # fmt: skip
def test_there_are_no_pictures_for_a_reason_that_is_told(pictures, source, settings, reason):
    found = pictures(source, **settings)

    assert found.absent is reason
    assert found.convolutions == ()
    assert found.frames is None


def test_network_that_reads_no_image_has_no_pictures_at_all(pictures):
    flat = {"input_shapes": [[8]], "layers": [{"layer": "Dense", "units": "num_actions"}]}

    assert pictures(model(shape="(8,)"), **flat) is None


def test_what_the_inspector_refuses_costs_the_pictures_and_nothing_else(contexts, probe):
    source = model(FIRST, SECOND)
    evidence = probe("network", source, settings=SETTINGS)
    first = next(node for node in evidence.graph.nodes if node.kind == "Conv2D")
    lying = evidence.graph.model_copy(
        update={
            "nodes": tuple(
                node.model_copy(update={"parameters": 1}) if node is first else node
                for node in evidence.graph.nodes
            )
        }
    )
    weights = tuple(np.zeros((1,), np.float32) for node in lying.nodes for _ in node.weights)

    found = network_pictures(
        contexts("network", source, settings=SETTINGS), (16, 16, 2), lying, weights,
        NetworkProof(method=ProofMethod.REBUILT),
    )  # fmt: skip

    assert found.absent is NoPictures.BROKEN
    assert found.message


def test_student_s_convolution_is_shown_a_frame_that_is_not_judged(probe):
    loops = """
import numpy as np

def convolve2d(image, kernel, stride=1):
    height, width = kernel.shape
    rows = (image.shape[0] - height) // stride + 1
    columns = (image.shape[1] - width) // stride + 1
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = image[i * stride : i * stride + height, j * stride : j * stride + width]
            out[i, j] = np.sum(window * kernel)
    return out
"""
    evidence = probe(
        "function", loops, settings={"reference": "cross_correlation_2d"},
        names={"function": ("convolve2d",)},
    )  # fmt: skip

    picture = evidence.picture
    assert picture.label == edge_case().label
    assert picture.label not in [trial.label for trial in evidence.trials]
    assert picture.result.shape == (82, 82)


# --- the pieces ---------------------------------------------------------------------------------


def test_frames_show_a_game_in_motion():
    frames = breakout_frames()

    assert frames.shape == (84, 84, 4)
    assert frames.dtype == np.uint8
    assert len({frames[:, :, index].tobytes() for index in range(4)}) == 4
    # The ball: a few bright pixels between bricks and paddle, in another place in every frame.
    places = [np.argwhere(frames[36:74, 6:78, index] > 40).mean(axis=0) for index in range(4)]
    assert all(np.linalg.norm(after - before) > 0.3 for before, after in pairwise(places))


@pytest.mark.parametrize("shape", [(84, 84, 4), (42, 42, 4), (210, 160, 3), (28, 28, 1), (8, 9, 7)])
def test_frames_come_in_the_size_that_is_asked_for(shape):
    frames = frames_of_shape(shape)

    assert frames.shape == shape
    assert frames.max() > 100
    newest = frames_of_shape((*shape[:2], 4))[:, :, -1]
    assert np.array_equal(frames[:, :, -1], newest)


def test_frames_in_their_own_size_are_left_alone():
    assert np.array_equal(frames_of_shape((84, 84, 4)), breakout_frames())


def test_edge_kernel_tells_left_from_right():
    assert np.array_equal(EDGE_KERNEL, -EDGE_KERNEL[:, ::-1])
    assert not np.array_equal(EDGE_KERNEL, EDGE_KERNEL[::-1, ::-1])


A, B, C = (8, 8, 4, 32), (4, 4, 32, 64), (3, 3, 64, 64)


@pytest.mark.parametrize(
    ("received", "expected", "pairs"),
    [
        ([A, B, C], [A, B, C], [(0, 0), (1, 1), (2, 2)]),
        ([A, C], [A, B, C], [(0, 0), (None, 1), (1, 2)]),
        ([A, B, B, C], [A, B, C], [(0, 0), (1, None), (2, 1), (3, 2)]),
        ([A, (5, 5, 32, 64), C], [A, B, C], [(0, 0), (1, 1), (2, 2)]),
        ([], [A], [(None, 0)]),
        ([A], [], [(0, None)]),
        ([None, B], [A, B], [(0, 0), (1, 1)]),
        ([None], [None], [(0, 0)]),
    ],
)
def test_convolutions_are_paired_by_their_kernels_then_by_their_place(received, expected, pairs):
    found = pair_up(received, expected)

    assert [pair[0] for pair in found if pair[0] is not None] == list(range(len(received)))
    assert [pair[1] for pair in found if pair[1] is not None] == list(range(len(expected)))
    if received != [A, B, B, C]:  # which of two equal ones is the extra one is a matter of taste
        assert found == pairs
    else:
        assert len(found) == len(pairs)


def test_most_active_maps_come_in_their_own_order():
    maps = np.zeros((2, 2, 20))
    maps[:, :, [3, 17]] = 1.0
    maps[:, :, 5] = -2.0

    chosen = most_active(maps)

    assert chosen == sorted(chosen)
    assert {3, 5, 17} <= set(chosen)
    assert len(chosen) == MAX_MAPS
    assert 19 not in chosen  # of equal ones the first are taken


def test_kernels_for_many_channels_are_averaged():
    tiles = kernel_tiles(np.ones((3, 3, 16, 40), np.float32), biases_zero=None)

    assert tiles.averaged
    assert tiles.filters == 40
    assert tiles.pixels.shape == (32, 1, 3, 3)
    assert set(tiles.pixels.array().flat) == {255}


def test_quantised_values_keep_zero_and_cut_what_is_too_large():
    values = np.array([-9.0, -1.0, 0.0, 0.5, 1.0, 9.0, np.nan, np.inf])

    assert quantised(values, 1.0, signed=True).tolist() == [1, 1, 128, 192, 255, 255, 128, 128]
    assert quantised(values, 1.0, signed=False).tolist() == [0, 0, 0, 128, 255, 255, 0, 0]
    assert quantised(np.zeros(2), 0.0, signed=True).tolist() == [128, 128]
    assert quantised(np.array([1e308, -1e308]), 1e-9, signed=True).tolist() == [255, 1]


def test_stack_ends_with_the_last_convolution():
    stack = expected_stack(NetworkSettings.parse(SETTINGS), channels=2, most=6)

    assert [layer.kernel_shape for layer in stack] == [(4, 4, 2, 20), (3, 3, 20, 6)]
    assert stack[0].settings == {
        "filters": 20, "kernel_size": (4, 4), "strides": (2, 2), "padding": "valid",
        "activation": "relu",
    }  # fmt: skip


def test_kernels_drawn_at_random_have_the_spread_of_he_and_do_not_change():
    kernel = seeded_kernel((8, 8, 4, 32), 0)

    assert kernel.std() == pytest.approx(np.sqrt(2 / 256), rel=0.05)
    assert np.array_equal(kernel, seeded_kernel((8, 8, 4, 32), 0))
    assert not np.array_equal(kernel, seeded_kernel((8, 8, 4, 32), 1))


def convolution(kernel, bias, **config):
    node = GraphNode(
        index=0, source=NodeSource.LAYER, kind="Conv2D", name="conv2d", inputs=(-1,),
        output_shape=(3, 3, 2), parameters=kernel.size + bias.size,
        config={
            "kernel_size": [2, 2], "strides": [1, 1], "padding": "valid", "groups": 1,
            "dilation_rate": [1, 1], "data_format": "channels_last", "activation": "relu", **config,
        },
    )  # fmt: skip
    return ReceivedConvolution(node=node, shown=node, activation="relu", kernel=kernel, bias=bias)


def worked(bias, **config):
    """The value worked out of a 4 × 4 image and kernels of ones and twos."""
    kernel = np.ones((2, 2, 1, 2), np.float32) * np.array([1, 2], np.float32)
    image = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    sums = sum(image[m : m + 3, n : n + 3] for m in range(2) for n in range(2))
    maps = sums * np.array([1, 2])
    item = convolution(kernel, np.array(bias, np.float32), **config)
    return worked_pixel(item, maps, image, (map_pair((item, maps), None),))


def test_worked_value_is_the_largest_of_the_most_active_map():
    found = worked([0, 0])

    assert found.filter == 2
    assert found.place == found.corner == (2, 2)
    assert found.value == 2 * (10 + 11 + 14 + 15)


def test_window_of_a_padded_convolution_lies_inside_the_image():
    found = worked([0, 0], padding="same")

    assert found.corner == found.place == (2, 2)
    assert found.patch.shape == (2, 2, 1)


@pytest.mark.parametrize(
    ("bias", "config"),
    [
        ([0, float("nan")], {}),
        ([0, float("inf")], {}),
        ([0, 0], {"dilation_rate": [2, 2]}),
        ([0, 0], {"groups": 2}),
        ([0, 0], {"data_format": "channels_first"}),
    ],
)
def test_value_that_cannot_be_worked_out_plainly_is_left_out(bias, config):
    assert worked(bias, **config) is None
