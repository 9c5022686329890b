"""Networks that show other layers than they compute with: none of them is proven.

All have the layers asked for, and answer with something else in some of their calls.
"""

import json

import pytest

from grader.records.network_evidence import NodeSource, ProofMethod

SETTINGS = {
    "input_shapes": [[12, 12, 2]],
    "num_actions": [3],
    "layers": [
        {"layer": "Conv2D", "filters": 4, "kernel_size": [4, 4], "strides": [2, 2],
         "activation": "relu"},
        {"layer": "Flatten"},
        {"layer": "Dense", "units": "num_actions"},
    ],
}  # fmt: skip
SOURCE = """
import inspect
import sys
import keras
import numpy as np
import tensorflow as tf
from keras import layers

HIDDEN = tf.constant(np.random.default_rng(5).normal(size=(288, 3)), tf.float32)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.convolution = layers.Conv2D(4, 4, strides=2, activation="relu")
        self.flatten = layers.Flatten()
        self.out = layers.Dense(3)
        self.calls = 0
        self.seen = {}

    def shown(self, x):
        return self.out(self.flatten(self.convolution(x)))

    def other(self, x):
        return tf.sin(tf.reduce_sum(x, axis=[1, 2, 3]))[:, None] * tf.constant([[1.0, 2.0, 3.0]])

    def call(self, x, training=None):
        if not tf.executing_eagerly():
            return self.shown(x)
        self.calls += 1
        BODY


def create_q_model(num_actions):
    return Net()
"""

PINNED = "return self.shown(x) if {} else self.other(x)"
DISGUISES = {
    "result thrown away": "self.shown(x)\n        return self.other(x)",
    "right the second time": """key = x.numpy().tobytes()
        known, self.seen[key] = key in self.seen, True
        return self.shown(x) if known else self.other(x)""",
    "right the first time": """key = x.numpy().tobytes()
        known, self.seen[key] = key in self.seen, True
        return self.other(x) if known else self.shown(x)""",
    **{
        f"other after {count} calls": PINNED.format(f"self.calls <= {count}")
        for count in (1, 2, 3, 4, 6, 8, 9)
    },
    "other when trained": PINNED.format("not training"),
    "other for one row": PINNED.format("len(x) > 1"),
    "other for many rows": PINNED.format("len(x) <= 7"),
    "right for seven rows": PINNED.format("len(x) == 7"),
    "right for the traced inputs": """known = np.random.default_rng(54).uniform(0, 255, x.shape)
        return self.shown(x) if np.allclose(x, np.rint(known)) else self.other(x)""",
    "weights of its own": """self.shown(x)
        return tf.reshape(x, (-1, 288)) @ HIDDEN""",
    "a little more": "return self.shown(x) + 0.01 * self.other(x) * tf.norm(self.shown(x))",
    "sees the call stack": PINNED.format(
        "any('tracing' in frame.filename for frame in inspect.stack())"
    ),
    "sees the hooks": PINNED.format(
        "'tracing' in keras.layers.Layer.__call__.__code__.co_filename"
        " or 'layer_called' in keras.layers.Layer.__call__.__qualname__"
    ),
    "sees the callbacks": PINNED.format(
        "__import__('tensorflow.python.framework.op_callbacks', fromlist='x')"
        ".should_invoke_op_callbacks()"
    ),
    "sees eager functions": PINNED.format("tf.config.functions_run_eagerly()"),
}


@pytest.fixture(scope="module")
def collect(probe):
    def run(body):
        return probe("network", SOURCE.replace("BODY", body), settings=SETTINGS)

    return run


def test_the_same_network_without_a_disguise_is_proven(collect):
    evidence = collect("return self.shown(x)")
    assert evidence.proof.method is ProofMethod.REBUILT
    assert [node.kind for node in evidence.graph.nodes] == ["Conv2D", "Flatten", "Dense"]


def _live_layers(graph):
    wanted, layers = set(graph.outputs), []
    for node in reversed(graph.nodes):
        if node.index in wanted:
            wanted.update(node.inputs)
            layers += [node.kind] if node.source is NodeSource.LAYER else []
    return layers


@pytest.mark.parametrize("name", DISGUISES)
def test_a_network_that_answers_with_something_else_earns_nothing(collect, name):
    evidence = collect(DISGUISES[name])
    assert evidence.builds[0].is_model
    if evidence.proof is not None and evidence.proof.method is ProofMethod.REBUILT:
        # Read as what it is: no layer leads to the output.
        assert _live_layers(evidence.graph) == []
    else:
        assert evidence.proof.method is ProofMethod.NONE
        assert evidence.proof.reason


def test_a_difference_in_training_is_told_as_such(collect):
    proof = collect(DISGUISES["other when trained"]).proof
    assert "training=True" in proof.reason


NORMALISED = SOURCE.replace(
    "return self.out(self.flatten(self.convolution(x)))",
    "return self.out(self.flatten(self.normal(self.convolution(x))))",
).replace(
    "self.flatten = layers.Flatten()",
    "self.flatten = layers.Flatten()\n        self.normal = layers.BatchNormalization()\n"
    "        self.drop = layers.Dropout(0.5)",
)
TRAINING = {
    "normalised": ("return self.shown(x)", ProofMethod.REBUILT),
    "normalised without training": (
        "return self.out(self.flatten(self.normal(self.convolution(x), training=False)))",
        ProofMethod.REBUILT,
    ),
    "normalised in training always": (
        "return self.out(self.flatten(self.normal(self.convolution(x), training=True)))",
        ProofMethod.REBUILT,
    ),
    "dropout": ("return self.drop(self.shown(x))", ProofMethod.REBUILT),
    "normalised, and other when trained": (
        "return self.shown(x) if not training else self.shown(x) * 1.5",
        ProofMethod.NONE,
    ),
}


@pytest.mark.parametrize("name", TRAINING)
def test_what_layers_do_in_training_is_no_disguise(probe, name):
    body, method = TRAINING[name]
    evidence = probe("network", NORMALISED.replace("BODY", body), settings=SETTINGS)
    assert evidence.proof.method is method, evidence.proof


UNTRACKED = SOURCE.replace(
    "self.out = layers.Dense(3)",
    "self.out = layers.Dense(3)\n        hidden = layers.Dense(3)\n"
    "        self.hide = lambda: hidden",
).replace("BODY", "return self.hide()(self.flatten(self.convolution(x)))")


def test_a_layer_whose_weights_are_not_the_models_is_named(probe):
    evidence = probe("network", UNTRACKED, settings=SETTINGS)
    assert len(evidence.graph.untracked_layers) == 1
    assert len(evidence.graph.unused_layers) == 1


def test_the_proof_is_the_same_each_time(collect):
    first, second = (collect("return self.shown(x)") for _ in range(2))
    assert json.loads(first.model_dump_json()) == json.loads(second.model_dump_json())
