"""Recognising the merge of a dueling network, however it is written."""

from __future__ import annotations

from dataclasses import dataclass

from grader.checks.architecture.working_graph import WorkingGraph, axes_of
from grader.records.network_evidence import GraphNode


@dataclass(frozen=True)
class _DuelingParts:
    """Indices of the nodes of a dueling merge."""

    value: int
    advantage: int
    baseline: int
    inner: int


def rewrite_dueling(graph: WorkingGraph, node: GraphNode) -> bool:
    """Rewrites the last step of a dueling merge; whether it was one.

    The forms are `v + (a − m)`, `(v + a) − m` and `(v − m) + a` with `m` the mean or the maximum of
    `a` over the actions.

    Args:
        graph: the network; changed.
        node: an `Add` or a `Subtract` in it.
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


def _parts_of_sum(graph: WorkingGraph, one: int, two: int) -> _DuelingParts | None:
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


def _parts_of_difference(graph: WorkingGraph, one: int, baseline: int) -> _DuelingParts | None:
    total = graph.operation(one, "Add")
    if total is None or len(total.inputs) != 2:
        return None
    for value, advantage in (total.inputs, total.inputs[::-1]):
        if graph.reads(baseline) == (advantage,):
            return _DuelingParts(value, advantage, baseline, one)
    return None


def _baseline(graph: WorkingGraph, index: int) -> str | None:
    for kind, word in (("reduce_mean", "mean"), ("reduce_max", "max")):
        node = graph.operation(index, kind)
        axes = () if node is None else axes_of(node, 2)
        if axes in ((1,), (-1,)):
            return word
        if axes == (0,):
            return f"{word} over the batch"
        if axes:
            return f"{word} over all values of the batch"
    return None
