"""Bringing the graph of a network into one form, so that style does not matter.

- What does not lead to the output is set aside.
- What changes nothing is left out: identities, casts, a linear activation, a Flatten of what is
  flat, a ReLU behind a ReLU.
- `Reshape` to one axis is a `Flatten`.
- An activation that is a layer or a function of its own belongs to the layer before it, if that
  has none. It may stand behind a dropout or normalisation (which are told on their own), and
  behind a flatten or pooling where the order makes no difference.
- Scaling, casting and transposing in front of the first layer are preprocessing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from grader.checks.architecture.layers import (
    ACTIVATION_OPERATIONS,
    ACTIVATIONS,
    DROPOUTS,
    JUDGED,
    MERGES,
    NORMALIZATIONS,
    UNKNOWN,
    Attribute,
    Layer,
    activation_of_layer,
    count_or_none,
    values_of,
)
from grader.checks.architecture.preprocessing import (
    RESHAPES,
    TRANSPOSITIONS,
    does_nothing,
    is_preprocessing,
    note_of,
    rearranges,
    scaled_range,
)
from grader.checks.architecture.sight import Sight
from grader.records.network_evidence import GraphNode, NetworkGraph, NodeSource
from grader.records.text import clean_line

_INPUT: Final = -1
_MONOTONE: Final = frozenset(
    {"relu", "relu6", "sigmoid", "tanh", "softplus", "elu", "selu", "leaky_relu"}
)
"""Activations that never fall, so that they can be taken before or after a maximum."""
_MAXIMUM_POOLINGS: Final = frozenset(
    {"MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"}
)
_REACH: Final = 16
"""The most layers between an activation and the layer it belongs to."""


@dataclass(frozen=True)
class NormalForm:
    """A network in the form in which it is compared."""

    preprocessing: tuple[Layer, ...]
    """What stands in front of the first layer, in order."""
    layers: tuple[Layer, ...]
    """The layers that compute the output, in the order in which data passes."""
    first_shape: tuple[int, ...]
    """What the first layer reads, batch axis left out."""
    frames_reshaped: bool
    """Whether the frames' axes were exchanged with a reshape."""
    scaled: tuple[float, int] | None
    """Largest value after preprocessing, and number of scalings; None where not known."""
    no_effect: tuple[str, ...]
    """Layers that were meant to do something and do not."""
    unused: tuple[str, ...]
    """Layers that were made or called and do not reach the output."""
    branches: bool
    """Whether the layers are no chain although nothing merges them."""
    outputs: int
    """Number of different layers whose values are returned."""


def normal_form(
    graph: NetworkGraph, largest_input: float, *, preprocessing_allowed: bool
) -> NormalForm:
    """The normal form of a graph.

    Args:
        graph: as the worker sent it; nothing about it is trusted.
        largest_input: largest absolute value the network is fed with.
        preprocessing_allowed: whether what prepares the pixels is set apart.
    """
    live, dead = _live_nodes(graph)
    shapes = {node.index: node.output_shape for node in graph.nodes}
    shapes[_INPUT] = graph.input_shape
    layers = _activations_merged(live, _layers(live, shapes))
    no_effect = tuple(
        f"{node.kind} {node.name!r}"
        for node in live
        if layers[node.index] is None and _was_meant(node)
    )
    kept = [node for node in live if layers[node.index] is not None]
    front = 0
    while preprocessing_allowed and front < len(kept):
        node = kept[front]
        if not is_preprocessing(node, shapes.get(node.inputs[0]) if node.inputs else None):
            break
        front += 1
    before = kept[:front]
    found = [layer for node in kept if (layer := layers[node.index]) is not None]
    first_shape = before[-1].output_shape if before else graph.input_shape
    chain = _is_chain(live, graph.outputs)
    if chain:
        found[front:] = _with_sight(found[front:], kept[front:], first_shape, shapes)
    returned = len(set(graph.outputs))
    return NormalForm(
        preprocessing=tuple(found[:front]),
        layers=tuple(found[front:]),
        first_shape=first_shape,
        frames_reshaped=any(rearranges(node, shapes.get(node.inputs[0])) for node in before),
        scaled=scaled_range(before, largest_input),
        no_effect=no_effect,
        unused=_unused(graph, dead),
        branches=not chain and returned == 1 and not any(_merges(layer) for layer in found),
        outputs=returned,
    )


def _live_nodes(graph: NetworkGraph) -> tuple[list[GraphNode], list[GraphNode]]:
    """Nodes that lead to an output, and the others; each in the order of the graph."""
    nodes = {node.index: node for node in reversed(graph.nodes)}
    reached: set[int] = set()
    waiting = list(graph.outputs)
    while waiting:
        index = waiting.pop()
        if index in nodes and index not in reached:
            reached.add(index)
            waiting.extend(nodes[index].inputs)
    # An index that stands twice means the first node that has it.
    live = [node for node in graph.nodes if node.index in reached and nodes[node.index] is node]
    dead = [node for node in graph.nodes if node.index not in reached]
    return live, dead


def _is_chain(live: list[GraphNode], outputs: tuple[int, ...]) -> bool:
    before = _INPUT
    for node in live:
        if node.inputs != (before,):
            return False
        before = node.index
    return set(outputs) == {before}


