"""Expected beside received layers: what differs, and what it costs.

Each attribute of a layer that differs (of a Conv2D: filters, kernel_size, strides, padding,
activation) costs half of the layer's weight, and so does each argument that an assignment cannot
set and that should be as Keras has it by default (dilation, bias, …): one slip leaves half, two
leave nothing. A layer that is missing, or of another kind, loses all of its weight.
A layer that was not asked for costs `extra_layer_cost` times the mean weight of the layers asked
for; a dropout half of that, because it computes nothing once the network plays. One that only
stands in the wrong place costs nothing beside what is missing in its own place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from grader.checks.architecture.alignment import align
from grader.checks.architecture.expected import canonical_shape, expected_layers
from grader.checks.architecture.layers import (
    DROPOUTS,
    Attribute,
    ExpectedLayer,
    Layer,
    Value,
)
from grader.checks.architecture.normal_form import NormalForm, normal_form
from grader.records.network_evidence import NetworkEvidence, NetworkGraph
from grader.records.settings import NetworkSettings

ATTRIBUTE_SHARE: Final = 0.5
"""What an attribute that differs costs, in weights of its layer."""
DROPOUT_SHARE: Final = 0.5
"""What a dropout that was not asked for costs, in extra layers."""


@dataclass(frozen=True)
class Row:
    """One line of the comparison.

    Attributes:
        expected: the layer asked for; None for an extra layer.
        received: the student's layer; None for a missing layer.
        expected_number: place among the layers asked for, from 1; 0 for an extra layer.
        received_number: place among the student's layers, from 1; 0 for a missing layer.
        differences: attributes that differ, when both are there and of one kind.
        moved: whether the same layer stands on the other side of another row.
        lost: weight lost, at most the weight of the expected layer.
        fixed_units: whether the units are a number where they should be the number of actions.
    """

    expected: ExpectedLayer | None
    received: Layer | None
    expected_number: int
    received_number: int
    differences: tuple[Attribute, ...] = ()
    moved: bool = False
    lost: float = 0.0
    fixed_units: bool = False

    @property
    def other_kind(self) -> bool:
        """Whether both layers are there and of different kinds."""
        return (
            self.expected is not None
            and self.received is not None
            and self.expected.kind != self.received.kind
        )


@dataclass(frozen=True)
class Comparison:
    """The student's network beside the one asked for."""

    form: NormalForm
    rows: tuple[Row, ...]
    expected_parameters: int | None
    received_parameters: int
    input_shape: tuple[int, ...]
    """What the first layer should read, batch axis left out."""
    weight: float
    """Sum of the weights of all layers asked for."""
    extra_cost: float
    """Weight lost by one extra layer."""

    @property
    def channels_not_last(self) -> bool:
        """Whether the first layer, one that slides over an image, reads its axes in other order."""
        first = self.form.layers[0] if self.form.layers else None
        asked = next(row.expected for row in self.rows if row.expected is not None)
        return (
            first is not None
            and len(self.input_shape) == 3
            and asked.kind not in {"Flatten", "Dense"}
            and first.values.get(Attribute.DATA_FORMAT) != "channels_first"
            and self.form.first_shape != self.input_shape
            and sorted(self.form.first_shape) == sorted(self.input_shape)
        )

    @property
    def faults_of_structure(self) -> int:
        """Mistakes that concern no single row; each costs as much as an extra layer."""
        return (
            self.form.frames_reshaped
            + self.channels_not_last
            + self.form.branches
            + (self.form.outputs != 1)
        )

    @property
    def fraction(self) -> float:
        """Share of the points earned, 0 to 1."""
        lost = sum(row.lost for row in self.rows) + self.faults_of_structure * self.extra_cost
        # Below a billionth the difference is rounding of the shares, not a point.
        left = 1.0 - lost / self.weight
        return 0.0 if left < 1e-9 else left


