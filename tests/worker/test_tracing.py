"""Networks are described in the student's process and rebuilt in one without their code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from grader.records.incident import Incident
from grader.records.messages import Describe, Forward, ImportFile, Invoke, Rebuild, Resolve
from grader.records.network_evidence import NetworkGraph
from grader.records.spec import Limits
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import ForkServer
from grader.sandbox.worker import Worker

MODELS = """
import keras
import numpy as np
import tensorflow as tf
L = keras.layers
IMAGE = (20, 20, 4)


def convolutions():
    return [L.Conv2D(4, 8, 4, activation="relu"), L.Conv2D(8, 3, activation="relu")]


def sequential():
    return keras.Sequential(
        [keras.Input(IMAGE), *convolutions(), L.Flatten(), L.Dense(16, "relu"), L.Dense(3)])


def unbuilt():
    return keras.Sequential([*convolutions(), L.Flatten(), L.Dense(3)])


def functional():
    inputs = keras.Input(IMAGE)
    x = inputs
    for layer in convolutions():
        x = layer(x)
    return keras.Model(inputs, L.Dense(3)(L.Flatten()(x)))


def nested():
    body = keras.Sequential([keras.Input(IMAGE), *convolutions()])
    head = keras.Sequential([L.Flatten(), keras.Sequential([L.Dense(3)])])
    inputs = keras.Input(IMAGE)
    return keras.Model(inputs, head(body(inputs)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = convolutions()
        self.flat = L.Flatten()
        self.out = L.Dense(3)

    def call(self, x):
        x = x / 255.0
        for layer in self.body:
            x = layer(x)
        return self.out(self.flat(x))


def subclassed():
    return Subclassed()


class WithFunctions(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = L.Conv2D(4, 8, 4)
        self.second = L.Dense(8)
        self.out = L.Dense(3)

    @tf.function
    def call(self, x):
        x = tf.cast(x, tf.float32) / 255.0 - 0.5
        x = tf.nn.relu(self.first(x))
        x = tf.reshape(x, (tf.shape(x)[0], -1))
        x = tf.tanh(self.second(x))
        return self.out(x)


def with_functions():
    return WithFunctions()


def channels_first():
    inputs = keras.Input((4, 20, 20))
    x = L.Permute((2, 3, 1))(inputs)
    return keras.Model(inputs, L.Dense(3)(L.Flatten()(L.Conv2D(4, 8, 4)(x))))


class Transposes(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = L.Conv2D(4, 8, 4)
        self.out = L.Dense(3)

    def call(self, x):
        return self.out(L.Flatten()(self.body(tf.transpose(x, [0, 2, 3, 1]))))


def transposes():
    return Transposes()


def activation_layers():
    return keras.Sequential([
        keras.Input((6,)), L.Dense(8), L.Activation("relu"), L.Dense(8), L.ReLU(), L.Dense(8),
        L.LeakyReLU(negative_slope=0.3), L.Dense(8), L.PReLU(), L.Dense(3), L.Softmax()])


def activation_functions():
    return keras.Sequential([
        keras.Input((6,)), L.Dense(8, activation=tf.nn.relu), L.Dense(8, activation=tf.nn.elu),
        L.Dense(8, activation=lambda x: tf.maximum(x, 0.0)), L.Dense(8, activation=tf.tanh),
        L.Dense(3, activation=lambda x: x)])


def lambdas():
    return keras.Sequential([
        keras.Input((6,)), L.Lambda(lambda x: x / 255.0), L.Dense(8),
        L.Lambda(tf.nn.relu), L.Dense(3)])


def operations():
    inputs = keras.Input((6,))
    x = L.Dense(8)(inputs * (1 / 255))
    x = keras.ops.relu(x)
    return keras.Model(inputs, L.Dense(3)(x))


def shared():
    layer = L.Dense(6, "relu")
    return keras.Sequential([keras.Input((6,)), layer, layer, L.Dense(3)])


def merges():
    inputs = keras.Input((6,))
    a, b = L.Dense(8, "relu")(inputs), L.Dense(8, "tanh")(inputs)
    x = L.Concatenate()([L.Add()([a, b]), L.Multiply()([a, b]), L.Subtract()([a, b])])
    x = L.Average()([x, L.Maximum()([x, L.Dense(24)(x)])])
    return keras.Model(inputs, L.Dense(3)(x))


def merges_in_code():
    inputs = keras.Input((6,))
    a, b = L.Dense(8)(inputs), L.Dense(8)(inputs)
    x = keras.ops.concatenate([a + b, a * b], axis=-1)
    return keras.Model(inputs, L.Dense(3)(x))


def residual():
    inputs = keras.Input((6,))
    x = inputs
    for _ in range(3):
        y = x
        for _ in range(4):
            y = L.Dense(6, "relu")(y)
        x = x + y
    return keras.Model(inputs, L.Dense(3)(x))


def normalised():
    model = keras.Sequential([
        keras.Input((6,)), L.BatchNormalization(), L.Dense(8), L.LayerNormalization(),
        L.Dropout(0.5), L.GaussianNoise(0.3), L.Dense(3)])
    for array in model.weights:
        array.assign(np.random.default_rng(3).uniform(0.5, 1.5, array.shape))
    return model


def pooling():
    return keras.Sequential([
        keras.Input(IMAGE), L.Rescaling(1 / 255), L.ZeroPadding2D(2), L.MaxPooling2D(2),
        L.SeparableConv2D(4, 3), L.AveragePooling2D(2), L.DepthwiseConv2D(3),
        L.GlobalAveragePooling2D(), L.Dense(3)])


def recurrent():
    return keras.Sequential([
        keras.Input((5, 6)), L.LSTM(4, return_sequences=True), L.GRU(4, return_sequences=True),
        L.Bidirectional(L.LSTM(3, return_sequences=True)), L.TimeDistributed(L.Dense(4, "relu")),
        L.SimpleRNN(4), L.Dense(3)])


def embedding():
    return keras.Sequential([
        keras.Input((5,)), L.Embedding(256, 4, mask_zero=True), L.LSTM(4), L.Dense(3)])


def attention():
    inputs = keras.Input((5, 6))
    x = L.MultiHeadAttention(2, 4)(inputs, inputs)
    x = L.LayerNormalization()(L.Add()([x, inputs]))
    return keras.Model(inputs, L.Dense(3)(L.Flatten()(x)))


def two_outputs():
    inputs = keras.Input((6,))
    x = L.Dense(8, "relu")(inputs)
    return keras.Model(inputs, [L.Dense(3)(x), L.Dense(1)(x)])


# --- what is not taken at its word ---

class Conv2D(L.Conv2D):
    def call(self, x):
        return super().call(x) * 1.5


def disguised():
    return keras.Sequential([keras.Input(IMAGE), Conv2D(4, 8, 4), L.Flatten(), L.Dense(3)])


class Frame(L.Layer):
    def call(self, x):
        return tf.math.cumsum(tf.sin(x), axis=-1)


def custom():
    return keras.Sequential([keras.Input((6,)), L.Dense(8), Frame(), L.Dense(3)])


def custom_activation():
    return keras.Sequential([keras.Input((6,)), L.Dense(3, activation=lambda x: tf.sin(x * 3))])


def custom_inside():
    return keras.Sequential([keras.Input((5, 6)), L.TimeDistributed(Frame()), L.Flatten(),
                             L.Dense(3)])


def custom_gate():
    return keras.Sequential([keras.Input((5, 6)), L.LSTM(4, recurrent_activation=lambda x: x * 2),
                             L.Dense(3)])


def patched():
    model = sequential()
    dense = model.layers[-1]
    dense.call = lambda x, *args, **kwargs: tf.ones((tf.shape(x)[0], 3))
    return model


class Unused(keras.Model):
    def __init__(self):
        super().__init__()
        self.decoration = [L.Conv2D(4, 8, 4, name="decoration"), L.Dense(9, name="more")]
        self.out = L.Dense(3)

    def call(self, x):
        return self.out(x)


def unused():
    return Unused()


BUILDERS = dict(globals())


def build(name):
    return BUILDERS[name]()
"""

IMAGE, FLAT, TIME = (20, 20, 4), (6,), (5, 6)
Array = npt.NDArray[Any]


class Traced:
    """A network of the file above, its description, and ways to compare it with a rebuilt one."""

    def __init__(self, worker: Worker, inspector: Worker, name: str, shape: tuple[int, ...]):
        self.inspector = inspector
        self.shape = shape
        worker.ask(Invoke(target="build", arguments={"name": name}, keep="model"), "building")
        self.outputs_of = lambda x: worker.ask(Forward(target="model", batches=(x,)), "asking")[0]
        answer = worker.ask(Describe(target="model", inputs=self.inputs(1, 2)), "describing")
        self.plain = answer["graph"]
        self.weights = answer["weights"]
        self.graph = NetworkGraph.parse(self.plain)

    def inputs(self, seed: int, batch: int = 5) -> Array:
        drawn = np.random.default_rng(seed).integers(0, 256, (batch, *self.shape))
        return drawn.astype(np.float32)

    def kinds(self) -> list[str]:
        return [node.kind for node in self.graph.nodes]

    def rebuilt(self, x: Array, graph: dict[str, Any] | None = None) -> list[Array]:
        request = Rebuild(graph=graph or self.graph.plain(), weights=self.weights, batches=(x,))
        answers: list[Array] = self.inspector.ask(request, "rebuilding")[0]
        return answers

    def refused(self, graph: dict[str, Any] | None = None) -> Incident:
        with pytest.raises(WorkerIncident) as caught:
            self.rebuilt(self.inputs(2), graph)
        return caught.value.incident


@pytest.fixture(scope="module")
def worker(fork_server: ForkServer) -> Iterator[Worker]:
    limits = Limits(call_cpu_s=60, part_cpu_s=600)
    with fork_server.student(limits, 1) as loaded:
        loaded.put_files((("student.py", MODELS.encode()),))
        loaded.ask(ImportFile(file="student.py"), "importing student.py")
        loaded.ask(Resolve(role="build", what="function", names=("build",)), "looking")
        yield loaded


@pytest.fixture
def traced(worker: Worker, fork_server: ForkServer) -> Callable[..., Traced]:
    def trace(name: str, shape: tuple[int, ...]) -> Traced:
        return Traced(worker, fork_server.inspector(), name, shape)

    return trace


BODY = ["Conv2D", "Conv2D", "Flatten"]


@pytest.mark.parametrize(
    ("name", "shape", "kinds"),
    [
        ("sequential", IMAGE, [*BODY, "Dense", "Dense"]),
        ("unbuilt", IMAGE, [*BODY, "Dense"]),
        ("functional", IMAGE, [*BODY, "Dense"]),
        ("nested", IMAGE, [*BODY, "Dense"]),
        ("subclassed", IMAGE, ["affine", *BODY, "Dense"]),
        (
            "with_functions",
            IMAGE,
            ["affine", "Conv2D", "relu", "flatten", "Dense", "tanh", "Dense"],
        ),
        ("channels_first", (4, 20, 20), ["Permute", "Conv2D", "Flatten", "Dense"]),
        ("transposes", (4, 20, 20), ["transpose", "Conv2D", "Flatten", "Dense"]),
        (
            "activation_layers",
            FLAT,
            ["Dense", "Activation", "Dense", "ReLU", "Dense", "LeakyReLU", "Dense", "PReLU",
             "Dense", "Softmax"],
        ),
        ("activation_functions", FLAT, ["Dense"] * 5),
        ("lambdas", FLAT, ["affine", "Dense", "relu", "Dense"]),
        ("operations", FLAT, ["affine", "Dense", "relu", "Dense"]),
        ("shared", FLAT, ["Dense"] * 3),
        (
            "merges",
            FLAT,
            ["Dense", "Dense", "Add", "Multiply", "Subtract", "Concatenate", "Dense", "Maximum",
             "Average", "Dense"],
        ),
        ("merges_in_code", FLAT, ["Dense", "Dense", "add", "multiply", "concatenate", "Dense"]),
        ("residual", FLAT, [*["Dense"] * 4, "add"] * 3 + ["Dense"]),
        (
            "normalised",
            FLAT,
            ["BatchNormalization", "Dense", "LayerNormalization", "Dropout", "GaussianNoise",
             "Dense"],
        ),
        ("pooling", IMAGE, None),
        ("recurrent", TIME, None),
        ("embedding", (5,), ["Embedding", "LSTM", "Dense"]),
        (
            "attention",
            TIME,
            ["MultiHeadAttention", "Add", "LayerNormalization", "Flatten", "Dense"],
        ),
        ("two_outputs", FLAT, ["Dense"] * 3),
    ],
)  # fmt: skip
def test_network_rebuilt_from_its_description_gives_the_same_outputs(
    name: str, shape: tuple[int, ...], kinds: list[str] | None, traced: Callable[..., Traced]
) -> None:
    network = traced(name, shape)
    if kinds is not None:
        assert network.kinds() == kinds
    x = network.inputs(2)
    own, rebuilt = network.outputs_of(x), network.rebuilt(x)
    assert len(own) == len(rebuilt)
    for a, b in zip(own, rebuilt, strict=True):
        assert a.shape == b.shape
        assert np.allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(a).max())
    assert network.graph.unused_layers == ()


def test_description_holds_what_the_layers_are(traced: Callable[..., Traced]) -> None:
    first, second, flatten, hidden, out = traced("sequential", IMAGE).graph.nodes
    assert (first.config["filters"], first.config["strides"]) == (4, [4, 4])
    assert first.config["activation"] == "relu"
    assert (first.output_shape, second.output_shape) == ((4, 4, 4), (2, 2, 8))
    assert flatten.output_shape == (32,)
    assert first.parameters == 8 * 8 * 4 * 4 + 4
    assert hidden.parameters == 32 * 16 + 16
    assert (out.config["units"], out.config["activation"]) == (3, "linear")
    assert [node.inputs for node in (first, second, out)] == [(-1,), (0,), (3,)]


def test_division_reads_as_a_division(traced: Callable[..., Traced]) -> None:
    node = traced("subclassed", IMAGE).graph.nodes[0]
    assert node.source == "operation"
    assert node.config == {"scale": 1 / 255, "offset": 0.0}


def test_functions_are_recognised_by_what_they_compute(traced: Callable[..., Traced]) -> None:
    nodes = traced("activation_functions", FLAT).graph.nodes
    assert [node.config["activation"] for node in nodes] == [
        "relu", "elu", "relu", "tanh", "linear",
    ]  # fmt: skip


def test_shared_layer_is_one_layer(traced: Callable[..., Traced]) -> None:
    network = traced("shared", FLAT)
    first, second, out = network.graph.nodes
    assert first.layer == second.layer != out.layer
    assert first.weights == second.weights
    assert network.graph.parameters == (6 * 6 + 6) + (6 * 3 + 3)


def test_layers_that_are_made_and_never_called_are_listed(traced: Callable[..., Traced]) -> None:
    network = traced("unused", FLAT)
    assert network.kinds() == ["Dense"]
    assert sorted(network.graph.unused_layers) == ["decoration", "more"]


def test_subclass_is_not_taken_at_its_word(traced: Callable[..., Traced]) -> None:
    """A class that calls itself Conv2D and is not Keras' own."""
    network = traced("disguised", IMAGE)
    sources = {node.kind: node.source for node in network.graph.nodes}
    assert sources.get("Conv2D") != "layer"
    assert "unknown" in sources.values()
    assert network.refused().error_type == "CannotRebuild"


@pytest.mark.parametrize("name", ["custom", "custom_activation"])
def test_unknown_code_cannot_be_rebuilt(name: str, traced: Callable[..., Traced]) -> None:
    assert traced(name, FLAT).refused().error_type == "CannotRebuild"


@pytest.mark.parametrize("name", ["custom_inside", "custom_gate"])
def test_code_inside_a_known_layer_cannot_be_rebuilt(
    name: str, traced: Callable[..., Traced]
) -> None:
    network = traced(name, TIME)
    assert network.refused().error_type == "CannotRebuild"


def test_layer_with_another_call_gives_other_outputs(traced: Callable[..., Traced]) -> None:
    network = traced("patched", IMAGE)
    x = network.inputs(2)
    assert np.array_equal(network.outputs_of(x)[0], np.ones((5, 3), np.float32))
    assert not np.allclose(network.rebuilt(x)[0], 1)


# --- where TensorFlow does not tell of its operations ---------------------------------------------

NOT_TOLD = {
    "no module": "import sys\nsys.modules['tensorflow.python.framework.op_callbacks'] = None\n",
    "another interface": (
        "from tensorflow.python.framework import op_callbacks\ndel op_callbacks.add_op_callback\n"
    ),
    "nothing is told": (
        "from tensorflow.python.framework import op_callbacks\n"
        "op_callbacks.add_op_callback = op_callbacks.remove_op_callback = lambda callback: None\n"
    ),
}


@pytest.mark.parametrize("way", NOT_TOLD)
def test_operations_that_are_not_told_are_recognised_by_their_numbers(
    way: str, fork_server: ForkServer
) -> None:
    with fork_server.student(Limits(call_cpu_s=60, part_cpu_s=600), 1) as loaded:
        loaded.put_files((("student.py", (NOT_TOLD[way] + MODELS).encode()),))
        loaded.ask(ImportFile(file="student.py"), "importing student.py")
        loaded.ask(Resolve(role="build", what="function", names=("build",)), "looking")
        for name, shape, kinds in (
            ("subclassed", IMAGE, ["affine", *BODY, "Dense"]),
            ("with_functions", IMAGE,
             ["affine", "Conv2D", "relu", "flatten", "Dense", "tanh", "Dense"]),
            ("transposes", (4, 20, 20), ["transpose", "Conv2D", "Flatten", "Dense"]),
            ("merges_in_code", FLAT, ["Dense", "Dense", "add", "multiply", "concatenate", "Dense"]),
            ("operations", FLAT, ["affine", "Dense", "relu", "Dense"]),
        ):  # fmt: skip
            network = Traced(loaded, fork_server.inspector(), name, shape)
            assert network.kinds() == kinds
            x = network.inputs(2)
            own, rebuilt = network.outputs_of(x)[0], network.rebuilt(x)[0]
            assert np.allclose(own, rebuilt, rtol=1e-4, atol=1e-4 * np.abs(own).max())


# --- claims that were never made by an honest worker ----------------------------------------------


def changed(graph: dict[str, Any], position: int, **fields: Any) -> dict[str, Any]:
    nodes = [dict(node) for node in graph["nodes"]]
    nodes[position] |= fields
    return {**graph, "nodes": nodes}


@pytest.mark.parametrize(
    ("position", "fields"),
    [
        (0, {"index": 1}),
        (4, {"index": 0}),
        (0, {"index": -1}),
        (0, {"inputs": [3]}),
        (2, {"inputs": [2]}),
        (0, {"output_shape": [9, 9, 9]}),
        (3, {"parameters": 5}),
        (4, {"layer": 3}),
        (0, {"kind": "Lambda"}),
        (0, {"kind": "TFSMLayer"}),
        (0, {"kind": "StringLookup"}),
        (0, {"kind": "os.system"}),
        (0, {"source": "unknown"}),
        (0, {"weights": [0, 1, 2]}),
        (0, {"weights": [99]}),
        (0, {"config": {}}),
        (0, {"source": "operation", "kind": "exec", "config": {}}),
    ],
)
def test_description_that_contradicts_itself_proves_nothing(
    position: int, fields: dict[str, Any], traced: Callable[..., Traced]
) -> None:
    network = traced("sequential", IMAGE)
    graph = changed(network.graph.plain(), position, **fields)
    assert network.refused(graph).kind == "raised"


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "registered_name": None,
    "config": {"function": {"class_name": "__lambda__", "config": {"code": "AAAA"}}},
}


@pytest.mark.parametrize(
    "setting",
    [
        LAMBDA,
        {"module": "builtins", "class_name": "function", "config": "eval"},
        {"module": "os", "class_name": "system", "config": {}},
        {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2},
         "registered_name": "student>Dense"},
        {"module": "keras.layers", "class_name": "Dense", "config": {"units": LAMBDA}},
        {"module": "keras.layers.core.lambda_layer", "class_name": "Dense", "config": {}},
        {"class_name": "Dense", "config": {"units": 2}},
        {"module": "keras", "class_name": "Sequential", "config": {"layers": [LAMBDA]}},
        {"module": "keras.src.models.functional", "class_name": "Functional",
         "config": {"layers": [{"module": "keras.layers", "class_name": "Dense", "name": "d",
                                "config": {"units": 2}, "inbound_nodes": [
                                    {"args": [], "kwargs": {"x": LAMBDA}}]}]}},
        {"module": "os", "class_name": "Sequential", "config": {"layers": []}},
        {"value": ["4wEAAAAA", None, None]},
        {},
        [LAMBDA],
    ],
    ids=range(13),
)  # fmt: skip
@pytest.mark.parametrize("key", ["activation", "kernel_initializer", "dtype", "units"])
def test_configuration_brings_no_code_along(
    key: str, setting: Any, traced: Callable[..., Traced]
) -> None:
    network = traced("shared", FLAT)
    plain = network.graph.plain()
    graph = changed(plain, 0, config={**plain["nodes"][0]["config"], key: setting})
    assert network.refused(graph).error_type == "CannotRebuild"


def test_description_that_would_fill_the_memory_ends_the_inspector_alone(
    traced: Callable[..., Traced], fork_server: ForkServer
) -> None:
    network = traced("shared", FLAT)
    plain = network.graph.plain()
    graph = changed(plain, 0, config={**plain["nodes"][0]["config"], "units": 10**9})
    assert network.refused(graph).kind in ("limit", "exited", "raised")
    again = Traced.__new__(Traced)
    again.__dict__ |= network.__dict__ | {"inspector": fork_server.inspector()}
    x = network.inputs(4)
    assert np.allclose(again.rebuilt(x)[0], network.outputs_of(x)[0], rtol=1e-4, atol=1e-2)
