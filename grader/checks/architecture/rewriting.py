"""Rewriting a graph so that the same computation looks the same, however it was written.

- A wrapper is looked into: `Bidirectional(LSTM)`, `TimeDistributed(Dense)`, `RNN(LSTMCell)`.
- Merging layers and operations have one name; `a + (b + c)` is one addition of three.
- `value + (advantage − mean(advantage))`, in any order, is a dueling merge.
- A mean or maximum over all positions is global pooling; the last step of a recurrent layer that
  returns every step is that layer returning its last step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from grader.checks.architecture.values import read_integer, read_integers
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
_REDUCTIONS: Final = {"reduce_mean": "Average", "reduce_max": "Max"}
_RECURRENT: Final = frozenset(_CELLS.values())


def rewritten(nodes: list[GraphNode], outputs: tuple[int, ...]) -> list[GraphNode]:
    """The nodes that are left, in the same order, with the same indices.

    Args:
        nodes: nodes that lead to an output, each after those it reads.
        outputs: indices of the nodes whose values are returned.
    """
    graph = _Graph([_unwrapped(_renamed(node)) for node in nodes], outputs)
    for node in list(graph.nodes.values()):
        if node.index in graph.nodes:
            _rewrite(graph, graph.nodes[node.index])
    return list(graph.nodes.values())


class _Graph:
    """The nodes by index, and how often each is read."""

    def __init__(self, nodes: list[GraphNode], outputs: tuple[int, ...]) -> None:
        self.nodes = {node.index: node for node in nodes}
        self.readers = Counter(index for node in nodes for index in node.inputs)
        self.readers.update(set(outputs))
        self.outputs = set(outputs)

    def operation(self, index: int, kind: str) -> GraphNode | None:
        """The node with this index, if it is of that kind."""
        node = self.nodes.get(index)
        return node if node is not None and node.kind == kind and _is_known(node) else None

    def replace(self, node: GraphNode, *swallowed: int) -> None:
        """Puts a node in the place of the one with its index; others become part of it."""
        before = self.nodes[node.index]
        self.readers.subtract(before.inputs)
        self.nodes[node.index] = node
        for index in swallowed:
            self.readers.subtract(self.nodes.pop(index).inputs)
        self.readers.update(node.inputs)

    def reads(self, index: int) -> tuple[int, ...]:
        """What a node reads; nothing for an input."""
        node = self.nodes.get(index)
        return () if node is None else node.inputs

    def shape(self, index: int) -> tuple[int, ...] | None:
        node = self.nodes.get(index)
        return None if node is None else node.output_shape


def _is_known(node: GraphNode) -> bool:
    return node.source is not NodeSource.UNKNOWN


def _renamed(node: GraphNode) -> GraphNode:
    kind = MERGE_OPERATIONS.get(node.kind)
    if node.source is not NodeSource.OPERATION or kind is None or len(node.inputs) < 2:
        return _from_the_end(node)
    config = node.config
    if kind == "Concatenate":
        config = {"axis": config.get("axis", -1)}
    if kind == "Dueling":
        config = {"baseline": config.get("baseline", "mean")}
    return _from_the_end(node.model_copy(update={"kind": kind, "config": config}))


def _from_the_end(node: GraphNode) -> GraphNode:
    """Axes counted from the end: `axis=2` of two-dimensional steps is the last one as well."""
    axis = node.config.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        axis = axis[0]
    number = read_integer(axis)
    if number is None or not _is_known(node) or node.kind not in {
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


def _rewrite(graph: _Graph, node: GraphNode) -> None:
    if not _is_known(node):
        return
    if node.kind in _REDUCTIONS:
        _pool(graph, node)
    elif node.kind == "slice":
        _last_step(graph, node)
    elif node.kind in {"Add", "Subtract"}:
        if not _dueling(graph, node) and node.kind == "Add":
            _flat_sum(graph, node)
    elif node.kind in COMMUTATIVE - {"Average"}:
        _flat_sum(graph, node)


def _flat_sum(graph: _Graph, node: GraphNode) -> None:
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


@dataclass(frozen=True)
class _DuelingParts:
    """Indices of the nodes of a dueling merge."""

    value: int
    advantage: int
    baseline: int
    inner: int


def _dueling(graph: _Graph, node: GraphNode) -> bool:
    """Rewrites the last step of a dueling merge; whether it was one.

    The forms are `v + (a − m)`, `(v + a) − m` and `(v − m) + a` with `m` the mean or the maximum of
    `a` over the actions.
    """
    find = _parts_of_sum if node.kind == "Add" else _parts_of_difference
    parts = find(graph, *node.inputs) if len(node.inputs) == 2 else None
    if parts is None:
        return False
    word = _baseline(graph, parts.baseline)
    if word is None or graph.readers[parts.inner] != 1 or graph.readers[parts.baseline] != 1:
        return False
    merged = node.model_copy(
        update={
            "kind": "Dueling",
            "config": {"baseline": word},
            "inputs": (parts.value, parts.advantage),
        }
    )
    graph.replace(merged, parts.inner, parts.baseline)
    return True


def _parts_of_sum(graph: _Graph, one: int, two: int) -> _DuelingParts | None:
    for outer, inner in ((one, two), (two, one)):
        difference = graph.operation(inner, "Subtract")
        if difference is None or len(difference.inputs) != 2:
            continue
        first, baseline = difference.inputs
        averaged = graph.reads(baseline)
        if averaged == (first,):
            return _DuelingParts(outer, first, baseline, inner)
        if averaged == (outer,):
            return _DuelingParts(first, outer, baseline, inner)
    return None


def _parts_of_difference(graph: _Graph, one: int, baseline: int) -> _DuelingParts | None:
    total = graph.operation(one, "Add")
    if total is None or len(total.inputs) != 2:
        return None
    for value, advantage in (total.inputs, total.inputs[::-1]):
        if graph.reads(baseline) == (advantage,):
            return _DuelingParts(value, advantage, baseline, one)
    return None


def _baseline(graph: _Graph, index: int) -> str | None:
    for kind, word in (("reduce_mean", "mean"), ("reduce_max", "max")):
        node = graph.operation(index, kind)
        if node is not None and _axes(node, 2) in ((1,), (-1,)):
            return word
    return None


def _axes(node: GraphNode, rank: int) -> tuple[int, ...]:
    axis = node.config.get("axis")
    single = read_integer(axis)
    axes = (single,) if single is not None else read_integers(axis) or ()
    return tuple(one + rank if one < 0 and rank > 2 else one for one in axes)


def _pool(graph: _Graph, node: GraphNode) -> None:
    read = graph.shape(node.inputs[0]) if len(node.inputs) == 1 else None
    if read is None or not 2 <= len(read) <= 4 or node.config.get("keepdims") is True:
        return
    if sorted(_axes(node, len(read) + 1)) == list(range(1, len(read))):
        kind = f"Global{_REDUCTIONS[node.kind]}Pooling{len(read) - 1}D"
        graph.replace(node.model_copy(update={"kind": kind, "config": {}}))


def _last_step(graph: _Graph, node: GraphNode) -> None:
    """`x[:, -1]` behind a recurrent layer that returns every step."""
    if len(node.inputs) != 1:
        return
    (before,) = node.inputs
    layer, shape = graph.nodes.get(before), graph.shape(before)
    if layer is None or shape is None or layer.source is not NodeSource.LAYER:
        return
    returns_all = layer.config.get("return_sequences") is True
    directed = "bidirectional" not in layer.config and layer.config.get("go_backwards") is not True
    last = node.config.get("index") in ([None, -1], [None, shape[0] - 1])
    if (
        layer.kind in _RECURRENT and returns_all and directed and last
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
