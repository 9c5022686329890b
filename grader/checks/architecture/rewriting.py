"""Rewriting a graph so that the same computation looks the same, however it was written.

- A wrapper is looked into: `Bidirectional(LSTM)`, `TimeDistributed(Dense)`, `RNN(LSTMCell)`.
- Merging layers and operations have one name; `a + (b + c)` is one addition of three, and a third
  of it an average.
- `value + (advantage − mean(advantage))`, in any order, is a dueling merge.
- Pooling and padding are told as layers (see `windows`).
- The last step of a recurrent layer that returns every step is that layer returning its last step.
- Shapes and orders of axes are told in one way: `Reshape` with all of its sides, `Permute`.
- Axes that are added and taken away again are nothing.
- A vector that gets one more axis and is tiled along it is a `RepeatVector`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from grader.checks.architecture.dueling import rewrite_dueling
from grader.checks.architecture.layers import ATTENTIONS
from grader.checks.architecture.preprocessing import is_identity
from grader.checks.architecture.there_and_back import rewrite_there_and_back
from grader.checks.architecture.values import read_integer, read_integers, read_number
from grader.checks.architecture.windows import rewrite_window
from grader.checks.architecture.working_graph import WorkingGraph, is_known
from grader.records.layer_families import COMMUTATIVE
from grader.records.network_evidence import GraphNode, NodeSource

MERGE_OPERATIONS: Final[Mapping[str, str]] = {
    "add": "Add", "subtract": "Subtract", "multiply": "Multiply", "average": "Average",
    "maximum": "Maximum", "minimum": "Minimum", "concatenate": "Concatenate", "dot": "Dot",
    "dueling": "Dueling",
}  # fmt: skip
"""Operations that are what a merging layer of Keras is."""

_CELLS: Final = {"SimpleRNNCell": "SimpleRNN", "LSTMCell": "LSTM", "GRUCell": "GRU"}
_BY_POSITION: Final = frozenset({"Dense", "Activation", "Dropout", "LeakyReLU", "ReLU", "Softmax"})
"""Layers that treat every position alike, with or without `TimeDistributed`."""
_RECURRENT: Final = frozenset(_CELLS.values())
_HIDDEN_STATE: Final = 1
"""Place of the hidden state among what a recurrent layer returns with `return_state=True`."""


def rewritten(
    nodes: list[GraphNode],
    outputs: tuple[int, ...],
    input_shapes: tuple[tuple[int, ...], ...],
    *,
    pools_as_global: bool = False,
) -> list[GraphNode]:
    """The nodes that are left, in the same order, with the same indices.

    Args:
        nodes: nodes that lead to an output, each after those it reads.
        outputs: indices of the nodes whose values are returned.
        input_shapes: of the network, batch axis left out.
        pools_as_global: whether pooling of a whole image counts as global pooling.
    """
    graph = WorkingGraph(
        [_unwrapped(_renamed(node)) for node in nodes],
        outputs,
        input_shapes,
        pools_as_global=pools_as_global,
    )
    for node in list(graph.nodes.values()):
        if node.index in graph.nodes:
            _rewrite(graph, graph.nodes[node.index])
    return list(graph.nodes.values())


def without_identities(
    nodes: list[GraphNode], outputs: tuple[int, ...]
) -> tuple[list[GraphNode], tuple[int, ...]]:
    """The nodes that change something, and the outputs among them.

    Args:
        nodes: nodes that lead to an output, each after those it reads.
        outputs: indices of the nodes whose values are returned.
    """
    stands_for: dict[int, int] = {}
    kept: list[GraphNode] = []
    for node in nodes:
        inputs = tuple(stands_for.get(index, index) for index in node.inputs)
        if is_identity(node):
            stands_for[node.index] = inputs[0]
        else:
            kept.append(node.model_copy(update={"inputs": inputs}))
    return kept, tuple(stands_for.get(index, index) for index in outputs)


def _renamed(node: GraphNode) -> GraphNode:
    if node.kind in ATTENTIONS and node.source is NodeSource.LAYER:
        return _attended(node)
    if node.kind == "transpose" and node.source is NodeSource.OPERATION:
        return _permuted(node)
    kind = MERGE_OPERATIONS.get(node.kind)
    if node.source is not NodeSource.OPERATION or kind is None or len(node.inputs) < 2:
        return _from_the_end(node)
    config = node.config
    if kind == "Concatenate":
        config = {"axis": config.get("axis", -1)}
    if kind == "Dueling":
        config = {"baseline": config.get("baseline", "mean")}
    return _from_the_end(node.model_copy(update={"kind": kind, "config": config}))


def _attended(node: GraphNode) -> GraphNode:
    """An attention that reads query, value and key in this order; the key only where another.

    Keys that are the values go without saying, and arguments may stand in any order.
    """
    places = dict(enumerate(node.inputs))
    named: dict[str, int] = {}
    for name, told in node.call_arguments.items():
        place = read_integer(told.get("input")) if isinstance(told, dict) else None
        if place is not None and place in places:
            named[name] = places.pop(place)
    first = [*places.values()]
    value = [named.pop("value")] if "value" in named else first[1:2]
    key = [named.pop("key")] if "key" in named else first[2:3]
    if len(first) > 3 or not first[:1] or not value:
        return node
    inputs = (first[0], *value, *(key if key != value else ()), *named.values())
    return node.model_copy(
        update={
            "inputs": inputs,
            "call_arguments": {
                name: told
                for name, told in node.call_arguments.items()
                if not isinstance(told, dict)
            },
        }
    )


def _permuted(node: GraphNode) -> GraphNode:
    """A transposition that leaves the batch axis alone, as the layer."""
    order = read_integers(node.config.get("permutation"))
    if order is None or order[0] != 0 or len(node.inputs) != 1:
        return node
    return node.model_copy(update={"kind": "Permute", "config": {"dims": [*order[1:]]}})


def _from_the_end(node: GraphNode) -> GraphNode:
    """Axes counted from the end: `axis=2` of two-dimensional steps is the last one as well."""
    axis = node.config.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        axis = axis[0]
    number = read_integer(axis)
    if number is None or not is_known(node) or node.kind not in {
        "Concatenate", "BatchNormalization", "LayerNormalization", "GroupNormalization",
        "RMSNormalization", "UnitNormalization",
    }:  # fmt: skip
        return node
    rank = len(node.output_shape) + 1
    number = number - rank if 0 < number < rank else number
    return node.model_copy(update={"config": {**node.config, "axis": number}})


def _unwrapped(node: GraphNode) -> GraphNode:
    if node.source is not NodeSource.LAYER:
        return node
    inner, config = _inner(node.config.get("layer"))
    if node.kind == "Bidirectional" and inner in _RECURRENT | {"RNN"}:
        mode = node.config.get("merge_mode")
        told: dict[str, JsonValue] = {"bidirectional": mode if isinstance(mode, str) else "none"}
        return _unwrapped(node.model_copy(update={"kind": inner, "config": config | told}))
    if node.kind == "TimeDistributed" and inner in _BY_POSITION:
        return node.model_copy(update={"kind": inner, "config": config})
    if node.kind == "RNN":
        cell, settings = _inner(node.config.get("cell"))
        if cell in _CELLS:
            return node.model_copy(
                update={"kind": _CELLS[cell], "config": settings | dict(node.config)}
            )
    return node


def _inner(value: JsonValue) -> tuple[str, dict[str, JsonValue]]:
    """Kind and configuration of a layer inside a layer's configuration."""
    if isinstance(value, dict):
        kind, config = value.get("class_name"), value.get("config")
        if isinstance(kind, str) and isinstance(config, dict):
            return kind, config
    return "", {}


