"""The part of a claimed graph that reaches an output, which is all that a proof is about."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from grader.records.network_evidence import GraphNode, NetworkGraph, NodeSource

MOST_ELEMENTS: Final = 1 << 28
"""Numbers that a rebuilt network may hold for one batch: 1 GiB of float32."""


def live_nodes(graph: NetworkGraph) -> Iterator[GraphNode]:
    """The nodes that reach an output, last one first."""
    wanted = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.index in wanted:
            wanted.update(node.inputs)
            yield node


def without_dead_ends(graph: NetworkGraph) -> NetworkGraph:
    """The graph with the network's input in place of every node that reaches no output.

    The nodes keep their numbers. What leads nowhere says nothing about the outputs and must not
    cost the inspector anything.
    """
    live = {node.index for node in live_nodes(graph)}
    nodes = tuple(
        node
        if node.index in live
        else GraphNode(
            index=node.index, source=NodeSource.OPERATION, kind="identity", name="", config={},
            inputs=(-1,), output_shape=graph.input_shape, parameters=0,
        )
        for node in graph.nodes
    )  # fmt: skip
    return graph.model_copy(update={"nodes": nodes})


def elements(graph: NetworkGraph) -> int:
    """Numbers in the outputs of all nodes that reach an output, for one row of a batch."""
    return sum(math.prod(node.output_shape) for node in live_nodes(graph))


def fits(graph: NetworkGraph, rows: int) -> bool:
    """Whether a network is small enough to be rebuilt and asked for a batch of so many rows."""
    return elements(graph) * rows <= MOST_ELEMENTS


def with_shared_layers(graph: NetworkGraph) -> NetworkGraph:
    """The graph with one number for all layers that have an array of weights in common."""
    number_of: dict[int, int] = {}
    nodes: list[GraphNode] = []
    for node in graph.nodes:
        number = node.layer
        if number is not None:
            known = [number_of[index] for index in node.weights if index in number_of]
            number = min(known, default=number)
            number_of |= {index: number_of.get(index, number) for index in node.weights}
        nodes.append(node.model_copy(update={"layer": number}))
    return graph.model_copy(update={"nodes": tuple(nodes)})
