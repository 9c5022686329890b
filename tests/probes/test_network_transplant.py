"""The expected network as a list of layers that a clean process can build."""

import pytest

from grader.probes.inspection import ask_inspector
from grader.probes.network_transplant import _expected_lists
from grader.records.messages import Reference
from grader.records.network_settings import NetworkSettings

DENSE = {"layer": "Dense", "units": 3}


def lists_of(layers, shape):
    settings = NetworkSettings.parse(
        {"num_actions": [3], "input_shapes": [shape], "layers": layers}
    )
    return list(_expected_lists(settings, {"num_actions": 3}))


@pytest.mark.parametrize(
    ("layers", "shape", "sides"),
    [
        (
            [{"layer": "preprocessing"},
             {"layer": "Conv2D", "filters": 4, "kernel_size": 3, "data_format": "any"},
             {"layer": "MaxPooling2D"}, {"layer": "Flatten"},
             {"layer": "Dense", "units": "2 * num_actions"}],
            [12, 12, 4],
            [[3, 3, 4, 4], [4], [100, 6], [6]],
        ),
        (
            [{"layer": "Embedding", "input_dim": 50, "output_dim": 4},
             {"layer": "LSTM", "units": 4}, DENSE],
            [5],
            [[50, 4], [4, 16], [4, 16], [16], [4, 3], [3]],
        ),
        (
            [{"layer": "SimpleRNN", "units": 4}, DENSE],
            [5, 6],
            [[6, 4], [4, 4], [4], [4, 3], [3]],
        ),
        (
            [{"layer": "SeparableConv2D", "filters": 4, "kernel_size": [3, 3]},
             {"layer": "DepthwiseConv2D", "kernel_size": 2}, {"layer": "GlobalMaxPooling2D"},
             {"layer": "Reshape", "target_shape": [2, 2]}, {"layer": "Permute", "dims": [2, 1]},
             {"layer": "Dropout", "rate": 0.5}, {"layer": "GaussianNoise", "stddev": 0.1},
             {"layer": "UnitNormalization"}, {"layer": "Masking"},
             {"layer": "Activation", "activation": "relu"}, {"layer": "Flatten"},
             {"layer": "RepeatVector", "n": 2},
             {"layer": "Conv1DTranspose", "filters": 2, "kernel_size": 2}],
            [12, 12, 4],
            [[3, 3, 4, 1], [1, 1, 4, 4], [4], [2, 2, 4, 1], [4], [2, 2, 4], [2]],
        ),
    ],
)  # fmt: skip
def test_a_chain_of_exact_layers_can_be_built(layers, shape, sides, fork_server):
    (found,) = lists_of(layers, shape)
    request = Reference(layers=found, input_shape=tuple(shape))
    assert ask_inspector(fork_server, request, "asking") == sides


@pytest.mark.parametrize(
    "first",
    [
        {"layer": "Dense", "units": {"min": 3}},
        {"layer": "Dense", "units": {"one_of": [3, 4]}},
        {"layer": "Dense", "units": 3, "activation": "any"},
        {"layer": "Dense", "units": 3, "activation": {"one_of": ["relu", "tanh"]}},
        {"layer": "Dropout", "rate": "any"},
        {"layer": "Embedding", "output_dim": 4},
        {"layer": "GRU", "units": 4, "bidirectional": "concat"},
        {"layer": "MultiHeadAttention", "num_heads": 2, "key_dim": 4},
        {"layer": "anything"},
    ],
    ids=str,
)
def test_what_may_be_several_networks_is_no_list(first):
    assert lists_of([first, DENSE], [5, 6]) == []


def test_branches_are_no_list():
    layers = [
        {"layer": "Dense", "units": 4, "name": "a"},
        {"layer": "Dense", "units": 4, "name": "b", "reads": ["input"]},
        {"layer": "Add", "reads": ["a", "b"]},
    ]
    assert lists_of(layers, [6]) == []


def test_each_alternative_is_a_list():
    choices = {"layer": "any_of", "choices": [[DENSE], [{"layer": "Dense", "units": 4}, DENSE]]}
    assert [len(found) for found in lists_of([choices], [6])] == [1, 2]


def test_a_network_that_no_list_describes_is_not_held_against_the_grader(probe):
    """The layers asked for cannot be built: kernels are larger than what they read."""
    settings = {
        "num_actions": [3],
        "input_shapes": [[6]],
        "layers": [{"layer": "Conv2D", "filters": 3, "kernel_size": 9}, DENSE],
    }
    evidence = probe(
        "network",
        """
import keras
import tensorflow as tf

def create_q_model(num_actions):
    return keras.Sequential([keras.Input((6,)), keras.layers.Lambda(tf.math.cumsum),
                             keras.layers.Dense(3)])
""",
        settings=settings,
    )
    assert evidence.load is None
    assert evidence.proof.method == "none"