def compare(
    evidence: NetworkEvidence,
    graph: NetworkGraph,
    settings: NetworkSettings,
    extra_layer_cost: float,
) -> Comparison:
    """Compares the student's graph with the layers asked for.

    Args:
        evidence: for the accepted input shape and the outputs for other numbers of actions.
        graph: the network, as traced for the first number of actions.
        settings: the layers asked for.
        extra_layer_cost: points lost by an extra layer, in weights of one layer.
    """
    shape = canonical_shape(settings, evidence.input_shape)
    expected = expected_layers(settings, shape, settings.num_actions[0])
    form = normal_form(
        graph,
        max(abs(bound) for bound in settings.input_range),
        preprocessing_allowed=settings.preprocessing_allowed,
    )
    weight = sum(layer.weight for layer in expected)
    extra_cost = extra_layer_cost * weight / len(expected)
    rows = [
        _row(expected, form.layers, one, two, extra_cost)
        for one, two in align(expected, form.layers)
    ]
    rows = _moves_marked(rows)
    if units_are_fixed(evidence):
        rows = [_with_fixed_units(row, len(form.layers)) for row in rows]
    parameters = [layer.parameters for layer in expected]
    known = [count for count in parameters if count is not None]
    return Comparison(
        form=form,
        rows=tuple(rows),
        expected_parameters=sum(known) if len(known) == len(parameters) else None,
        received_parameters=graph.parameters,
        input_shape=shape,
        weight=weight,
        extra_cost=extra_cost,
    )


def units_are_fixed(evidence: NetworkEvidence) -> bool:
    """Whether some network has another number of outputs than the actions it was built for."""
    return any(
        build.output_shape is not None and build.output_shape[-1:] != (build.num_actions,)
        for build in evidence.builds
    )


def attribute_share(layer: ExpectedLayer) -> float:
    """The weight that one attribute of a layer carries."""
    return ATTRIBUTE_SHARE * layer.weight


def _row(
    expected: Sequence[ExpectedLayer],
    received: Sequence[Layer],
    one: int | None,
    two: int | None,
    extra_cost: float,
) -> Row:
    asked = None if one is None else expected[one]
    found = None if two is None else received[two]
    differences: tuple[Attribute, ...] = ()
    if asked is None:
        mild = found is not None and found.kind in DROPOUTS
        lost = extra_cost * DROPOUT_SHARE if mild else extra_cost
    elif found is None or found.kind != asked.kind:
        lost = asked.weight
    else:
        differences = tuple(
            attribute
            for attribute, value in asked.values.items()
            if not _equal(value, found.values.get(attribute))
        )
        lost = _lost(asked, len(differences))
    return Row(
        expected=asked,
        received=found,
        expected_number=0 if one is None else one + 1,
        received_number=0 if two is None else two + 1,
        differences=differences,
        lost=lost,
    )


def _equal(one: Value, two: Value | None) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        return abs(one - two) <= 1e-6
    return type(one) is type(two) and one == two


def _lost(layer: ExpectedLayer, differences: int) -> float:
    return min(layer.weight, differences * attribute_share(layer))


def _signature(layer: Layer) -> tuple[str, tuple[tuple[Attribute, Value], ...]]:
    return layer.kind, tuple(layer.values.items())


def _moves_marked(rows: list[Row]) -> list[Row]:
    """Marks pairs of a missing and an extra layer that are the same layer in another place."""
    missing = Counter(
        _signature(row.expected) for row in rows if row.expected and row.received is None
    )
    extra = Counter(
        _signature(row.received) for row in rows if row.received and row.expected is None
    )
    lacking = missing & extra
    surplus = Counter(lacking)
    marked = []
    for row in rows:
        layer, count = (row.expected, lacking) if row.received is None else (row.received, surplus)
        one_sided = (row.expected is None) != (row.received is None)
        if one_sided and layer is not None and count[_signature(layer)] > 0:
            count[_signature(layer)] -= 1
            marked.append(replace(row, moved=True, lost=row.lost if row.expected else 0.0))
        else:
            marked.append(row)
    return marked


def _with_fixed_units(row: Row, layers: int) -> Row:
    """The row of the output layer, its units counted as wrong; any other row as it is.

    If something stands behind that layer, or it is not there, the shape of the output is the fault
    of that.
    """
    layer = row.expected
    if layer is None or not layer.per_action or row.received is None:
        return row
    if row.other_kind or row.received_number != layers:
        return row
    differences = tuple(dict.fromkeys((Attribute.UNITS, *row.differences)))
    return replace(
        row, differences=differences, fixed_units=True, lost=_lost(layer, len(differences))
    )
