"""Recognising pooling and padding, however they are written.

- A mean or maximum over all positions is global pooling, also where axes are kept and flattened.
- So is pooling with one window of the whole image, where global pooling is asked for.
- Pooling as a function of TensorFlow is the layer of that name.
- Zeros around an image in front of a convolution without padding are the convolution's padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from grader.checks.architecture.values import read_integer, read_window
from grader.checks.architecture.working_graph import WorkingGraph, axes_of
from grader.records.layer_families import FAMILIES
from grader.records.network_evidence import GraphNode, NodeSource

REDUCTIONS: Final = {"reduce_mean": "Average", "reduce_max": "Max"}
"""Operations that pool, and what the layers are called."""
_POOLS: Final = {"max_pool": "MaxPooling2D", "avg_pool": "AveragePooling2D"}
_PADDINGS: Final = frozenset({"ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "pad"})
_SLIDING: Final = frozenset(
    kind for kind in FAMILIES if "Conv" in kind and not kind.endswith("Transpose")
)
_FLATTENINGS: Final = frozenset({"Flatten", "flatten", "Reshape", "reshape"})

Sides = tuple[tuple[int, int], ...]
"""Zeros before and after, for each side of an image."""


def rewrite_window(graph: WorkingGraph, node: GraphNode) -> None:
    """Rewrites a node that pools, flattens what was pooled, or stands behind zeros.

    Args:
        graph: the network; changed.
        node: one of its nodes.
    """
    if node.kind in REDUCTIONS:
        _pool_everything(graph, node)
    elif node.kind in _POOLS and node.source is NodeSource.OPERATION:
        _pool(graph, node)
    elif node.kind in _FLATTENINGS:
        _flatten_kept(graph, node)
    elif node.kind in _SLIDING:
        _take_in_zeros(graph, node)


def _pool_everything(graph: WorkingGraph, node: GraphNode) -> None:
    read = graph.shape(node.inputs[0]) if len(node.inputs) == 1 else None
    if read is None or not 2 <= len(read) <= 4:
        return
    if sorted(axes_of(node, len(read) + 1)) == list(range(1, len(read))):
        kind = f"Global{REDUCTIONS[node.kind]}Pooling{len(read) - 1}D"
        kept: dict[str, JsonValue] = {"keepdims": node.config.get("keepdims") is True}
        graph.replace(node.model_copy(update={"kind": kind, "config": kept}))


def _pool(graph: WorkingGraph, node: GraphNode) -> None:
    padding = node.config.get("padding")
    if len(node.inputs) == 1 and isinstance(padding, str):
        config = {**node.config, "padding": padding.lower(), "data_format": "channels_last"}
        graph.replace(node.model_copy(update={"kind": _POOLS[node.kind], "config": config}))


def _flatten_kept(graph: WorkingGraph, node: GraphNode) -> None:
    """A global pooling that keeps its axes, and a Flatten that does away with them."""
    pooled = graph.sole_input(node)
    if graph.pools_as_global and pooled is not None and (kind := _global_kind(graph, pooled)):
        kept: dict[str, JsonValue] = {"keepdims": True}
        pooled = pooled.model_copy(update={"kind": kind, "config": kept})
    if (
        pooled is not None
        and pooled.kind.startswith("Global")
        and pooled.kind in FAMILIES
        and pooled.source is not NodeSource.UNKNOWN
        and pooled.config.get("keepdims") is True
        and node.output_shape == pooled.output_shape[-1:]
        and pooled.config.get("data_format") != "channels_first"
    ):
        merged = pooled.model_copy(
            update={
                "index": node.index,
                "config": {**pooled.config, "keepdims": False},
                "output_shape": node.output_shape,
            }
        )
        graph.replace(merged, pooled.index)


def _global_kind(graph: WorkingGraph, node: GraphNode) -> str | None:
    """The global pooling that a pooling with one window of the whole image is; otherwise None."""
    image = graph.shape(node.inputs[0]) if len(node.inputs) == 1 else None
    family = FAMILIES.get(node.kind)
    if image is None or family is None or node.kind.startswith("Global"):
        return None
    if "Pooling" not in node.kind or node.source is NodeSource.UNKNOWN:
        return None
    if node.config.get("data_format", "channels_last") != "channels_last":
        return None
    # Windows that reach beyond the image would be padded, which a maximum or a mean leaves out.
    whole = read_window(node.config.get("pool_size"), family.rank) == image[:-1]
    one = node.output_shape == (1,) * family.rank + image[-1:]
    return f"Global{node.kind}" if whole and one else None


# --- zeros around an image -----------------------------------------------------------------------


def _take_in_zeros(graph: WorkingGraph, node: GraphNode) -> None:
    padded = graph.sole_input(node)
    if padded is None or padded.kind not in _PADDINGS or len(padded.inputs) != 1:
        return
    if padded.source is NodeSource.UNKNOWN or node.config.get("padding") != "valid":
        return
    image, rank = graph.shape(padded.inputs[0]), FAMILIES[node.kind].rank
    if image is None or len(image) != rank + 1:
        return
    sides = _sides(padded, rank)
    if sides is None or node.config.get("data_format", "channels_last") != "channels_last":
        return
    same = _same_padding(node, image[:-1], rank)
    told = "same" if sides == same else f"zeros {sides}"
    told = told if any(map(any, sides)) else "valid"
    config = {**node.config, "padding": told}
    merged = node.model_copy(update={"config": config, "inputs": padded.inputs})
    graph.replace(merged, padded.index)


def _sides(node: GraphNode, rank: int) -> Sides | None:
    """The zeros that a node puts around an image; None where it does something else."""
    if node.kind != "pad":
        if node.kind != f"ZeroPadding{rank}D":
            return None
        value = node.config.get("padding")
        return _pairs(value if rank > 1 else [value], rank)
    value = node.config.get("paddings")
    if node.config.get("mode") != "CONSTANT" or node.config.get("value") not in (0, 0.0):
        return None
    if not isinstance(value, list) or len(value) != rank + 2:
        return None
    pairs = _pairs(value, rank + 2)
    if pairs is None or pairs[0] != (0, 0) or pairs[-1] != (0, 0):
        return None
    return pairs[1:-1]


def _pairs(value: JsonValue, count: int) -> Sides | None:
    if not isinstance(value, list) or len(value) != count:
        return None
    found = []
    for item in value:
        pair = [read_integer(side) for side in item] if isinstance(item, list) else []
        if len(pair) != 2 or pair[0] is None or pair[1] is None or min(pair[0], pair[1]) < 0:
            return None
        found.append((pair[0], pair[1]))
    return tuple(found)


def _same_padding(node: GraphNode, image: Sequence[int], rank: int) -> Sides | None:
    """The zeros that TensorFlow puts around an image for `padding="same"`."""
    window, strides = (read_window(node.config.get(k), rank) for k in ("kernel_size", "strides"))
    dilation = read_window(node.config.get("dilation_rate", 1), rank)
    if window is None or strides is None or dilation is None:
        return None
    found = []
    for side, size, step, gap in zip(image, window, strides, dilation, strict=True):
        reach = (size - 1) * gap + 1
        total = max((-(-side // step) - 1) * step + reach - side, 0)
        found.append((total // 2, total - total // 2))
    return tuple(found)
