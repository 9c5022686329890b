"""Bringing the graph of a network into one form, so that style does not matter.

- What does not lead to the output is set aside.
- Wrappers, merges and other ways of saying the same thing are rewritten (see `rewriting`).
- What changes nothing is left out: identities, casts, a linear activation, a Flatten of what is
  flat, a ReLU behind a ReLU.
- `Reshape` to one axis is a `Flatten`.
- An activation that is a layer or a function of its own belongs to the layer before it, if that
  has none. It may stand behind a dropout or normalisation (which are told on their own), and
  behind a flatten or pooling where the order makes no difference.
- Scaling, casting and transposing between an input and the first layer are preprocessing.
- Layers stand in one order, branch by branch, in the order in which the merges read them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from grader.checks.architecture.layers import Layer, values_of, wrapped_kinds
from grader.checks.architecture.order import depth_first
from grader.checks.architecture.own_activations import as_activation, with_activations_merged
from grader.checks.architecture.preprocessing import (
    RESHAPES,
    does_nothing,
    is_preprocessing,
    note_of,
    rearranges,
    scaled_range,
)
from grader.checks.architecture.rewriting import rewritten, without_identities
from grader.checks.architecture.sight import Sight
from grader.checks.architecture.values import UNKNOWN, count_or_none
from grader.records.layer_families import Attribute
from grader.records.network_evidence import GraphNode, NetworkGraph, NodeSource
from grader.records.text import clean_line

NOWHERE: Final = -(1 << 20)
"""Stands for a layer that is read or returned and is not there."""

Shapes = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True)
class NormalForm:
    """A network in the form in which it is compared."""

    fronts: tuple[tuple[Layer, ...], ...]
    """What stands between each input and the first layer, in order."""
    layers: tuple[Layer, ...]
    """The layers that compute the output, each after those it reads; `inputs` are places in this
    list."""
    outputs: tuple[int, ...]
    """Places of the layers whose values are returned."""
    first_shapes: tuple[tuple[int, ...], ...]
    """What the first layers read of each input, batch axis left out."""
    frames_reshaped: bool
    """Whether the frames' axes were exchanged with a reshape."""
    scaled: tuple[float, int] | None
    """Largest value of the first input after preprocessing, and number of scalings; None where not
    known."""
    no_effect: tuple[str, ...]
    """Layers that were meant to do something and do not."""
    unused: tuple[str, ...]
    """Layers that were made or called and do not reach the output."""
    taken: tuple[int, ...]
    """Indices of activations that were layers or functions of their own and belong to a layer."""
    unread_inputs: int
    """Number of inputs that have no part in the output."""

    @property
    def preprocessing(self) -> tuple[Layer, ...]:
        """What stands between any input and the first layer."""
        return tuple(layer for front in self.fronts for layer in front)


