"""Expected beside received layers: what differs, and what it costs.

Each attribute of a layer that differs (of a Conv2D: filters, kernel_size, strides, padding,
activation, …) costs half of the layer's weight, and so does reading another layer than asked: one
slip leaves half, two leave nothing. A layer that is missing, or of another kind, loses all of its
weight; an optional one may be missing.
A layer that was not asked for costs `extra_layer_cost` times the mean weight of the layers asked
for; a dropout half of that, because it computes nothing once the network plays, and nothing where
the assignment leaves it free. One that only stands in the wrong place costs nothing beside what is
missing in its own place.
Where the assignment accepts several networks, the one that leaves the most points counts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from grader.checks.architecture.expected import (
    ExpectedNetwork,
    canonical_shapes,
    expected_networks,
    giving_outputs,
)
from grader.checks.architecture.layers import (
    DROPOUTS,
    ExpectedLayer,
    Layer,
)
from grader.checks.architecture.matching import Match, match
from grader.checks.architecture.normal_form import NormalForm, normal_form
from grader.records.arithmetic import evaluate
from grader.records.layer_families import Attribute, Value
from grader.records.network_evidence import NetworkEvidence, NetworkGraph
from grader.records.network_settings import NetworkSettings

ATTRIBUTE_SHARE: Final = 0.5
"""What an attribute that differs costs, in weights of its layer."""
_SURCHARGE: Final = 100
"""On top for a pair that differs, in the second try: it shows what only stands elsewhere."""
_MAX_APART: Final = 12
"""Activations of the student's that are tried as layers of their own."""
_MAX_APART_ROUNDS: Final = 3
_MAX_NODES: Final = 400
"""Networks in which that is tried; longer ones are so on purpose."""
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
        free: whether it is an extra layer where layers are free.
        expected_place: place in the expected network, free places counted; −1 for an extra layer.
        lost: weight lost, at most the weight of the expected layer.
        fixed_units: whether the units are a number where they should follow an argument.
    """

    expected: ExpectedLayer | None
    received: Layer | None
    expected_number: int
    received_number: int
    differences: tuple[Attribute, ...] = ()
    moved: bool = False
    free: bool = False
    expected_place: int = -1
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
    expected: ExpectedNetwork
    rows: tuple[Row, ...]
    forbidden: tuple[Layer, ...]
    """Layers of a kind that must not be there."""
    charged: frozenset[int]
    """Numbers of the nodes of layers that cost something where they stand."""
    parameters_within: bool
    """Whether the number of parameters lies within the assignment's bounds."""
    outputs_astray: bool
    """Whether the outputs stem from other layers than asked, although as many."""
    received_parameters: int
    extra_cost: float
    """Weight lost by one extra layer."""

    @property
    def weight(self) -> float:
        """Sum of the weights of all layers that must be there."""
        return self.expected.weight

    @property
    def expected_parameters(self) -> int | None:
        """Scalars in all weights of the network asked for; None where that is not known."""
        counts = [layer.parameters for layer in self.expected.asked if not layer.optional]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """What the first layer should read, batch axis left out."""
        return self.expected.input_shapes[0]

    @property
    def channels_not_last(self) -> bool:
        """Whether the first layer, one that slides over an image, reads its axes in other order."""
        first = next((layer for layer in self.form.layers if -1 in layer.inputs), None)
        asked = next((layer for layer in self.expected.asked if -1 in layer.inputs), None)
        found = self.form.first_shapes[0]
        return (
            first is not None
            and asked is not None
            and len(self.input_shape) == 3
            and asked.kind not in {"Flatten", "Dense"}
            and first.values.get(Attribute.DATA_FORMAT) != "channels_first"
            and found != self.input_shape
            and sorted(found) == sorted(self.input_shape)
        )

    @property
    def other_outputs(self) -> bool:
        """Whether there are more or fewer outputs than asked, for no reason told elsewhere."""
        last_missing = any(
            row.expected is not None and row.expected.is_output and row.received is None
            for row in self.rows
        )
        more = len(set(self.form.outputs)) > len(set(self.expected.outputs))
        fewer = len(self.form.outputs) < len(self.expected.outputs)
        merge_missing = last_missing and any(
            row.received is None and row.expected is not None and len(row.expected.inputs) > 1
            for row in self.rows
        )
        return (more and not merge_missing) or (fewer and not last_missing)

    def is_extra_output(self, row: Row) -> bool:
        """Whether a row is a layer that was not asked for and is returned.

        That there is one output too many and that there is such a layer is one mistake.
        """
        return (
            row.expected is None
            and row.received is not None
            and row.received.is_output
            and row.lost > 0
            and self.other_outputs
        )

    @property
    def faults_of_structure(self) -> int:
        """Mistakes that concern no single row; each costs as much as an extra layer."""
        return (
            self.form.frames_reshaped
            + self.channels_not_last
            + (self.other_outputs and not any(self.is_extra_output(row) for row in self.rows))
            + self.outputs_astray
            + sum(layer.index not in self.charged for layer in self.forbidden)
            + (not self.parameters_within)
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
    """Compares the student's graph with the networks that are accepted.

    Args:
        evidence: for the accepted input shapes and the outputs for other arguments.
        graph: the network, as traced for the first call of the builder.
        settings: the layers asked for.
        extra_layer_cost: points lost by an extra layer, in weights of one layer.
    """

    def form_of(apart: frozenset[int]) -> NormalForm:
        return normal_form(
            graph,
            largest_input(settings),
            preprocessing_allowed=settings.preprocessing_allowed,
            apart=apart,
        )

    form = form_of(frozenset())
    shapes = canonical_shapes(settings, evidence.input_shapes or None)
    fixed = units_are_fixed(evidence, settings)
    found: tuple[float, int, Comparison | None] = -1.0, 0, None

    def tried(network: ExpectedNetwork, form: NormalForm) -> bool:
        nonlocal found
        before = found
        for surcharge in (0, _SURCHARGE):
            matched = match(network, form, surcharge=surcharge)
            one = _comparison(
                network, form, matched, graph, settings, extra_layer_cost, fixed=fixed
            )
            if (one.fraction, -matched.cost) > (found[0], -found[1]):
                found = one.fraction, matched.cost, one
            if one.fraction == 1.0:
                break
        return found is not before

    for network in expected_networks(settings, shapes):
        tried(network, form)
        # Where activations of their own are asked for, some of the student's may be among them.
        apart: frozenset[int] = frozenset()
        rounds = sum(layer.kind == "Activation" for layer in network.layers)
        for _ in range(min(rounds, _MAX_APART_ROUNDS) if len(graph.nodes) < _MAX_NODES else 0):
            further = [apart | {index} for index in form.taken[:_MAX_APART] if index not in apart]
            better = [one for one in further if found[0] < 1.0 and tried(network, form_of(one))]
            if not better:
                break
            apart = better[-1]
    assert found[2] is not None  # an assignment without layers is refused
    return found[2]


def largest_input(settings: NetworkSettings) -> float:
    """The largest absolute value the first input is fed with."""
    arguments = settings.builder_arguments[0]
    bounds = settings.network_inputs[0].range
    return max(
        abs(evaluate(bound, arguments) if isinstance(bound, str) else bound) for bound in bounds
    )


def _comparison(
    network: ExpectedNetwork,
    form: NormalForm,
    matched: Match,
    graph: NetworkGraph,
    settings: NetworkSettings,
    extra_layer_cost: float,
    *,
    fixed: bool,
) -> Comparison:
    count = sum(layer.is_required for layer in network.layers)
    extra_cost = extra_layer_cost * network.weight / max(count, 1)
    numbers = _numbers(network, matched)
    rows = [
        _row(network, form, matched, one, two, extra_cost, numbers)
        for one, two in matched.pairs
        if one is None or (network.layers[one].freedom is None and _is_told(network, one, two))
    ]
    rows = _moves_marked(rows)
    if fixed and not matched.outputs_astray:
        asked, given = network.giving_outputs, giving_outputs(form.layers, form.outputs)
        rows = [
            _with_fixed_units(row)
            if row.expected_place in asked and row.received_number - 1 in given
            else row
            for row in rows
        ]
    bounds, parameters = settings.parameters, graph.parameters
    charged = {row.received.index for row in rows if row.received and row.lost}
    return Comparison(
        form=form,
        expected=network,
        rows=tuple(rows),
        forbidden=tuple(
            layer
            for layer in (*form.preprocessing, *form.layers)
            if layer.kind in settings.forbidden
        ),
        charged=frozenset(charged),
        parameters_within=bounds is None
        or (
            (bounds.min is None or parameters >= bounds.min)
            and (bounds.max is None or parameters <= bounds.max)
        ),
        outputs_astray=matched.outputs_astray,
        received_parameters=parameters,
        extra_cost=extra_cost,
    )


def _is_told(network: ExpectedNetwork, one: int, two: int | None) -> bool:
    """Whether a row is worth showing: an optional layer that was left out is not."""
    return two is not None or not network.layers[one].optional


def _numbers(network: ExpectedNetwork, matched: Match) -> dict[int, int]:
    """The number of each expected layer, from 1; optional ones that are not there have none."""
    there = {one for one, two in matched.pairs if two is not None}
    places = [
        place
        for place, layer in enumerate(network.layers)
        if layer.is_required or (layer.freedom is None and place in there)
    ]
    return {place: number for number, place in enumerate(places, 1)}


def units_are_fixed(evidence: NetworkEvidence, settings: NetworkSettings) -> bool:
    """Whether some network has other outputs than the arguments it was built for ask for."""
    for build, arguments in zip(evidence.builds, settings.builder_arguments, strict=False):
        shapes = canonical_shapes(settings, evidence.input_shapes or None, arguments)
        for number, output in enumerate(build.output_shapes):
            accepted = {
                network.layers[network.outputs[number]].output_shape
                for network in expected_networks(settings, shapes, arguments)
                if number < len(network.outputs) and network.outputs[number] >= 0
            }
            last = {shape[-1:] for shape in accepted if shape is not None}
            if last and output[-1:] not in last:
                return True
    return False


def attribute_share(layer: ExpectedLayer) -> float:
    """The weight that one attribute of a layer carries."""
    return ATTRIBUTE_SHARE * layer.weight


def _row(
    network: ExpectedNetwork,
    form: NormalForm,
    matched: Match,
    one: int | None,
    two: int | None,
    extra_cost: float,
    numbers: dict[int, int],
) -> Row:
    asked = None if one is None else network.layers[one]
    found = None if two is None else form.layers[two]
    differences: tuple[Attribute, ...] = ()
    free = asked is None and two in matched.free
    if asked is None:
        mild = found is not None and found.kind in DROPOUTS
        lost = 0.0 if free else extra_cost * DROPOUT_SHARE if mild else extra_cost
    elif found is None or found.kind != asked.kind:
        lost = asked.weight
    else:
        differences = asked.differences(found)
        if one in matched.astray:
            differences = (*differences, Attribute.READS)
        lost = _lost(asked, len(differences))
    return Row(
        expected=asked,
        received=found,
        expected_number=0 if one is None else numbers[one],
        received_number=0 if two is None else two + 1,
        differences=differences,
        free=free,
        expected_place=-1 if one is None else one,
        lost=lost,
    )


def _lost(layer: ExpectedLayer, differences: int) -> float:
    return min(layer.weight, differences * attribute_share(layer))


def _signature(layer: Layer) -> tuple[str, tuple[tuple[Attribute, Value], ...]]:
    return layer.kind, tuple(sorted(layer.values.items()))


def _moves_marked(rows: list[Row]) -> list[Row]:
    """Marks pairs of a missing and an extra layer that are the same layer in another place."""
    missing = Counter(
        _signature(row.expected) for row in rows if row.expected and row.received is None
    )
    extra = Counter(
        _signature(row.received)
        for row in rows
        if row.received and row.expected is None and not row.free
    )
    lacking = missing & extra
    surplus = Counter(lacking)
    marked = []
    for row in rows:
        layer, count = (row.expected, lacking) if row.received is None else (row.received, surplus)
        one_sided = (row.expected is None) != (row.received is None) and not row.free
        if one_sided and layer is not None and count[_signature(layer)] > 0:
            count[_signature(layer)] -= 1
            marked.append(replace(row, moved=True, lost=row.lost if row.expected else 0.0))
        else:
            marked.append(row)
    return marked


def _with_fixed_units(row: Row) -> Row:
    """The row of a layer that gives an output its size, the units counted as wrong."""
    layer = row.expected
    if layer is None or row.received is None or not layer.per_argument or row.other_kind:
        return row
    size = Attribute.UNITS if Attribute.UNITS in layer.rules else Attribute.FILTERS
    differences = tuple(dict.fromkeys((size, *row.differences)))
    return replace(
        row, differences=differences, fixed_units=True, lost=_lost(layer, len(differences))
    )
