"""Recognising the merge of a dueling network, however it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from grader.checks.architecture.values import read_integer, read_integers, read_number
from grader.checks.architecture.working_graph import WorkingGraph, axes_of, is_known
from grader.records.network_evidence import GraphNode

_COPYING: Final = frozenset(
    {"slice", "expand_dims", "squeeze", "tile", "RepeatVector", "Reshape", "reshape", "Flatten",
     "flatten"}
)  # fmt: skip
"""Ways to give one number for each input another shape, or to write it several times."""
_REACH: Final = 8
"""The most such steps behind each other."""
_BASELINES: Final = {"reduce_mean": "mean", "reduce_max": "max", "reduce_sum": "sum"}


@dataclass(frozen=True)
class _Baseline:
    """What is taken away from the advantages.

    Attributes:
        averaged: index of the node whose values it is computed from.
        word: what it is, such as `mean`.
        nodes: indices of the nodes that compute it, the last first.
    """

    averaged: int
    word: str
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class _DuelingParts:
    """Indices of the nodes of a dueling merge."""

    value: int
    advantage: int
    baseline: _Baseline
    inner: int


def rewrite_dueling(graph: WorkingGraph, node: GraphNode) -> bool:
    """Rewrites the last step of a dueling merge; whether it was one.

    The forms are `v + (a − m)`, `(v + a) − m` and `(v − m) + a` with `m` the mean or the maximum of
    `a` over the actions. Value and mean may be written once for each action, and the mean as a sum
    divided by the number of actions.

    Args:
        graph: the network; changed.
        node: an `Add` or a `Subtract` in it.
    """
    find = _parts_of_sum if node.kind == "Add" else _parts_of_difference
    parts = find(graph, *node.inputs) if len(node.inputs) == 2 else None
    if parts is None or graph.readers[parts.inner] != 1:
        return False
    value, copies = _single_number(graph, parts.value)
    merged = node.model_copy(
        update={
            "kind": "Dueling",
            "config": {"baseline": parts.baseline.word},
            "inputs": (value, parts.advantage),
        }
    )
    graph.replace(merged, parts.inner)
    for chain in (copies, parts.baseline.nodes):
        for index in chain:
            if graph.readers[index]:
                break
            graph.remove(index)
    return True


def _parts_of_sum(graph: WorkingGraph, one: int, two: int) -> _DuelingParts | None:
    for outer, inner in ((one, two), (two, one)):
        difference = graph.operation(inner, "Subtract")
        if difference is None or len(difference.inputs) != 2:
            continue
        first = difference.inputs[0]
        baseline = _baseline(graph, difference.inputs[1])
        if baseline is not None and baseline.averaged == first:
            return _DuelingParts(outer, first, baseline, inner)
        if baseline is not None and baseline.averaged == outer:
            return _DuelingParts(first, outer, baseline, inner)
    return None


def _parts_of_difference(graph: WorkingGraph, one: int, two: int) -> _DuelingParts | None:
    total, baseline = graph.operation(one, "Add"), _baseline(graph, two)
    if total is None or len(total.inputs) != 2 or baseline is None:
        return None
    for value, advantage in (total.inputs, total.inputs[::-1]):
        if baseline.averaged == advantage:
            return _DuelingParts(value, advantage, baseline, one)
    return None


def _baseline(graph: WorkingGraph, index: int) -> _Baseline | None:
    """The mean or maximum that a node gives, perhaps several times; None for anything else."""
    chain: list[int] = []
    factor = 1.0
    for _ in range(_REACH):
        node = graph.nodes.get(index)
        if node is None or len(node.inputs) != 1 or not is_known(node):
            return None
        chain.append(index)
        if node.kind in _BASELINES:
            word = _reduced(graph, node, factor)
            return None if word is None else _Baseline(node.inputs[0], word, tuple(chain))
        if node.kind == "affine":
            scale, offset = (read_number(node.config.get(key)) for key in ("scale", "offset"))
            if scale is None or offset != 0.0:
                return None
            factor *= scale
        elif not _copies(graph, node):
            return None
        index = node.inputs[0]
    return None


def _reduced(graph: WorkingGraph, node: GraphNode, factor: float) -> str | None:
    """What is made of all values of an input, in one word; None where it is none of the known."""
    word, axes = _BASELINES[node.kind], axes_of(node, 2)
    if word == "sum":
        shape = graph.shape(node.inputs[0])
        if axes not in ((1,), (-1,)) or not shape or abs(factor * shape[-1] - 1) > 1e-6:
            return None
        return "mean"
    if factor != 1.0 or not axes:
        return None
    if axes in ((1,), (-1,)):
        return word
    return f"{word} over the batch" if axes == (0,) else f"{word} over all values of the batch"


def _single_number(graph: WorkingGraph, index: int) -> tuple[int, tuple[int, ...]]:
    """The node whose one number stands in all places of a node, and the nodes that write it there.

    It is the node itself where there is none before.
    """
    chain: list[int] = []
    at = index
    for _ in range(_REACH):
        node = graph.nodes.get(at)
        if node is None or not is_known(node) or not _copies(graph, node):
            break
        chain.append(at)
        at = node.inputs[0]
    return (at, tuple(chain)) if chain and graph.shape(at) == (1,) else (index, ())


def _copies(graph: WorkingGraph, node: GraphNode) -> bool:
    """Whether a node only writes the numbers of each input elsewhere, some of them repeatedly."""
    if node.kind not in _COPYING or len(node.inputs) != 1:
        return False
    read = graph.shape(node.inputs[0])
    if read is None:
        return False
    match node.kind:
        case "slice":
            index = node.config.get("index")
            return isinstance(index, list) and index[:1] == [[None, None, None]]
        case "expand_dims":
            axis = read_integer(node.config.get("axis"))
            return axis is not None and axis > 0
        case "squeeze":
            axes = read_integers(node.config.get("axis"))
            return axes is not None and min(axes) > 0
        case "tile":
            times = read_integers(node.config.get("multiples"))
            return times is not None and times[0] == 1
        case "RepeatVector":
            return True
    return math.prod(read) == math.prod(node.output_shape)
