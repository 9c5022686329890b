"""Giving activations that are layers or functions of their own to the layers they belong to.

An activation may stand behind a dropout or a normalisation, which are told on their own, and behind
whatever it could as well stand in front of: a flatten, or a maximum if the activation never falls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from grader.checks.architecture import activations
from grader.checks.architecture.activations import activation_of_layer
from grader.checks.architecture.layers import DROPOUTS, NORMALIZATIONS, RECURRENT, Layer
from grader.checks.architecture.preprocessing import RESHAPES, TRANSPOSITIONS
from grader.records.layer_families import Attribute
from grader.records.network_evidence import GraphNode, NodeSource

_MAXIMUM_POOLINGS: Final = frozenset(
    {f"{scope}MaxPooling{rank}D" for scope in ("", "Global") for rank in (1, 2, 3)}
)
_REACH: Final = 16
"""The most layers between an activation and the layer it belongs to."""


def can_pass(activation: str, kind: str) -> bool:
    """Whether an activation behind a layer counts as one in front of it.

    Args:
        activation: name of the activation.
        kind: of the layer between it and the one it belongs to.
    """
    if kind in DROPOUTS | NORMALIZATIONS:
        return True
    if activation in activations.ACROSS:
        return False
    if kind in TRANSPOSITIONS | RESHAPES | {"Flatten"}:
        return True
    return kind in _MAXIMUM_POOLINGS and activation in activations.MONOTONE


def _activation_of(node: GraphNode) -> str | None:
    """The activation a node is, or None when it is something else."""
    known = (
        node.kind in activations.LAYERS
        if node.source is NodeSource.LAYER
        else node.kind in activations.OPERATIONS and node.source is NodeSource.OPERATION
    )
    return activation_of_layer(node.kind, node.config) if known else None


def as_activation(node: GraphNode) -> GraphNode:
    """An activation in any spelling as Keras' `Activation` layer."""
    name = _activation_of(node)
    if name is None or node.kind == "PReLU":
        return node
    return node.model_copy(
        update={"kind": "Activation", "source": NodeSource.LAYER, "config": {"activation": name}}
    )


def with_activations_merged(
    live: list[GraphNode],
    layers: dict[int, Layer | None],
    outputs: Sequence[int],
    apart: frozenset[int],
) -> tuple[int, ...]:
    """The layers with activations of their own given to the layers they belong to.

    Args:
        live: nodes that lead to an output, each after those it reads.
        layers: what each is compared as, or None where it changes nothing; changed.
        outputs: indices of the nodes whose values are returned.
        apart: indices of activations that stay layers of their own.

    Returns:
        Indices of the activations that belong to a layer.
    """
    taken: list[int] = []
    nodes = {node.index: node for node in live}
    readers = Counter(index for node in live for index in node.inputs)
    readers.update(set(outputs))
    for node in live:
        activation = _activation_of(node)
        if activation is None or len(node.inputs) != 1 or layers[node.index] is None:
            continue
        if activation == "linear":
            layers[node.index] = None
            continue
        if node.index in apart:
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
            taken.append(node.index)
        elif has == activation == "relu":
            layers[node.index] = None
            taken.append(node.index)
    return tuple(taken)


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
            # That of a recurrent layer is taken inside, before the next step.
            return None if layer.kind in RECURRENT else index
        if layer is not None and not can_pass(activation, layer.kind):
            return None
        index = nodes[index].inputs[0]
    return None