def normal_form(
    graph: NetworkGraph,
    largest_input: float,
    *,
    preprocessing_allowed: bool,
    apart: frozenset[int] = frozenset(),
    pools_as_global: bool = False,
) -> NormalForm:
    """The normal form of a graph.

    Args:
        graph: as the worker sent it; nothing about it is trusted.
        largest_input: largest absolute value the first input is fed with.
        preprocessing_allowed: whether what prepares the pixels is set apart.
        apart: indices of activations that stay layers of their own.
        pools_as_global: whether pooling of a whole image counts as global pooling.
    """
    alive, dead = _live_nodes(graph)
    changing, outputs = without_identities(alive, graph.outputs)
    plain = rewritten(changing, outputs, graph.input_shapes, pools_as_global=pools_as_global)
    live = [as_activation(node) for node in plain]
    shapes: dict[int, tuple[int, ...]] = {node.index: node.output_shape for node in live}
    shapes |= {-1 - number: shape for number, shape in enumerate(graph.input_shapes)}
    # Kernels and names of what is read are those of the nodes before any were merged.
    shapes |= {node.index: node.output_shape for node in alive if node.index not in shapes}
    layers = _layers(live, shapes)
    taken = with_activations_merged(live, layers, outputs, apart)
    no_effect = tuple(
        f"{node.kind} {node.name!r}"
        for node in live
        if layers[node.index] is None and _was_meant(node)
    )
    nodes = {node.index: node for node in live}
    sources = _past_nothing(live, layers)
    front = (
        _fronts(live, layers, sources, shapes, len(graph.input_shapes))
        if preprocessing_allowed
        else {}
    )
    prepared = [nodes[index] for number in sorted(front, reverse=True) for index in front[number]]
    behind = {index: number for number, indices in front.items() for index in indices}
    placed = _placed(live, layers, sources, behind, outputs)
    chain = [nodes[index] for index in front.get(-1, ())]
    return NormalForm(
        fronts=tuple(
            tuple(_found(layers, index) for index in front.get(-1 - number, ()))
            for number in range(len(graph.input_shapes))
        ),
        layers=tuple(_with_sight(placed.layers, graph.input_shapes, front, shapes)),
        outputs=placed.outputs,
        first_shapes=tuple(
            shapes[front[-1 - number][-1]] if front.get(-1 - number) else shape
            for number, shape in enumerate(graph.input_shapes)
        ),
        frames_reshaped=any(rearranges(node, shapes.get(node.inputs[0])) for node in prepared),
        scaled=scaled_range(chain, largest_input),
        no_effect=no_effect,
        unused=_unused(graph, dead),
        taken=taken,
        unread_inputs=sum(
            not any(-1 - number in node.inputs for node in alive)
            for number in range(len(graph.input_shapes))
        ),
    )


def _found(layers: Mapping[int, Layer | None], index: int) -> Layer:
    layer = layers[index]
    assert layer is not None
    return layer


def _live_nodes(graph: NetworkGraph) -> tuple[list[GraphNode], list[GraphNode]]:
    """Nodes that lead to an output, and the others; each in the order of the graph."""
    nodes = {node.index: node for node in reversed(graph.nodes) if node.index >= 0}
    reached: set[int] = set()
    waiting = list(graph.outputs)
    while waiting:
        index = waiting.pop()
        if index in nodes and index not in reached:
            reached.add(index)
            waiting.extend(nodes[index].inputs)
    # An index that stands twice means the first node that has it.
    live = [node for node in graph.nodes if node.index in reached and nodes[node.index] is node]
    live = _in_order(live)
    dead = [node for node in graph.nodes if node.index not in reached]
    return live, dead


def _in_order(live: list[GraphNode]) -> list[GraphNode]:
    """The nodes, reading nowhere instead of what does not stand before them."""
    before: set[int] = set()
    ordered: list[GraphNode] = []
    for node in live:
        inputs = tuple(one if one < 0 or one in before else NOWHERE for one in node.inputs)
        ordered.append(
            node if inputs == node.inputs else node.model_copy(update={"inputs": inputs})
        )
        before.add(node.index)
    return ordered


# --- one layer ----------------------------------------------------------------------------------


def _layers(live: list[GraphNode], shapes: Shapes) -> dict[int, Layer | None]:
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
    known = node.source is not NodeSource.UNKNOWN
    values = values_of(kind, node.config, node.call_arguments) if known else {}
    if known and kind in RESHAPES | {"flatten"}:
        flat = read is not None and node.output_shape == (math.prod(read),)
        kind = "Flatten" if flat or kind == "flatten" else kind
        values = {} if kind == "Flatten" else values
    if not known:
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
        inputs=node.inputs,
        trainable=node.config.get("trainable") is not False,
        index=node.index,
        wrapped=wrapped_kinds(node.config) if node.source is NodeSource.LAYER else (),
    )


def _was_meant(node: GraphNode) -> bool:
    """Whether a layer without effect is worth a word."""
    return node.source is NodeSource.LAYER and node.kind in {"Flatten", "Reshape"}


# --- what is left, in its order -----------------------------------------------------------------


