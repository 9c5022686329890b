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
    "other for more than 20 rows": PINNED.format("len(x) <= 20"),
    "other in the dark": PINNED.format("tf.reduce_mean(x) > 100"),
    "other for even pictures": PINNED.format("tf.math.reduce_std(x) > 10"),
    "other until weights are set": PINNED.format("tf.reduce_any(self.out.bias != 0)"),
    "constant until weights are set": """known = tf.reduce_any(self.out.bias != 0)
        return self.shown(x) if known else tf.zeros((len(x), 3))""",
    "a branch in half precision": """y = self.shown(x)
        seen = any("tracing" in frame.filename for frame in inspect.stack())
        y += 0 * tf.cast(tf.cast(y, tf.bfloat16), tf.float32)
        return y if seen else 1.02 * y""",
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


def test_a_network_that_is_another_one_when_compiled_is_not_proven(probe):
    """As `predict` and `fit` would run it."""
    told = "return self.{}(x)\n        self.calls"
    source = SOURCE.replace(told.format("shown"), told.format("other"))
    source = source.replace("BODY", "return self.shown(x)")
    assert source.count("return self.other(x)") == 1
    proof = probe("network", source, settings=SETTINGS).proof
    assert proof.method is ProofMethod.NONE


def test_a_network_that_cannot_be_compiled_is_proven_by_its_other_answers(probe):
    source = SOURCE.replace("if not tf.executing_eagerly():\n            return self.shown(x)",
                            "x.numpy()").replace("BODY", "return self.shown(x)")  # fmt: skip
    assert source.count("x.numpy()") == 1
    proof = probe("network", source, settings=SETTINGS).proof
    assert proof.method is ProofMethod.REBUILT


SMALL = SOURCE.replace(
    "layers.Dense(3)",
    "layers.Dense(3, kernel_initializer=keras.initializers.RandomNormal(stddev=1e-16))",
)


def test_small_outputs_are_compared_as_exactly_as_large_ones(probe):
    honest = SMALL.replace("BODY", "return self.shown(x)")
    assert probe("network", honest, settings=SETTINGS).proof.method is ProofMethod.REBUILT
    body = PINNED.replace("self.other", "1e-12 * self.other").format("len(x) == 7")
    evidence = probe("network", SMALL.replace("BODY", body), settings=SETTINGS)
    assert evidence.proof.method is ProofMethod.NONE


OWN_LAYER = """
import keras
from keras import layers


class Own(layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 3), initializer="glorot_uniform")
        self.b = self.add_weight(shape=(3,), initializer="zeros")

    def call(self, x):
        return x @ self.w + self.b


def create_q_model(num_actions):
    return keras.Sequential([
        keras.Input((12, 12, 2)), layers.Rescaling(1 / 255),
        layers.Conv2D(4, 4, strides=2, activation="relu"), layers.Flatten(), Own()])
"""


def test_a_layer_written_by_hand_is_no_disguise(probe):
    evidence = probe("network", OWN_LAYER, settings=SETTINGS)
    assert evidence.proof.method in (ProofMethod.REBUILT, ProofMethod.TRANSPLANTED)


FORGED = """
import grader.worker.session as session
import keras
from keras import layers


def create_q_model(num_actions):
    return keras.Sequential([
        keras.Input((12, 12, 2)), layers.Conv2D(4, 4, strides=2, activation="relu"),
        layers.Flatten(), layers.Dense(3)])


describe = session.STUDENT_HANDLERS["describe"]


def forged(session, request):
    told = describe(session, request)
    nodes = told["graph"]["nodes"]
    nodes.append(dict(nodes[1], index=3, kind="RepeatVector", name="r", inputs=(1,), layer=50,
                      weights=(), config={"n": 100000}, output_shape=(100000, 100)))
    nodes.append(dict(nodes[1], index=4, kind="LSTM", name="l", inputs=(3,), layer=51, weights=(),
                      config={"units": 64}, output_shape=(64,), parameters=42240))
    OUTPUT
    return told


session.STUDENT_HANDLERS["describe"] = forged
"""


def test_what_leads_nowhere_costs_the_inspector_nothing(probe, fork_server):
    inspector = fork_server.inspector()
    evidence = probe("network", FORGED.replace("OUTPUT", "pass"), settings=SETTINGS)
    assert evidence.proof.method is ProofMethod.REBUILT
    assert [node.kind for node in evidence.graph.nodes[3:]] == ["RepeatVector", "LSTM"]
    assert fork_server.inspector() is inspector


def test_a_description_of_too_large_a_network_is_not_tried(probe, fork_server):
    inspector = fork_server.inspector()
    output = "nodes[3]['output_shape'] = (1 << 20, 100); told['graph']['outputs'] = (4,)"
    settings = SETTINGS | {"layers": [{"layer": "anything"}, *SETTINGS["layers"][-1:]]}
    evidence = probe("network", FORGED.replace("OUTPUT", output), settings=settings)
    assert evidence.proof.method is ProofMethod.NONE
    assert "too large" in evidence.proof.reason
    assert fork_server.inspector() is inspector


TIED = """
import keras
import tensorflow as tf
from keras import layers


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten = layers.Flatten()
        self.first, self.second = layers.Dense(3), layers.Dense(3)
        self.second.build = self.tied

    def tied(self, shape):
        self.second._kernel = self.first._kernel
        self.second.bias = self.second.add_weight(shape=(3,), initializer="zeros")
        self.second.built = True

    def call(self, x):
        x = self.flatten(x)
        return self.first(x) + tf.nn.relu(self.second(x))


def create_q_model(num_actions):
    return Net()
"""


def test_layers_that_share_weights_in_secret_count_as_one(probe):
    evidence = probe("network", TIED, settings=SETTINGS)
    assert evidence.proof.method is ProofMethod.REBUILT
    first, second = (node for node in evidence.graph.nodes if node.kind == "Dense")
    assert first.layer == second.layer
    assert first.weights[0] == second.weights[0]
    assert first.weights[1] != second.weights[1]


EAGER_ONLY = """        if not tf.executing_eagerly():
            return self.shown(x)
"""
NORMALISED = (
    SOURCE.replace(EAGER_ONLY, "")
    .replace(
        "return self.out(self.flatten(self.convolution(x)))",
        "return self.out(self.flatten(self.normal(self.convolution(x))))",
    )
    .replace(
        "self.flatten = layers.Flatten()",
        "self.flatten = layers.Flatten()\n        self.normal = layers.BatchNormalization()\n"
        "        self.drop = layers.Dropout(0.5)",
    )
)
TRAINING = {
    "normalised": ("return self.shown(x)", ProofMethod.REBUILT),
    "divided by the deviation": (
        "return self.shown((x - tf.reduce_mean(x)) / tf.math.reduce_std(x))",
        ProofMethod.REBUILT,
    ),
    "normalised without training": (
        "return self.out(self.flatten(self.normal(self.convolution(x), training=False)))",
        ProofMethod.REBUILT,
    ),
    "normalised in training always": (
        "return self.out(self.flatten(self.normal(self.convolution(x), training=True)))",
        ProofMethod.REBUILT,
    ),
    "dropout": ("return self.drop(self.shown(x))", ProofMethod.REBUILT),
    "dropout that leads nowhere": (
        "self.drop(x)\n        return self.shown(x) if not training else self.other(x)",
        ProofMethod.NONE,
    ),
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