def _rewrite(graph: WorkingGraph, node: GraphNode) -> None:
    if not is_known(node) or rewrite_there_and_back(graph, node):
        return
    if node.kind in {"slice", "part"}:
        _last_step(graph, node)
    elif node.kind == "affine":
        _averaged(graph, node)
    elif node.kind == "tile":
        _repeated(graph, node)
    elif node.kind in {"Add", "Subtract"}:
        if not rewrite_dueling(graph, node) and node.kind == "Add":
            _flat_sum(graph, node)
    elif node.kind in COMMUTATIVE - {"Average"}:
        _flat_sum(graph, node)
    elif node.kind in {"Reshape", "reshape"}:
        _shaped(graph, node)
    else:
        rewrite_window(graph, node)


def _shaped(graph: WorkingGraph, node: GraphNode) -> None:
    """A reshape that leaves the batch axis alone, as the layer with all of its sides."""
    read = graph.shape(node.inputs[0]) if len(node.inputs) == 1 else None
    if read is not None and math.prod(read) == math.prod(node.output_shape):
        config: dict[str, JsonValue] = {**node.config, "target_shape": [*node.output_shape]}
        node = node.model_copy(update={"kind": "Reshape", "config": config})
        graph.replace(node)
    rewrite_window(graph, node)


def _flat_sum(graph: WorkingGraph, node: GraphNode) -> None:
    """`a + (b + c)` as one addition of three, when nothing else reads the inner one."""
    inputs: list[int] = []
    swallowed: list[int] = []
    for index in node.inputs:
        inner = graph.operation(index, node.kind)
        if (
            inner is not None
            and graph.readers[index] == 1
            and inner.output_shape == (node.output_shape)
        ):
            inputs.extend(inner.inputs)
            swallowed.append(index)
        else:
            inputs.append(index)
    if swallowed:
        graph.replace(node.model_copy(update={"inputs": tuple(inputs)}), *swallowed)


