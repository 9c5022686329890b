"""Brings the nodes of a trace into the form in which they are told.

- A function written in several operations (a softmax from exponentials, GELU) becomes one node.
- Scalings behind each other become one, and so do sums and products: `a + b + c` is one sum.
- Operations that lead nowhere (what a mask was made of, a printed sum) are left out. Layers that
  lead nowhere stay: that they were called in vain is worth knowing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from grader.worker.operations import broadcast_rows, operation
from grader.worker.tracing.by_numbers import function_named

Node = dict[str, Any]

_REACH: Final = 12
"""The most operations that one function is written in."""
_BENDS: Final = frozenset(
    {"erf", "erfc", "exponential", "tanh", "sigmoid", "softplus", "where", "maximum", "minimum",
     "relu", "absolute", "clip", "reciprocal", "divide", "greater", "greater_equal", "less",
     "less_equal", "sign"}
)  # fmt: skip
_ENDS: Final = frozenset(
    {"multiply", "divide", "add", "subtract", "where", "maximum", "minimum", "affine", "reciprocal",
     "clip", "log", "sigmoid"}
)  # fmt: skip
_CHAINS: Final = frozenset({"add", "multiply", "maximum", "minimum"})
"""Operations of any number of inputs."""
_PROBE_ROWS: Final = 4
_MOST_NUMBERS: Final = 1 << 16


def tidied(
    nodes: list[Node],
    outputs: tuple[int, ...],
    input_shapes: tuple[tuple[int, ...], ...],
    arrays: Sequence[Any],
) -> tuple[list[Node], tuple[int, ...]]:
    """The nodes in the form in which they are told, and the outputs among them.

    Args:
        nodes: as they were found; changed.
        outputs: indices of what the network returns.
        input_shapes: of the network, batch axis left out.
        arrays: what the nodes refer to.
    """
    shapes = {-1 - number: shape for number, shape in enumerate(input_shapes)}
    shapes |= {node["index"]: node["output_shape"] for node in nodes}
    _name_functions(nodes, outputs, shapes, arrays)
    _merge_chains(nodes, outputs)
    _merge_scalings(nodes, outputs)
    return _pruned(nodes, outputs)


def _is_operation(node: Node) -> bool:
    return bool(node["source"] == "operation")


# --- functions in several operations --------------------------------------------------------------


def _name_functions(
    nodes: list[Node],
    outputs: tuple[int, ...],
    shapes: dict[int, tuple[int, ...]],
    arrays: Sequence[Any],
) -> None:
    read = Counter(source for node in nodes for source in node["inputs"]) + Counter(outputs)
    inside: set[int] = set()
    for node in reversed(nodes):
        if not _is_operation(node) or node["kind"] not in _ENDS or node["index"] in inside:
            continue
        if not read[node["index"]] or int(np.prod(node["output_shape"])) > _MOST_NUMBERS:
            continue
        if found := _function(nodes, node, shapes, arrays):
            kind, config, source, region = found
            node.update(kind=kind, config=config, inputs=(source,), weights=())
            inside |= region


def _function(
    nodes: list[Node], end: Node, shapes: dict[int, tuple[int, ...]], arrays: Sequence[Any]
) -> tuple[str, dict[str, Any], int, set[int]] | None:
    """Name, parameters and input of the function that ends in a node, and what is part of it."""
    reached = _before(nodes, end)
    candidates = sorted(
        {source for index in (*reached, end["index"]) for source in nodes[index]["inputs"]}
    )
    for source in candidates:
        if shapes[source] != end["output_shape"] or _is_constant(nodes, source):
            continue
        region = _region(nodes, end, source)
        if region is None or len(region) < 2:
            continue
        if not any(nodes[index]["kind"] in _BENDS for index in region):
            continue
        probe = np.random.default_rng(0).normal(0, 2, (_PROBE_ROWS, *shapes[source]))
        after = _run(nodes, region, source, tf.constant(probe, tf.float32), arrays)
        if after is not None and (named := function_named(np.float32(probe), after)):
            return *named, source, region
    return None


def _is_constant(nodes: list[Node], index: int) -> bool:
    return index >= 0 and nodes[index]["kind"] == "constant"


def _before(nodes: list[Node], end: Node) -> list[int]:
    """Operations that lead to one, nearest first."""
    reached: list[int] = []
    waiting = list(end["inputs"])
    while waiting and len(reached) < _REACH:
        index = waiting.pop(0)
        if index >= 0 and index not in reached and _is_operation(nodes[index]):
            reached.append(index)
            waiting.extend(nodes[index]["inputs"])
    return reached


def _region(nodes: list[Node], end: Node, source: int) -> set[int] | None:
    """The operations between a node and another; None if something else leads there too."""
    region: set[int] = set()
    waiting = [end["index"]]
    while waiting:
        index = waiting.pop()
        if index == source or index in region:
            continue
        if _is_constant(nodes, index) and not nodes[index]["inputs"]:
            region.add(index)
            continue
        if index < source or index < 0 or len(region) > _REACH:
            return None
        if nodes[index]["weights"] and not _is_constant(nodes, index):
            return None
        if not _is_operation(nodes[index]) or nodes[index]["kind"] in ("part", "mask", "masked"):
            return None
        region.add(index)
        waiting.extend(nodes[index]["inputs"])
    return region


def _run(
    nodes: list[Node], region: set[int], source: int, probe: Any, arrays: Sequence[Any]
) -> Any:
    values = {source: probe}
    try:
        for index in sorted(region):
            node = nodes[index]
            read = [values[place] for place in node["inputs"]]
            if _is_constant(nodes, index):
                array = tf.constant(arrays[node["weights"][0]])
                values[index] = broadcast_rows(array, read[0]) if read else array
            else:
                values[index] = operation(node["kind"], node["config"])(*read)
    except (ValueError, TypeError, KeyError, tf.errors.OpError):
        return None  # what does not work on such numbers stays as it is
    return values[max(region)]


# --- sums and scalings ---------------------------------------------------------------------------


def _merge_chains(nodes: list[Node], outputs: tuple[int, ...]) -> None:
    read = Counter(source for node in nodes for source in node["inputs"]) + Counter(outputs)
    for node in nodes:
        if not _is_operation(node) or node["kind"] not in _CHAINS or "constant" in node["config"]:
            continue
        inputs: list[int] = []
        for source in node["inputs"]:
            same = (
                source >= 0
                and read[source] == 1
                and _is_operation(nodes[source])
                and (nodes[source]["kind"], nodes[source]["config"]) == (node["kind"], {})
            )
            inputs += nodes[source]["inputs"] if same else [source]
        node["inputs"] = tuple(inputs)


def _merge_scalings(nodes: list[Node], outputs: tuple[int, ...]) -> None:
    read = Counter(source for node in nodes for source in node["inputs"]) + Counter(outputs)
    for node in nodes:
        if not _is_operation(node) or node["kind"] != "affine":
            continue
        source = node["inputs"][0]
        if source < 0 or not _is_operation(nodes[source]) or read[source] != 1:
            continue
        before = nodes[source]
        scale = node["config"]["scale"]
        if before["kind"] == "affine":
            first, offset = before["config"]["scale"], before["config"]["offset"]
            node["config"] = {
                "scale": _plain(np.multiply(first, scale)),
                "offset": _plain(np.add(np.multiply(offset, scale), node["config"]["offset"])),
            }
            node["inputs"] = before["inputs"]
        elif before["kind"] == "add" and "constant" not in before["config"]:
            count, offset = len(before["inputs"]), node["config"]["offset"]
            if count > 1 and offset == 0 and np.all(np.abs(np.multiply(scale, count) - 1) < 1e-6):
                node.update(kind="average", config={}, inputs=before["inputs"])


def _plain(value: Any) -> Any:
    """A number or a list of numbers without the dust of rounding."""
    rounded = np.round(value, 12)
    cleaned = np.where(np.abs(np.subtract(value, rounded)) < 1e-15, rounded, value)
    return cleaned.tolist()


# --- what leads nowhere ---------------------------------------------------------------------------


def _pruned(nodes: list[Node], outputs: tuple[int, ...]) -> tuple[list[Node], tuple[int, ...]]:
    wanted = set(outputs)
    for node in reversed(nodes):
        if node["source"] == "layer" or node["index"] in wanted:
            wanted |= {node["index"], *node["inputs"]}
    kept = [node for node in nodes if node["index"] in wanted]
    places = {node["index"]: place for place, node in enumerate(kept)}
    for node in kept:
        node["inputs"] = tuple(places.get(index, index) for index in node["inputs"])
        node["index"] = places[node["index"]]
    return kept, tuple(places.get(index, index) for index in outputs)
