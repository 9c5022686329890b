"""The convolutions of a student's graph, and the activations that belong to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.records.network_evidence import GraphNode, NetworkGraph, NodeSource
from grader.records.text import clean_line

Array = npt.NDArray[Any]

_CONVOLUTIONS: Final = frozenset(
    {"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose"}
)
_ACTIVATIONS: Final = frozenset(
    {"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "relu", "relu6", "sigmoid",
     "tanh", "softmax", "softplus", "elu", "selu", "gelu", "silu", "leaky_relu"}
)  # fmt: skip
_PASSED_OVER: Final = frozenset(
    {"BatchNormalization", "LayerNormalization", "GroupNormalization", "Dropout",
     "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "cast", "identity"}
)  # fmt: skip
"""What may stand between a convolution and its activation."""


@dataclass(frozen=True)
class ReceivedConvolution:
    """One convolution of the student's network."""

    node: GraphNode
    shown: GraphNode
    """The node whose value is shown: its activation, where that is a layer of its own."""
    activation: str
    kernel: Array | None
    bias: Array | None


def received_convolutions(
    graph: NetworkGraph, weights: tuple[Array, ...]
) -> list[ReceivedConvolution]:
    """The convolutions of a graph, one for each use of a layer, from input to output."""
    readers: dict[int, list[GraphNode]] = {}
    for node in graph.nodes:
        for source in node.inputs:
            readers.setdefault(source, []).append(node)
    found: list[ReceivedConvolution] = []
    for node in graph.nodes:
        if (
            node.source is not NodeSource.LAYER
            or node.kind not in _CONVOLUTIONS
            or len(node.output_shape) != 3
            or 0 in node.output_shape
            or len(node.inputs) != 1
        ):
            continue
        shown, activation = _with_activation(node, readers)
        arrays = [weights[index] for index in node.weights]
        found.append(
            ReceivedConvolution(
                node=node,
                shown=shown,
                activation=activation,
                kernel=arrays[0] if node.kind == "Conv2D" and arrays else None,
                bias=arrays[1] if node.kind == "Conv2D" and len(arrays) > 1 else None,
            )
        )
    return found


def _with_activation(node: GraphNode, readers: dict[int, list[GraphNode]]) -> tuple[GraphNode, str]:
    """The node with a convolution's activation applied, and the activation's name."""
    own = _activation_name(node.config.get("activation"))
    if own != "linear":
        return node, own
    at = node
    while len(after := readers.get(at.index, [])) == 1:
        at = after[0]
        if at.kind in _ACTIVATIONS and at.output_shape == node.output_shape:
            name = at.config.get("activation") if at.kind == "Activation" else at.kind
            return at, _activation_name(name)
        if at.kind not in _PASSED_OVER:
            break
    return node, own


def _activation_name(value: object) -> str:
    if isinstance(value, dict):
        inner = value.get("config")
        value = inner if isinstance(inner, str) else value.get("class_name")
    return clean_line(value.lower(), 40) if isinstance(value, str) else "linear"


def kernel_shape_of(item: ReceivedConvolution) -> tuple[int, ...] | None:
    """Height, width, channels and filters; None where the kernel has another form."""
    return None if item.kernel is None else item.kernel.shape


def maps_last(item: ReceivedConvolution, value: Array) -> Array:
    """The maps of one image, shape (height, width, maps)."""
    maps: Array = value[0]
    if item.node.config.get("data_format") == "channels_first":
        maps = np.moveaxis(maps, 0, -1)
    return maps


def pair_setting(node: GraphNode, name: str) -> tuple[int, int]:
    """A setting that is given as two whole numbers or as one for both; (1, 1) if it is neither."""
    value = node.config.get(name)
    if isinstance(value, list) and len(value) == 2 and all(isinstance(side, int) for side in value):
        return int(str(value[0])), int(str(value[1]))
    return (value, value) if isinstance(value, int) else (1, 1)
