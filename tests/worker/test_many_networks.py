"""Networks in every style are read as what they are, and rebuilt from that in another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from grader.records.messages import (
    Describe,
    Forward,
    ImportFile,
    Invoke,
    ModelFacts,
    Rebuild,
    Resolve,
)
from grader.records.network_evidence import NetworkGraph
from grader.records.spec import Limits
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import ForkServer
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

NETWORKS = Path(__file__).with_name("many_networks.py")
FLAT, TEXT, TIME, IMAGE = ((6,),), ((5,),), ((5, 6),), ((20, 20, 4),)
TWO = ((6,), (4,))
BODY = ["Conv2D", "Conv2D", "Flatten"]
NAMES = ("a", "b")


class Network:
    """A network of the file, its description, and what it and its rebuilt form answer."""

    def __init__(
        self, worker: Worker, inspector: Worker, name: str, shapes: tuple[Shape, ...]
    ) -> None:
        self.inspector, self.worker = inspector, worker
        worker.ask(Invoke(target="build", arguments={"name": name}, keep="model"), "building")
        request = ModelFacts(
            target="model",
            names=NAMES[: len(shapes)],
            shapes=tuple((shape,) for shape in shapes),
        )
        self.facts = worker.ask(request, "looking")
        self.shapes = (*shapes, *map(tuple, self.facts["extra_inputs"]))
        self.asked = len(shapes)
        worker.ask(Forward(target="model", batches=(self.inputs(1, 2),)), "asking")
        answer = worker.ask(Describe(target="model", inputs=self.inputs(2, 7)), "describing")
        self.graph = NetworkGraph.parse(answer["graph"])
        self.weights = answer["weights"]

    def inputs(self, seed: int, rows: int) -> Any:
        """Whole numbers whose later rows end in zeros, as sequences do that are padded."""
        arrays = []
        for number, shape in enumerate(self.shapes):
            drawn = np.random.default_rng([seed, number]).integers(1, 256, (rows, *shape))
            drawn[1:, 3:] = 0
            arrays.append(drawn.astype(np.float32) if number < self.asked else drawn * 0.0 + 1)
        return arrays[0] if len(arrays) == 1 else tuple(np.float32(array) for array in arrays)

    def kinds(self) -> list[str]:
        return [
            f"{node.kind}?" if node.source == "unknown" else node.kind for node in self.graph.nodes
        ]

    def difference(self) -> float:
        """The largest difference of all outputs for fresh inputs, relative to the largest."""
        batches = (self.inputs(3, 5), self.inputs(4, 1))
        own = self.worker.ask(Forward(target="model", batches=batches), "asking")
        request = Rebuild(graph=self.graph.plain(), weights=self.weights, batches=batches)
        rebuilt = self.inspector.ask(request, "rebuilding")
        found = [0.0]
        for mine, others in zip(own, rebuilt, strict=True):
            for a, b in zip(mine, others, strict=True):
                assert a.shape == b.shape
                scale = max(1e-6, float(np.abs(np.float64(b)).max()))
                found.append(float(np.abs(np.float64(a) - np.float64(b)).max()) / scale)
        return max(found)


@pytest.fixture(scope="module")
def worker(fork_server: ForkServer) -> Iterator[Worker]:
    with fork_server.student(Limits(call_cpu_s=60, part_cpu_s=600), 1) as loaded:
        loaded.put_files((("student.py", NETWORKS.read_bytes()),))
        loaded.ask(ImportFile(file="student.py"), "importing student.py")
        loaded.ask(Resolve(role="build", what="function", names=("build",)), "looking")
        yield loaded


@pytest.fixture
def read(worker: Worker, fork_server: ForkServer) -> Callable[..., Network]:
    return lambda name, shapes: Network(worker, fork_server.inspector(), name, shapes)


STYLES: dict[str, tuple[tuple[Shape, ...], list[str]]] = {
    # several inputs and outputs
    "two_inputs": (TWO, ["Dense", "Dense", "Concatenate", "Dense", "Dense"]),
    "dict_inputs": (TWO, ["Dense", "Dense", "Concatenate", "Dense", "Dense"]),
    "swapped_inputs": (TWO, ["Dense", "Dense", "Concatenate", "Dense"]),
    "two_list": (TWO, ["Dense", "Dense", "concatenate", "Dense"]),
    "two_arguments": (TWO, ["Dense", "Dense", "add", "Dense"]),
    "two_dict": (TWO, ["Dense", "Dense", "subtract", "Dense", "Dense"]),
    "action_mask": (FLAT, ["Dense", "Dense", "Multiply"]),
    "shared_branches": (((6,), (6,)), ["Dense", "Dense", "subtract", "absolute", "Dense"]),
    # branches
    "dueling": (FLAT, [*["Dense"] * 4, "reduce_mean", "subtract", "add"]),
    "dueling_lambda": (
        FLAT,
        ["Dense", "Dense", "reduce_mean", "Dense", "Subtract", "Add"],
    ),
    "dueling_lambda_two": (FLAT, [*["Dense"] * 3, "add", "reduce_max", "subtract"]),
    "residual_dropout": (FLAT, ["Dropout", "Dense", "Add", "Dense"]),
    "inception": (
        IMAGE,
        ["slice", "affine", *["Conv2D"] * 3, "concatenate", "relu", "pad", "max_pool",
         "reduce_mean", "Dense"],
    ),
    # objects around a model, and layers of the student's
    "wrapper": (IMAGE, [*BODY, "Dense", "Dense"]),
    "callable_object": (FLAT, ["Dense", "Dense"]),
    "a_layer": (FLAT, ["Dense", "ReLU"]),
    "own_call": (FLAT, ["Dense", "Dense"]),
    "function_object": (FLAT, ["Dense", "Dense"]),
    "blocks": (FLAT, ["Dense", "ReLU", "Dense", "ReLU", "Dense"]),
    "preset_subclass": (IMAGE, ["Conv2D", "Flatten", "Dense"]),
    "tf_keras": (FLAT, ["Dense", "Dense"]),
    "untracked": (FLAT, ["Dense"]),
    # operations
    "many_operations": (
        FLAT,
        ["affine", "stop_gradient", "expand_dims", "Dense", "squeeze", "slice", "slice", "slice",
         "affine", "reduce_max", "add", "reduce_min", "slice", "subtract", "square", "stack",
         "matmul", "flatten", "reduce_sum", "concatenate", "Dense"],
    ),
    "keras_ops": (
        FLAT,
        ["affine", "expand_dims", "Dense", "relu", "transpose", "flatten", "maximum",
         "reduce_mean", "subtract", "Dense"],
    ),
    "written_by_hand": (
        FLAT,
        ["affine", "Dense", "gelu", "Dense", "silu", "Dense", "silu", "Dense", "mish", "Dense",
         "leaky_relu", "Dense", "leaky_relu", "Dense", "softmax", "Dense", "sigmoid", "Dense"],
    ),
    "through_numpy": (FLAT, ["affine", "Dense", "relu", "Dense"]),
    "numpy_function": (FLAT, ["affine", "Dense"]),
    "folds_time": (TIME, ["reshape", "Dense", "reshape"]),
    "scaled_constants": (FLAT, ["Dense", "affine"]),
    "modulo": (TEXT, ["cast", "modulo", "one_hot", "Flatten", "Dense"]),
    "one_hot": (TEXT, ["cast", "one_hot", "Flatten", "Dense"]),
    "leaky_activations": (FLAT, ["Dense"] * 5),
    "sums": (
        FLAT,
        ["Dense", "Dense", "Dense", "average", "multiply", "maximum", "subtract", "Dense"],
    ),
    "clips": (
        FLAT,
        ["Dense", "hard_tanh", "multiply", "reduce_sum", "sqrt", "divide", "affine"],
    ),
    # sequences
    "masked_embedding": (TEXT, ["Embedding", "LSTM", "Dense"]),
    "masked_subclass": (TEXT, ["Embedding", "GRU", "Dense"]),
    "mask_lost": (TEXT, ["Embedding", "affine", "GRU", "Dense"]),
    "mask_given": (TEXT, ["Embedding", "affine", "not_equal", "GRU", "Dense"]),
    "mask_computed": (TEXT, ["Embedding", "GRU", "Dense"]),
    "masking": (
        TIME,
        ["Masking", "Bidirectional", "TimeDistributed", "GlobalAveragePooling1D", "Dense"],
    ),
    "pooled_embedding": (TEXT, ["Embedding", "GlobalAveragePooling1D", "Dense"]),
    "returns_states": (TIME, ["LSTM", "part", "part", "Dense"]),
    "states": (TIME, ["LSTM", "part", "part", "LSTM", "Dense"]),
    "bi_states": (TIME, ["Bidirectional", "part", "part", "Concatenate", "Dense"]),
    "cells": (TIME, ["RNN", "RNN", "Dense"]),
    "zero_state": (TIME, ["constant", "LSTM", "Dense"]),
    "attentions": (
        TIME,
        ["MultiHeadAttention", "Attention", "AdditiveAttention", "MultiHeadAttention", "part",
         "Add", "Flatten", "Dense"],
    ),
    "own_attention": (
        TIME,
        ["Dense", "Dense", "Dense", "matmul", "affine", "constant", "add", "softmax", "einsum",
         "Dense"],
    ),
    "positions": (TEXT, ["Embedding", "constant", "Embedding", "add", "Dense"]),
    # other settings
    "norm_in_training": (FLAT, ["BatchNormalization", "Dense"]),
    "first": (((4, 20, 20),), ["Conv2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense"]),
    "first_1d": (((4, 20),), ["Conv1D", "Flatten", "Dense"]),
    "normalization": (FLAT, ["Normalization", "Dense"]),
    # the ways of papers and tutorials
    "time_seq": (((3, 8, 8, 1),), ["TimeDistributed", "LSTM", "Dense"]),
    "time_fun": (((3, 8, 8, 1),), ["TimeDistributed", "LSTM", "Dense"]),
    "transformer": (
        TIME,
        ["MultiHeadAttention", "Dropout", "add", "LayerNormalization", "Dense", "Dense",
         "Dropout", "add", "LayerNormalization", "GlobalAveragePooling1D", "Dense"],
    ),
    "token_position": (
        TEXT,
        ["Embedding", "constant", "Embedding", "add", "not_equal", "masked",
         "MultiHeadAttention", "GlobalAveragePooling1D", "Dense"],
    ),
    "resizing": (
        IMAGE,
        ["Resizing", "CenterCrop", "RandomFlip", "Conv2D", "UpSampling2D", "Cropping2D",
         "Conv2DTranspose", "GlobalMaxPooling2D", "Dense"],
    ),
    "slices": (
        TIME,
        ["GRU", "slice", "slice", "Dense", "reshape", "slice", "slice", "slice", "gather",
         "slice", "einsum", "multiply", "subtract", "reduce_mean", "flatten", "tile",
         "expand_dims", "tile", "flatten", "concatenate", "Dense"],
    ),
    "masks_attention": (
        (TEXT[0], TEXT[0]),
        ["Embedding", "Embedding", "AdditiveAttention", "Attention", "Concatenate",
         "GlobalAveragePooling1D", "Dense"],
    ),
    "conv_lstm": (((3, 8, 8, 2),), ["ConvLSTM2D", "Conv3D", "MaxPooling3D", "Flatten", "Dense"]),
    "prelu_groups": (
        IMAGE,
        ["Conv2D", "GroupNormalization", "PReLU", "SpatialDropout2D", "DepthwiseConv2D",
         "UnitNormalization", "GlobalAveragePooling2D", "Dense"],
    ),
    "rainbow": (
        FLAT,
        ["Dense", "Dense", "reshape", "Dense", "reshape", "add", "reduce_mean", "subtract",
         "softmax", "affine", "reduce_sum"],
    ),
    "frozen": (FLAT, ["BatchNormalization", "Dense", "Dropout", "Dense"]),
    "per_image": (
        IMAGE,
        ["reduce_mean", "reduce_mean", "subtract", "square", "reduce_mean", "sqrt", "maximum",
         "subtract", "divide", "resize", "Flatten", "Dense"],
    ),
    "dense_activation_softmax3d": (TIME, ["Dense", "Dense", "Activation", "Activation", "Dense"]),
    "std": (
        FLAT,
        ["reduce_mean", "subtract", "square", "reduce_mean", "sqrt", "reduce_mean", "subtract",
         "affine", "divide", "Dense"],
    ),
    "compiled": (IMAGE, [*BODY, "Dense", "Dense"]),
    # from files
    "saved": (IMAGE, [*BODY, "Dense", "Dense"]),
    "saved_h5": (IMAGE, [*BODY, "Dense", "Dense"]),
    "saved_lambda": (FLAT, ["affine", "Dense", "relu", "Dense"]),
    "saved_weights": (IMAGE, [*BODY, "Dense", "Dense"]),
}  # fmt: skip


@pytest.mark.parametrize("name", STYLES)
def test_network_is_read_as_what_it_is_and_rebuilt(name: str, read: Callable[..., Network]) -> None:
    shapes, kinds = STYLES[name]
    network = read(name, shapes)
    assert network.kinds() == kinds
    assert network.difference() <= 1e-4


def test_half_precision_is_rebuilt_in_half_precision(read: Callable[..., Network]) -> None:
    network = read("mixed", IMAGE)
    assert network.kinds() == ["Rescaling", *BODY, "Dense", "Dense"]
    assert [node.output_dtype for node in network.graph.nodes] == ["float16"] * 5 + ["float32"]
    assert network.graph.nodes[1].config["dtype"] == "mixed_float16"
    assert network.difference() <= 8 * 2.0**-11


def test_brain_floats_are_rebuilt_in_brain_floats(read: Callable[..., Network]) -> None:
    network = read("brain_float", FLAT)
    assert {node.output_dtype for node in network.graph.nodes} == {"bfloat16"}
    assert network.difference() <= 8 * 2.0**-8


def test_a_layer_whose_settings_cannot_be_read_is_unknown(read: Callable[..., Network]) -> None:
    network = read("unreadable", FLAT)
    assert network.kinds() == ["Dropout?", "Dense"]
    with pytest.raises(WorkerIncident, match="Dropout is no known layer"):
        network.difference()


def test_an_output_of_variables_alone_is_unknown_by_the_name_of_the_network(
    read: Callable[..., Network],
) -> None:
    network = read("policy", FLAT)
    assert network.kinds()[-1] == "Policy?"
    assert [network.graph.nodes[node].kind for node in network.graph.outputs] == ["Dense", "Policy"]


def test_layers_with_variables_of_their_own_are_unknown_by_the_name_of_their_class(
    read: Callable[..., Network],
) -> None:
    network = read("raw_dense", FLAT)
    assert network.kinds() == ["MyDense?", "relu", "MyDense?"]
    assert [node.parameters for node in network.graph.nodes] == [6 * 8 + 8, 0, 8 * 3 + 3]
    with pytest.raises(WorkerIncident, match="MyDense is no known layer"):
        network.difference()


@pytest.mark.parametrize(
    ("name", "shapes", "place"),
    [("wrapper", IMAGE, ".q_network"), ("callable_object", FLAT, ".__call__"),
     ("a_layer", FLAT, "the layer itself"), ("blocks", FLAT, "")],
)  # fmt: skip
def test_a_model_inside_something_else_is_found_and_said_to_be_there(
    name: str, shapes: Any, place: str, read: Callable[..., Network]
) -> None:
    facts = read(name, shapes).facts
    assert (facts["is_model"], facts["wrapper"]) == (True, place)


def test_inputs_are_told_in_the_order_in_which_they_were_asked_for(
    read: Callable[..., Network],
) -> None:
    for name in ("two_inputs", "dict_inputs", "swapped_inputs", "two_arguments"):
        graph = read(name, TWO).graph
        assert graph.input_shapes == TWO
        first, second = (
            next(node for node in graph.nodes if node.inputs == (source,)) for source in (-1, -2)
        )
        assert (first.parameters, second.parameters) == (6 * 5 + 5, 4 * 5 + 5)


def test_outputs_are_told_in_their_order(read: Callable[..., Network]) -> None:
    graph = read("two_inputs", TWO).graph
    assert [graph.nodes[node].output_shape for node in graph.outputs] == [(3,), (1,)]


def test_an_input_that_nobody_asked_for_is_told_and_fed(read: Callable[..., Network]) -> None:
    network = read("action_mask", FLAT)
    assert [tuple(shape) for shape in network.facts["extra_inputs"]] == [(3,)]
    assert network.graph.nodes[-1].inputs == (1, -2)


def test_operations_keep_the_order_of_what_they_read(read: Callable[..., Network]) -> None:
    nodes = read("dueling", FLAT).graph.nodes
    value, advantage, mean, difference, total = nodes[2:]
    assert (value.output_shape, advantage.output_shape) == ((1,), (3,))
    assert mean.config == {"axis": [1], "keepdims": True}
    assert difference.inputs == (advantage.index, mean.index)
    assert total.inputs == (value.index, difference.index)


def test_sums_and_products_have_all_of_their_inputs(read: Callable[..., Network]) -> None:
    nodes = read("sums", FLAT).graph.nodes
    assert [node.inputs for node in nodes[3:7]] == [(0, 1, 2), (0, 1, 2), (3, 4), (5, 0)]


def test_parameters_of_operations_are_told(read: Callable[..., Network]) -> None:
    nodes = read("many_operations", FLAT).graph.nodes
    found = [(node.kind, node.config) for node in nodes if node.source == "operation"]
    assert found[0] == ("affine", {"scale": 1 / 127.5, "offset": -1.0})
    assert ("expand_dims", {"axis": 1}) in found
    assert ("squeeze", {"axis": [1]}) in found
    assert ("slice", {"index": [[None, None, None], [None, 3, None]]}) in found
    assert ("slice", {"index": [[None, None, None], "newaxis"]}) in found
    assert ("stack", {"axis": 1}) in found
    assert ("matmul", {"transpose_b": True}) in found


def test_scalings_of_channels_are_one_scaling(read: Callable[..., Network]) -> None:
    node = read("inception", IMAGE).graph.nodes[1]
    assert node.config == {"scale": [1 / 255, 1 / 128], "offset": 0.0}


def test_what_a_layer_is_called_with_is_told(read: Callable[..., Network]) -> None:
    nodes = read("attentions", TIME).graph.nodes
    attention, dot, additive, second = nodes[:4]
    assert attention.call_arguments == {
        "value": {"input": 1}, "key": {"input": 2}, "use_causal_mask": True,
    }  # fmt: skip
    assert (dot.inputs, dot.call_arguments) == ((0, -1), {})
    assert additive.call_arguments == {"use_causal_mask": True}
    assert (second.inputs, second.call_arguments["value"]) == ((-1, 0), {"input": 1})
    states = read("states", TIME).graph.nodes
    assert states[3].inputs == (-1, 1, 2)
    assert states[3].call_arguments == {"initial_state": [{"input": 1}, {"input": 2}]}
    normal = read("norm_in_training", FLAT).graph.nodes[0]
    assert normal.call_arguments == {"training": True}


def test_a_layer_that_hands_its_input_on_is_not_read_in_its_place(
    read: Callable[..., Network],
) -> None:
    dropout, dense, add, _ = read("residual_dropout", FLAT).graph.nodes
    assert (dropout.inputs, dense.inputs, add.inputs) == ((-1,), (0,), (1, -1))


def test_channels_first_is_told(read: Callable[..., Network]) -> None:
    nodes = read("first", ((4, 20, 20),)).graph.nodes
    assert [node.config.get("data_format") for node in nodes[:3]] == ["channels_first"] * 3
    assert nodes[0].output_shape == (4, 4, 4)


def test_weights_that_the_model_does_not_know_of_are_told(read: Callable[..., Network]) -> None:
    graph = read("untracked", FLAT).graph
    assert (len(graph.untracked_layers), len(graph.unused_layers)) == (1, 1)
    assert graph.untracked_layers != graph.unused_layers


# --- claims that were never made by an honest worker ----------------------------------------------


def forged(
    kind: str, inputs: list[int], config: dict[str, Any], shape: list[int]
) -> dict[str, Any]:
    dense = {
        "index": 0, "source": "layer", "kind": "Dense", "name": "d", "config": {"units": 2},
        "inputs": [-1], "output_shape": [2], "parameters": 14, "weights": [0, 1], "layer": 0,
        "call_arguments": {},
    }  # fmt: skip
    node = {
        "index": 1, "source": "operation", "kind": kind, "name": "", "config": config,
        "inputs": inputs, "output_shape": shape, "parameters": 0, "weights": [], "layer": None,
        "call_arguments": {},
    }  # fmt: skip
    return {"nodes": [dense, node], "outputs": [1], "input_shapes": [[6]], "parameters": 14}


WEIGHTS = (np.ones((6, 2), np.float32), np.zeros(2, np.float32))


def rebuilt(fork_server: ForkServer, graph: dict[str, Any]) -> Any:
    request = Rebuild(graph=graph, weights=WEIGHTS, batches=(np.ones((2, 6), np.float32),))
    return fork_server.inspector().ask(request, "rebuilding")


def test_a_claimed_operation_is_run_as_it_says(fork_server: ForkServer) -> None:
    graph = forged("affine", [0], {"scale": 2.0, "offset": 1.0}, [2])
    assert np.allclose(rebuilt(fork_server, graph)[0][0], 13)


@pytest.mark.parametrize(
    ("kind", "inputs", "config", "shape"),
    [
        ("tile", [0], {"multiples": [1, 10**9]}, [2 * 10**9]),
        ("tile", [0], {"multiples": "no"}, [2]),
        ("one_hot", [0], {"depth": 10**9, "dtype": "float32"}, [2, 10**9]),
        ("one_hot", [0], {"depth": 3, "dtype": "resource"}, [2, 3]),
        ("pad", [0], {"paddings": [[0, 0], [0, 10**9]], "mode": "CONSTANT"}, [10**9]),
        ("cast", [0], {"dtype": "string"}, [2]),
        ("reshape", [0], {"target_shape": [10**9]}, [10**9]),
        ("reshape", [0], {"target_shape": [-1]}, [2]),
        ("slice", [0], {"index": [["a", "b", "c"]]}, [2]),
        ("slice", [0], {"index": [{}]}, [2]),
        ("gather", [0], {"indices": [10**9], "axis": 1}, [1]),
        ("gather", [0], {"indices": [[0]], "axis": 1}, [1]),
        ("reduce_sum", [0], {"axis": [10**9], "keepdims": True}, [1]),
        ("reduce_sum", [0], {"axis": [1], "keepdims": True}, [2]),
        ("transpose", [0], {"permutation": [0, 10**9]}, [2]),
        ("max_pool", [0], {"pool_size": [2, 2], "strides": [0, 0], "padding": "VALID"}, [2]),
        ("einsum", [0, 0], {"equation": "ab,cd,ef->abcdef"}, [2]),
        ("affine", [0], {"scale": "2", "offset": []}, [2]),
        ("affine", [0], {}, [2]),
        ("constant", [0], {}, [2]),
        ("constant", [], {}, [6, 2]),
        ("part", [0], {"index": 1}, [2]),
        ("part", [-1], {"index": 0}, [6]),
        ("mask", [0], {}, []),
        ("masked", [0], {}, [2]),
        ("concatenate", [0, -1], {"axis": 0}, [2]),
        ("add", [], {}, [2]),
        ("maximum", [0], {"constant": "x"}, [2]),
        ("eval", [0], {}, [2]),
        ("__class__", [0], {}, [2]),
    ],
    ids=str,
)
def test_a_claimed_operation_that_cannot_be_is_refused(
    kind: str, inputs: list[int], config: dict[str, Any], shape: list[int],
    fork_server: ForkServer,
) -> None:  # fmt: skip
    with pytest.raises(WorkerIncident) as caught:
        rebuilt(fork_server, forged(kind, inputs, config, shape))
    assert caught.value.incident.error_type == "CannotRebuild"


def test_a_claimed_precision_that_is_not_so_is_refused(fork_server: ForkServer) -> None:
    graph = forged("identity", [0], {}, [2])
    graph["nodes"][1]["output_dtype"] = "bfloat16"
    with pytest.raises(WorkerIncident, match="another precision"):
        rebuilt(fork_server, graph)


@pytest.mark.parametrize(
    "arguments",
    [{"value": {"input": 7}}, {"training": {"input": 0}}, {"mask": "text"}, {"mask": {"a": {}}},
     {"no_such_argument": 1}, {"inputs": {"input": 0}}],
    ids=str,
)  # fmt: skip
def test_a_claimed_call_that_cannot_be_is_refused(
    arguments: dict[str, Any], fork_server: ForkServer
) -> None:
    graph = forged("identity", [0], {}, [2])
    graph["nodes"][0]["call_arguments"] = arguments
    with pytest.raises(WorkerIncident) as caught:
        rebuilt(fork_server, graph)
    assert caught.value.incident.error_type == "CannotRebuild"
