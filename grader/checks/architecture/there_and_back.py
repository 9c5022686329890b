"""Recognising operations that bring numbers into another shape and back again."""

from __future__ import annotations

import math
from typing import Final

from grader.checks.architecture.values import read_integer, read_integers
from grader.checks.architecture.working_graph import WorkingGraph, is_known
from grader.records.network_evidence import GraphNode, NodeSource

_REACH: Final = 8
"""The most operations between which the numbers have another shape."""
_ALL: Final = [None, None, None]
"""A slice of a whole axis."""


def rewrite_there_and_back(graph: WorkingGraph, node: GraphNode) -> bool:
    """Makes an identity of the last of several such operations; whether it was one.

    Args:
        graph: the network; changed.
        node: one of its nodes.
    """
    between: list[int] = []
    at = node
    while _keeps_order(graph, at) and len(between) <= _REACH:
        source = at.inputs[0]
        if between and graph.shape(source) == node.output_shape:
            update = {"kind": "identity", "config": {}, "inputs": (source,)}
            graph.replace(node.model_copy(update=update), *between)
            return True
        before = graph.nodes.get(source)
        if before is None or graph.readers[source] != 1:
            return False
        if not between and not _keeps_order(graph, before):
            return False
        between.append(source)
        at = before
    return False


def _keeps_order(graph: WorkingGraph, node: GraphNode) -> bool:
    """Whether an operation gives the numbers of each input another shape, in the same order."""
    if node.source is not NodeSource.OPERATION or len(node.inputs) != 1 or not is_known(node):
        return False
    read = graph.shape(node.inputs[0])
    if read is None or math.prod(read) != math.prod(node.output_shape):
        return False
    match node.kind:
        case "slice":
            index = node.config.get("index")
            if not isinstance(index, list) or index[:1] != [_ALL]:
                return False
            return all(
                item in (_ALL, "newaxis", "ellipsis") or read_integer(item) is not None
                for item in index
            )
        case "expand_dims":
            axis = read_integer(node.config.get("axis"))
            return axis is not None and axis > 0
        case "squeeze":
            axes = read_integers(node.config.get("axis"))
            return axes is not None and min(axes) > 0
        case "reshape" | "Reshape" | "flatten":
            return True
    return False
