"""The networks an assignment accepts, with shapes, parameters and receptive fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from grader.checks.architecture import activations
from grader.checks.architecture.layers import (
    DROPOUTS,
    NORMALIZATIONS,
    ExpectedLayer,
    Freedom,
    Layer,
)
from grader.checks.architecture.order import depth_first
from grader.checks.architecture.own_activations import can_pass
from grader.checks.architecture.rules import Rule
from grader.checks.architecture.shapes import Shape, output_shape, parameters_of
from grader.checks.architecture.sight import Sight
from grader.records.arithmetic import evaluate
from grader.records.layer_families import FAMILIES, MERGES, Attribute
from grader.records.network_settings import NetworkSettings
from grader.records.patterns import (
    AnythingPattern,
    LayerEntry,
    PreprocessingPattern,
    ReshapePattern,
)
from grader.records.variants import Variant

_OF_THE_SAME_SIZE: Final = (
    MERGES - {"Concatenate", "Dot"} | DROPOUTS | NORMALIZATIONS | {"Activation"}
)


@dataclass(frozen=True)
class ExpectedNetwork:
    """One network that is accepted.

    Attributes:
        layers: branch by branch, in an order in which data can pass; `inputs` are places in this
            list. Places where layers are free stand among them.
        outputs: places of the layers whose values are returned.
        input_shapes: what its inputs look like, channels last, batch axis left out.
    """

    layers: tuple[ExpectedLayer, ...]
    outputs: tuple[int, ...]
    input_shapes: tuple[Shape, ...]

    @property
    def weight(self) -> float:
        """Sum of the weights of all layers that must be there."""
        return sum(layer.weight for layer in self.asked if not layer.optional)

    @property
    def output_shapes(self) -> tuple[Shape | None, ...]:
        """The shape of each output, batch axis left out; None where it is not known."""
        return tuple(
            self.layers[place].output_shape if place >= 0 else self.input_shapes[-1 - place]
            for place in self.outputs
        )

    @property
    def giving_outputs(self) -> frozenset[int]:
        """Places of the layers that give the outputs their size."""
        return giving_outputs(self.layers, self.outputs)

    @property
    def asked(self) -> tuple[ExpectedLayer, ...]:
        """The layers alone."""
        return tuple(layer for layer in self.layers if layer.freedom is None)


def giving_outputs(layers: Sequence[Layer], outputs: Sequence[int]) -> frozenset[int]:
    """Places of the layers that give the outputs their size.

    What hands on as many numbers as it reads is looked through.
    """
    found: set[int] = set()
    waiting = list(outputs)
    while waiting:
        place = waiting.pop()
        if place in found or not 0 <= place < len(layers):
            continue
        found.add(place)
        if layers[place].kind in _OF_THE_SAME_SIZE:
            waiting.extend(layers[place].inputs)
    return frozenset(found)


def sides_of(shape: tuple[int | str, ...], arguments: Mapping[str, Any]) -> Shape:
    """A shape with its expressions worked out.

    Raises:
        ArithmeticProblem: an expression has no value; reading the assignment found that out.
    """
    return tuple(side if isinstance(side, int) else evaluate(side, arguments) for side in shape)


def canonical_shapes(
    settings: NetworkSettings,
    accepted: tuple[Shape, ...] | None,
    arguments: Mapping[str, Any] | None = None,
) -> tuple[Shape, ...]:
    """The shapes in which the first layers are meant to see the inputs, channels last.

    Args:
        settings: of each input, the first of its shapes with the same sides as the accepted one
            counts.
        accepted: the shapes that the network took, batch axis left out.
        arguments: of the builder; those of the first call when left out.
    """
    arguments = settings.builder_arguments[0] if arguments is None else arguments
    found: list[Shape] = []
    for number, single in enumerate(settings.network_inputs):
        shapes = [sides_of(shape, arguments) for shape in single.shapes]
        taken = accepted[number] if accepted is not None and number < len(accepted) else None
        same = [shape for shape in shapes if taken is not None and sorted(shape) == sorted(taken)]
        found.append((same or shapes)[0])
    return tuple(found)


def expected_networks(
    settings: NetworkSettings,
    input_shapes: tuple[Shape, ...],
    arguments: Mapping[str, Any] | None = None,
) -> tuple[ExpectedNetwork, ...]:
    """All networks that are accepted.

    Args:
        settings: the assignment's pattern.
        input_shapes: channels last, batch axis left out, one for each input.
        arguments: of the builder; those of the first call when left out.
    """
    arguments = settings.builder_arguments[0] if arguments is None else arguments
    return tuple(_network(variant, input_shapes, arguments) for variant in settings.variants)


def _network(
    variant: Variant, input_shapes: tuple[Shape, ...], arguments: Mapping[str, Any]
) -> ExpectedNetwork:
    places: dict[int, int] = {-1 - number: -1 - number for number in range(len(input_shapes))}
    layers: list[ExpectedLayer] = []
    read_by_slots = Counter(read for slot in variant.slots for read in slot.reads)
    read_by_slots.update(variant.outputs)
    readers: dict[int, int] = {}
    for number, slot in enumerate(variant.slots):
        inputs = tuple(places[read] for read in slot.reads)
        if isinstance(slot.entry, AnythingPattern | PreprocessingPattern):
            freedom = Freedom(slot.entry.layer)
            layer = ExpectedLayer(kind=freedom, inputs=inputs, weight=0.0, freedom=freedom)
        else:
            layer = replace(layer_of(slot.entry, arguments), inputs=inputs)
        owner = _owner(layer, layers, readers)
        if owner is not None:
            layers[owner] = _joined(layers[owner], layer)
            places[number] = inputs[0]
            readers[inputs[0]] = read_by_slots[number]
            continue
        places[number] = len(layers)
        readers[places[number]] = read_by_slots[number]
        layers.append(layer)
    outputs = tuple(places[output] for output in variant.outputs)
    order = depth_first({place: layer.inputs for place, layer in enumerate(layers)}, outputs)
    moved = {place: new for new, place in enumerate(order)}
    layers = [
        replace(layers[place], inputs=tuple(moved.get(one, one) for one in layers[place].inputs))
        for place in order
    ]
    outputs = tuple(moved.get(output, output) for output in outputs)
    return ExpectedNetwork(
        tuple(_with_shapes(layers, input_shapes, outputs)), outputs, input_shapes
    )


def layer_of(entry: LayerEntry, arguments: Mapping[str, Any]) -> ExpectedLayer:
    """One layer as it is compared, not yet in its place.

    Raises:
        ArithmeticProblem: an expression has no value; reading the assignment found that out.
    """
    kind = _kind_of(entry)
    family = FAMILIES[kind]
    rules: dict[Attribute, Rule] = {}
    per_argument = ""
    written: dict[str, Any] = dict(entry)
    if Attribute.POOL_SIZE in family.judged and written["strides"] is None:
        written["strides"] = written["pool_size"]
    if "value_dim" in written:
        same = written["value_dim"] is None or written["value_dim"] == written["key_dim"]
        written["value_dim"] = 0 if same else written["value_dim"]
    for attribute in (*family.judged, *family.options):
        if attribute.value not in written:
            rules[attribute] = Rule(exact=(family.options[attribute],))
            continue
        value = written[attribute.value]
        if attribute in {Attribute.UNITS, Attribute.FILTERS} and isinstance(value, str):
            per_argument = value
        rules[attribute] = Rule.of(attribute, value, family.rank, arguments)
    return ExpectedLayer(
        kind=kind,
        values={attribute: _shown(rule) for attribute, rule in rules.items()},
        rules=rules,
        weight=entry.weight,
        per_argument=per_argument,
        optional=entry.optional,
    )


def _kind_of(entry: LayerEntry) -> str:
    """The kind, as in the normal form of what is received: a `Reshape` to one axis is a Flatten."""
    one_axis = isinstance(entry, ReshapePattern) and len(entry.target_shape) == 1
    return "Flatten" if one_axis else entry.layer


def _in_normal_form(layer: ExpectedLayer, shape: Shape | None) -> ExpectedLayer:
    """A layer told in the one way in which received ones are told.

    A `Reshape` has the side worked out that the assignment leaves open; axes count from the end.
    """
    axis = layer.values.get(Attribute.AXIS)
    if shape is None:
        return layer
    if layer.kind == "Reshape":
        return _with(layer, Attribute.TARGET_SHAPE, Rule(exact=(shape,)))
    if isinstance(axis, int) and 0 < axis <= len(shape):
        return _with(layer, Attribute.AXIS, Rule(exact=(axis - len(shape) - 1,)))
    return layer


def _with(layer: ExpectedLayer, attribute: Attribute, rule: Rule) -> ExpectedLayer:
    return replace(
        layer,
        rules={**layer.rules, attribute: rule},
        values={**layer.values, attribute: _shown(rule)},
    )


def _shown(rule: Rule) -> Any:
    sole = rule.sole
    return rule.text if sole is None else sole


def _owner(
    layer: ExpectedLayer, before: list[ExpectedLayer], readers: Mapping[int, int]
) -> int | None:
    """The layer that an `Activation` belongs to, as in the normal form of what is received."""
    if layer.kind != "Activation" or layer.optional:
        return None
    accepted = layer.rules[Attribute.ACTIVATION].exact
    index = layer.inputs[0]
    while index >= 0 and readers[index] == 1:
        found = before[index]
        activation = found.rules.get(Attribute.ACTIVATION)
        if activation is not None:
            return index if activation.sole == "linear" else None
        passes = all(can_pass(str(name), found.kind) for name in accepted or activations.ACROSS)
        if not passes or len(found.inputs) != 1:
            return None
        index = found.inputs[0]
    return None


def _joined(owner: ExpectedLayer, activation: ExpectedLayer) -> ExpectedLayer:
    return _with(owner, Attribute.ACTIVATION, activation.rules[Attribute.ACTIVATION])


def _with_shapes(
    layers: list[ExpectedLayer], input_shapes: tuple[Shape, ...], outputs: tuple[int, ...]
) -> list[ExpectedLayer]:
    shapes: dict[int, Shape | None] = {-1 - n: shape for n, shape in enumerate(input_shapes)}
    sights: dict[int, Sight | None] = {
        -1 - n: Sight.of_image(shape) for n, shape in enumerate(input_shapes)
    }
    found: list[ExpectedLayer] = []
    for place, layer in enumerate(layers):
        read = [shapes[index] for index in layer.inputs]
        sight = Sight.merged([sights[index] for index in layer.inputs])
        rank = None if read[0] is None else len(read[0])
        sights[place] = None if sight is None else sight.after(layer, rank)
        shapes[place] = output_shape(layer, read) if layer.freedom is None else _behind(layer, read)
        seen = sights[place]
        found.append(
            replace(
                _in_normal_form(layer, shapes[place]),
                output_shape=shapes[place],
                parameters=parameters_of(layer, read),
                sight=None if seen is None else seen.seen,
                is_output=place in outputs,
            )
        )
    return found


def _behind(place: ExpectedLayer, read: list[Shape | None]) -> Shape | None:
    """The shape behind a place where layers are free: nobody knows what they do to it."""
    return read[0] if place.freedom is Freedom.PREPROCESSING else None