def _past_nothing(
    live: list[GraphNode], layers: Mapping[int, Layer | None]
) -> dict[int, tuple[int, ...]]:
    """What each node reads when nodes that change nothing are left out."""
    stands_for: dict[int, int] = {}
    sources: dict[int, tuple[int, ...]] = {}
    for node in live:
        read = tuple(stands_for.get(index, index) for index in node.inputs)
        sources[node.index] = read
        if layers[node.index] is None:
            stands_for[node.index] = read[0]
    for index, other in stands_for.items():
        sources[index] = (other,)
    return sources


def _fronts(
    live: list[GraphNode],
    layers: Mapping[int, Layer | None],
    sources: Mapping[int, tuple[int, ...]],
    shapes: Shapes,
    inputs: int,
) -> dict[int, tuple[int, ...]]:
    """For each input, the nodes that only prepare it, in order."""
    readers: dict[int, list[GraphNode]] = {}
    for node in live:
        if layers[node.index] is not None:
            for index in sources[node.index]:
                readers.setdefault(index, []).append(node)
    fronts: dict[int, tuple[int, ...]] = {}
    for number in range(-1, -1 - inputs, -1):
        found: list[int] = []
        at = number
        while len(readers.get(at, ())) == 1:
            (node,) = readers[at]
            if not is_preprocessing(node, shapes.get(node.inputs[0]) if node.inputs else None):
                break
            found.append(node.index)
            at = node.index
        if found:
            fronts[number] = tuple(found)
    return fronts


@dataclass(frozen=True)
class _Placed:
    layers: list[Layer]
    outputs: tuple[int, ...]


def _placed(
    live: list[GraphNode],
    layers: Mapping[int, Layer | None],
    sources: Mapping[int, tuple[int, ...]],
    behind: Mapping[int, int],
    outputs: Sequence[int],
) -> _Placed:
    """The layers that count, branch by branch, reading each other by their places."""

    def effective(index: int) -> int:
        if index in sources and layers.get(index) is None:
            index = sources[index][0]
        return behind.get(index, index)

    kept = {
        node.index: tuple(effective(index) for index in sources[node.index])
        for node in live
        if layers[node.index] is not None and node.index not in behind
    }
    returned = [effective(index) for index in outputs]
    order = depth_first(kept, returned)
    places = {index: place for place, index in enumerate(order)}
    found = [
        replace(
            _found(layers, index),
            inputs=tuple(_place(one, places) for one in kept[index]),
            is_output=index in returned,
        )
        for index in order
    ]
    return _Placed(found, tuple(_place(index, places) for index in returned))


def _place(index: int, places: Mapping[int, int]) -> int:
    return places.get(index, index if index < 0 else NOWHERE)


def _with_sight(
    found: list[Layer],
    input_shapes: Sequence[tuple[int, ...]],
    front: Mapping[int, tuple[int, ...]],
    shapes: Shapes,
) -> list[Layer]:
    """The layers with their receptive fields, as far as these are understood."""
    read: dict[int, tuple[int, ...] | None] = {}
    sights: dict[int, Sight | None] = {}
    for number in range(-1, -1 - len(input_shapes), -1):
        read[number] = shapes[front[number][-1]] if number in front else shapes[number]
        sights[number] = Sight.of_image(read[number] or ())
    seen: list[Layer] = []
    for place, layer in enumerate(found):
        first = read.get(layer.inputs[0]) if layer.inputs else None
        sight = Sight.merged([sights.get(index) for index in layer.inputs])
        sight = None if sight is None else sight.after(layer, None if first is None else len(first))
        sights[place], read[place] = sight, layer.output_shape
        seen.append(replace(layer, sight=None if sight is None else sight.seen))
    return seen


def _unused(graph: NetworkGraph, dead: list[GraphNode]) -> tuple[str, ...]:
    names = [*graph.unused_layers, *(node.name or node.kind for node in dead)]
    return tuple(dict.fromkeys(clean_line(name, 60) for name in names))