def _merges(layer: Layer) -> bool:
    """Whether a layer is told of as one that brings branches together."""
    return (layer.inputs > 1 or layer.kind in MERGES) and layer.kind not in JUDGED


def _layers(
    live: list[GraphNode], shapes: Mapping[int, tuple[int, ...]]
) -> dict[int, Layer | None]:
    """Each node as a layer, or None when it changes nothing."""
    layers: dict[int, Layer | None] = {}
    met: set[int] = set()
    for node in live:
        read = shapes.get(node.inputs[0]) if len(node.inputs) == 1 else None
        layer = _layer(node, read, shared=node.layer is not None and node.layer in met)
        layers[node.index] = None if does_nothing(layer, node, read) else layer
        if node.layer is not None and node.parameters:
            met.add(node.layer)
    return layers


def _layer(node: GraphNode, read: tuple[int, ...] | None, *, shared: bool) -> Layer:
    kind = clean_line(node.kind, 60) or UNKNOWN
    values = values_of(kind, node.config) if node.source is NodeSource.LAYER else {}
    if node.source is not NodeSource.UNKNOWN and kind in RESHAPES | {"flatten"}:
        flat = len(node.output_shape) == 1 and read is not None
        kind = "Flatten" if flat or kind == "flatten" else kind
    if node.source is NodeSource.UNKNOWN:
        # A class of the student's may bear the name of one of Keras' and do something else.
        kind = f"{kind} (custom)"
    if shared and Attribute.WEIGHTS in values:
        values[Attribute.WEIGHTS] = "shared"
    return Layer(
        kind=kind,
        values=values,
        output_shape=node.output_shape,
        parameters=count_or_none(node.parameters),
        note=note_of(node),
        name=clean_line(node.name, 60),
        source=node.source,
        inputs=len(node.inputs),
        trainable=node.config.get("trainable") is not False,
    )


def _activation_of(node: GraphNode) -> str | None:
    """The activation a node is, or None when it is something else."""
    known = (
        node.kind in ACTIVATIONS
        if node.source is NodeSource.LAYER
        else node.kind in ACTIVATION_OPERATIONS and node.source is NodeSource.OPERATION
    )
    return activation_of_layer(node.kind, node.config) if known else None


def _activations_merged(
    live: list[GraphNode], layers: dict[int, Layer | None]
) -> dict[int, Layer | None]:
    """The layers with activations of their own given to the layers they belong to."""
    nodes = {node.index: node for node in live}
    readers = Counter(index for node in live for index in node.inputs)
    for node in live:
        activation = _activation_of(node)
        if activation is None or len(node.inputs) != 1 or layers[node.index] is None:
            continue
        if activation == "linear":
            layers[node.index] = None
            continue
        owner = _owner(node.inputs[0], activation, nodes, layers, readers)
        layer = None if owner is None else layers[owner]
        if owner is None or layer is None:
            continue
        has = layer.values[Attribute.ACTIVATION]
        if has == "linear":
            values = {**layer.values, Attribute.ACTIVATION: activation}
            layers[owner] = replace(layer, values=values)
            layers[node.index] = None
        elif has == activation == "relu":
            layers[node.index] = None
    return layers


def _owner(
    index: int,
    activation: str,
    nodes: Mapping[int, GraphNode],
    layers: Mapping[int, Layer | None],
    readers: Mapping[int, int],
) -> int | None:
    """The layer with an activation of its own that stands before, if nothing is in the way."""
    for _ in range(_REACH):
        if index not in nodes or readers[index] != 1 or len(nodes[index].inputs) != 1:
            return None
        layer = layers.get(index)
        if layer is not None and Attribute.ACTIVATION in layer.values and not layer.is_activation:
            return index
        if layer is not None and not _can_pass(activation, layer):
            return None
        index = nodes[index].inputs[0]
    return None


def _can_pass(activation: str, layer: Layer) -> bool:
    if layer.kind in DROPOUTS | NORMALIZATIONS:
        return True
    if activation == "softmax":
        return False
    if layer.kind in TRANSPOSITIONS | RESHAPES | {"Flatten"}:
        return True
    return layer.kind in _MAXIMUM_POOLINGS and activation in _MONOTONE


def _was_meant(node: GraphNode) -> bool:
    """Whether a layer without effect is worth a word."""
    return node.source is NodeSource.LAYER and node.kind in {"Flatten", "Reshape"}


def _with_sight(
    found: list[Layer],
    nodes: list[GraphNode],
    first_shape: tuple[int, ...],
    shapes: Mapping[int, tuple[int, ...]],
) -> list[Layer]:
    """The layers with their receptive fields, as far as these are understood."""
    sight = Sight.of_image(first_shape)
    seen: list[Layer] = []
    for layer, node in zip(found, nodes, strict=True):
        read = shapes.get(node.inputs[0])
        sight = None if sight is None else sight.after(layer, None if read is None else len(read))
        seen.append(replace(layer, sight=None if sight is None else sight.seen))
    return seen


def _unused(graph: NetworkGraph, dead: list[GraphNode]) -> tuple[str, ...]:
    names = [*graph.unused_layers, *(node.name or node.kind for node in dead)]
    return tuple(dict.fromkeys(clean_line(name, 60) for name in names))