def _last_step(graph: WorkingGraph, node: GraphNode) -> None:
    """`x[:, -1]` or the state `h`, behind a recurrent layer that reads forwards."""
    if len(node.inputs) != 1:
        return
    (before,) = node.inputs
    layer, shape = graph.nodes.get(before), graph.shape(before)
    if layer is None or shape is None or layer.source is not NodeSource.LAYER:
        return
    directed = "bidirectional" not in layer.config and layer.config.get("go_backwards") is not True
    if layer.kind not in _RECURRENT or not directed:
        return
    index = node.config.get("index")
    is_state = node.kind == "part" and index == _HIDDEN_STATE
    if is_state and layer.config.get("return_sequences") is not True:
        graph.replace(node.model_copy(update={"kind": "identity", "config": {}}))
        return
    all_rows = isinstance(index, list) and index[:1] in ([None], [[None, None, None]])
    last = all_rows and isinstance(index, list) and index[1:] in ([-1], [shape[0] - 1])
    if (
        layer.config.get("return_sequences") is True and (last or is_state)
        and graph.readers[before] == 1 and node.output_shape == shape[1:]
    ):  # fmt: skip
        merged = layer.model_copy(
            update={
                "index": node.index,
                "config": {**layer.config, "return_sequences": False},
                "output_shape": node.output_shape,
            }
        )
        graph.replace(merged, before)


def _averaged(graph: WorkingGraph, node: GraphNode) -> None:
    """A sum of n, divided by n."""
    total = graph.sole_input(node)
    scale, offset = (read_number(node.config.get(key)) for key in ("scale", "offset"))
    if total is None or total.kind != "Add" or not is_known(total) or scale is None or offset:
        return
    if len(total.inputs) > 1 and abs(scale * len(total.inputs) - 1) < 1e-6:
        average = node.model_copy(update={"kind": "Average", "config": {}, "inputs": total.inputs})
        graph.replace(average, total.index)


def _repeated(graph: WorkingGraph, node: GraphNode) -> None:
    """A vector with one more axis, tiled along it."""
    times = read_integers(node.config.get("multiples"))
    if times is None or len(times) != 3 or (times[0], times[2]) != (1, 1):
        return
    grown = graph.sole_input(node)
    if grown is None or len(grown.inputs) != 1 or not is_known(grown):
        return
    vector = graph.shape(grown.inputs[0])
    adds_axis = grown.kind in {"slice", "expand_dims", "Reshape"} and vector is not None
    if adds_axis and len(vector or ()) == 1 and grown.output_shape == (1, *(vector or ())):
        config: dict[str, JsonValue] = {"n": times[1]}
        repeated = node.model_copy(
            update={"kind": "RepeatVector", "config": config, "inputs": grown.inputs}
        )
        graph.replace(repeated, grown.index)
