"""Expected beside received layers: what differs, and what it costs.

Each attribute of a layer that differs (of a Conv2D: filters, kernel_size, strides, padding,
activation, …) costs half of the layer's weight, and so does reading another layer than asked: one
slip leaves half, two leave nothing. A layer that is missing, or of another kind, loses all of its
weight; an optional one may be missing.
A layer that was not asked for costs `extra_layer_cost` times the mean weight of the layers asked
for; a dropout half of that, because it computes nothing once the network plays, and nothing where
the assignment leaves it free. One that only stands in the wrong place costs nothing beside what is
missing in its own place.
Where the assignment accepts several networks, the one that leaves the most points counts. So does
the reading of the student's network: layers that differ may be paired, or be the same in another
place; and where activations of their own are asked for, one of the student's may be one of these
instead of belonging to the layer before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grader.checks.architecture.expected import (
    ExpectedNetwork,
    canonical_shapes,
    expected_networks,
    giving_outputs,
)
from grader.checks.architecture.layers import GLOBAL_POOLINGS, Layer
from grader.checks.architecture.matching import Match, match
from grader.checks.architecture.normal_form import NormalForm, normal_form
from grader.checks.architecture.rows import Row, moves_marked, row_of, with_fixed_units
from grader.records.arithmetic import evaluate
from grader.records.layer_families import Attribute
from grader.records.network_evidence import NetworkEvidence, NetworkGraph
from grader.records.network_settings import NetworkSettings

_SURCHARGE: Final = 100
"""On top for a pair that differs, in the second try: it shows what only stands elsewhere."""
_MAX_APART: Final = 12
"""Activations of the student's that are tried as layers of their own."""
_MAX_APART_ROUNDS: Final = 3
_MAX_NODES: Final = 400
"""Networks in which that is tried; longer ones are so on purpose."""


@dataclass(frozen=True)
class Comparison:
    """The student's network beside the one asked for."""

    form: NormalForm
    expected: ExpectedNetwork
    rows: tuple[Row, ...]
    forbidden: tuple[tuple[str, Layer], ...]
    """Kinds that must not be there, with the layers that are or hold one."""
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
            + sum(layer.index not in self.charged for _, layer in self.forbidden)
            + (not self.parameters_within)
        )

    @property
    def fraction(self) -> float:
        """Share of the points earned, 0 to 1."""
        lost = sum(row.lost for row in self.rows) + self.faults_of_structure * self.extra_cost
        # Below a billionth the difference is rounding of the shares, not a point.
        # Where no layer is required none can be missing, and what is lost counts by itself.
        left = 1.0 - lost / (self.weight or 1.0)
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

    def form_of(apart: frozenset[int], *, pools_as_global: bool = False) -> NormalForm:
        return normal_form(
            graph,
            largest_input(settings),
            preprocessing_allowed=settings.preprocessing_allowed,
            apart=apart,
            pools_as_global=pools_as_global,
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
        if any(layer.kind in GLOBAL_POOLINGS for layer in network.layers):
            tried(network, form_of(frozenset(), pools_as_global=True))
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
        row_of(network, form, matched, one, two, extra_cost, numbers)
        for one, two in matched.pairs
        if one is None or (network.layers[one].freedom is None and _is_told(network, one, two))
    ]
    rows = moves_marked(rows)
    if fixed and not matched.outputs_astray:
        asked, given = network.giving_outputs, giving_outputs(form.layers, form.outputs)
        rows = [
            with_fixed_units(row)
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
            (kinds[0], layer)
            for layer in (*form.preprocessing, *form.layers)
            if (kinds := [k for k in (layer.kind, *layer.wrapped) if k in settings.forbidden])
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
