"""One pair of layers as a line of the comparison, with its price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from grader.checks.architecture.expected import ExpectedNetwork
from grader.checks.architecture.layers import DROPOUTS, ExpectedLayer, Layer
from grader.checks.architecture.matching import Match
from grader.checks.architecture.normal_form import NormalForm
from grader.records.layer_families import Attribute, Value

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


def attribute_share(layer: ExpectedLayer) -> float:
    """The weight that one attribute of a layer carries."""
    return ATTRIBUTE_SHARE * layer.weight


def row_of(
    network: ExpectedNetwork,
    form: NormalForm,
    matched: Match,
    one: int | None,
    two: int | None,
    extra_cost: float,
    numbers: Mapping[int, int],
) -> Row:
    """The line of one pair.

    Args:
        network: the network asked for.
        form: the student's.
        matched: how they are paired.
        one: place of the expected layer; None for an extra layer.
        two: place of the received layer; None for a missing layer.
        extra_cost: weight lost by one extra layer.
        numbers: of the expected layers, as told to the student.
    """
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


def moves_marked(rows: list[Row]) -> list[Row]:
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


def with_fixed_units(row: Row) -> Row:
    """The row of a layer that gives an output its size, the units counted as wrong."""
    layer = row.expected
    if layer is None or row.received is None or not layer.per_argument or row.other_kind:
        return row
    size = Attribute.UNITS if Attribute.UNITS in layer.rules else Attribute.FILTERS
    differences = tuple(dict.fromkeys((size, *row.differences)))
    return replace(
        row, differences=differences, fixed_units=True, lost=_lost(layer, len(differences))
    )
