"""The networks an assignment accepts, with shapes, parameters and receptive fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from grader.checks.architecture.layers import ExpectedLayer, Freedom
from grader.checks.architecture.order import depth_first
from grader.checks.architecture.rules import Rule
from grader.checks.architecture.shapes import Shape, output_shape, parameters_of
from grader.checks.architecture.sight import Sight
from grader.records.arithmetic import evaluate
from grader.records.layer_families import FAMILIES, Attribute
from grader.records.network_settings import NetworkSettings
from grader.records.patterns import AnythingPattern, LayerEntry, PreprocessingPattern
from grader.records.variants import Variant

_PASSED: Final = frozenset(
    {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "BatchNormalization",
     "LayerNormalization", "GroupNormalization", "RMSNormalization", "UnitNormalization"}
)  # fmt: skip
"""Layers between an activation and the layer it is counted with."""


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
    def asked(self) -> tuple[ExpectedLayer, ...]:
        """The layers alone."""
        return tuple(layer for layer in self.layers if layer.freedom is None)


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
    for number, slot in enumerate(variant.slots):
        inputs = tuple(places[read] for read in slot.reads)
        if isinstance(slot.entry, AnythingPattern | PreprocessingPattern):
            freedom = Freedom(slot.entry.layer)
            layer = ExpectedLayer(kind=freedom, inputs=inputs, weight=0.0, freedom=freedom)
        else:
            layer = replace(layer_of(slot.entry, arguments), inputs=inputs)
        owner = _owner(layer, layers)
        if owner is not None:
            layers[owner] = _joined(layers[owner], layer)
            places[number] = inputs[0]
            continue
        places[number] = len(layers)
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
    family = FAMILIES[entry.layer]
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
        kind=entry.layer,
        values={attribute: _shown(rule) for attribute, rule in rules.items()},
        rules=rules,
        weight=entry.weight,
        per_argument=per_argument,
        optional=entry.optional,
    )


def _shown(rule: Rule) -> Any:
    sole = rule.sole
    return rule.text if sole is None else sole


def _owner(layer: ExpectedLayer, before: list[ExpectedLayer]) -> int | None:
    """The layer that an `Activation` belongs to, as in the normal form of what is received."""
    if layer.kind != "Activation" or layer.optional:
        return None
    index = layer.inputs[0]
    while index >= 0:
        found = before[index]
        activation = found.rules.get(Attribute.ACTIVATION)
        if activation is not None:
            return index if activation.sole == "linear" else None
        if found.kind not in _PASSED or len(found.inputs) != 1:
            return None
        index = found.inputs[0]
    return None


def _joined(owner: ExpectedLayer, activation: ExpectedLayer) -> ExpectedLayer:
    rule = activation.rules[Attribute.ACTIVATION]
    return replace(
        owner,
        rules={**owner.rules, Attribute.ACTIVATION: rule},
        values={**owner.values, Attribute.ACTIVATION: _shown(rule)},
    )


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
                layer,
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
