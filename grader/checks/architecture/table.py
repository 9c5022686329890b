"""The side-by-side table of a report."""

from __future__ import annotations

from typing import Final

from grader.checks.architecture.comparison import Comparison
from grader.checks.architecture.layers import Layer
from grader.checks.architecture.rows import Row
from grader.checks.architecture.values import UNKNOWN, count_or_none, shape_text, value_text
from grader.checks.architecture.wording import summary_of
from grader.records.layer_families import Attribute
from grader.records.network_evidence import ProofMethod
from grader.records.result import LayerCell, LayerRow, NetworkTable, RowStatus

MAX_ROWS: Final = 300
"""Longer tables are networks of thousands of layers; the last row says how many are left out."""


def network_table(
    comparison: Comparison, method: ProofMethod, points: float, proof: str
) -> NetworkTable:
    """Expected beside received layers, with the points of each.

    Args:
        comparison: the student's network beside the one asked for.
        method: how the graph is proven. Without proof no row earns points; when it is proven by
            what it computes, every expected layer is there, whatever it looks like.
        points: marks of the check, shared out over the rows.
        proof: one sentence that says how it is known that the table is true.
    """
    unit = points / (comparison.weight or 1.0)
    rows: list[LayerRow] = []
    fronts: dict[int, int] = {}
    for number, front in enumerate(comparison.form.fronts):
        for layer in front:
            reads = (fronts.get(-1 - number, -1 - number),)
            fronts[-1 - number] = len(rows)
            rows.append(LayerRow(status=RowStatus.PREPROCESSING, received=_cell(layer, reads)))
    lines = _Lines(comparison, fronts, len(rows))
    rows.extend(_row(row, method, unit, lines) for row in comparison.rows)
    if len(rows) > MAX_ROWS:
        # Rows with an expected layer have to stay, wherever they stand.
        surplus = len(rows) - MAX_ROWS + 1
        kept: list[LayerRow] = []
        left_out = 0
        for row in reversed(rows):
            if row.expected is None and left_out < surplus:
                left_out += 1
            else:
                kept.append(row)
        further = LayerCell(kind="…", summary=f"{left_out} further layers")
        rows = [_unconnected(row) for row in reversed(kept)]
        rows.append(LayerRow(status=RowStatus.EXTRA, received=further))
    return NetworkTable(
        rows=tuple(rows),
        expected_parameters=comparison.expected_parameters,
        received_parameters=count_or_none(comparison.received_parameters),
        proof=proof,
    )


def _unconnected(row: LayerRow) -> LayerRow:
    """A row whose cells do not say what they read, for a table in which rows are left out."""
    cells = {
        side: None if cell is None else cell.model_copy(update={"reads": ()})
        for side, cell in (("expected", row.expected), ("received", row.received))
    }
    return row.model_copy(update=cells)


class _Lines:
    """Where each layer stands in the table, so that the drawing can connect them."""

    def __init__(self, comparison: Comparison, fronts: dict[int, int], first: int) -> None:
        self._fronts = fronts
        self._form, self._network = comparison.form, comparison.expected
        self._received: dict[int, int] = {}
        self._expected: dict[int, int] = {}
        for line, row in enumerate(comparison.rows, first):
            if row.received is not None:
                self._received[row.received_number - 1] = line
            if row.expected is not None:
                self._expected[row.expected_place] = line

    def of_received(self, layer: Layer) -> tuple[int, ...]:
        """Lines of the layers that a received layer reads."""
        return tuple(
            self._fronts.get(one, one) if one < 0 else self._received[one] for one in layer.inputs
        )

    def of_expected(self, layer: Layer) -> tuple[int, ...]:
        """Lines of the layers that an expected layer reads; those not shown are looked through."""
        lines: list[int] = []
        for one in layer.inputs:
            while one >= 0 and one not in self._expected:
                one = self._network.layers[one].inputs[0]
            lines.append(one if one < 0 else self._expected[one])
        return tuple(lines)


def _row(row: Row, method: ProofMethod, unit: float, lines: _Lines) -> LayerRow:
    asked, found = row.expected, row.received
    expected = None if asked is None else _cell(asked, lines.of_expected(asked))
    received = None if found is None else _cell(found, lines.of_received(found))
    if row.expected is None:
        charged = method is ProofMethod.REBUILT
        return LayerRow(
            status=RowStatus.FREE if row.free else RowStatus.EXTRA,
            received=received,
            differences=("stands in another place than asked for",)
            if row.moved
            else ("free in this place",)
            if row.free
            else (),
            points=-row.lost * unit if charged else 0.0,
        )
    full = 0.0 if row.expected.optional else row.expected.weight * unit
    if method is ProofMethod.TRANSPLANTED:
        same = row.received is not None and not row.other_kind and not row.differences
        return LayerRow(
            status=RowStatus.MATCHES,
            expected=expected,
            received=received,
            differences=() if same else ("shown by what the network computes",),
            points=full,
            max_points=full,
        )
    status = (
        RowStatus.MISSING
        if row.received is None
        else RowStatus.DIFFERS
        if row.differences or row.other_kind
        else RowStatus.MATCHES
    )
    earned = full - row.lost * unit
    return LayerRow(
        status=status,
        expected=expected,
        received=received,
        differences=_differences(row),
        points=earned if method is ProofMethod.REBUILT else 0.0,
        max_points=full,
    )


def _differences(row: Row) -> tuple[str, ...]:
    asked, found = row.expected, row.received
    if asked is None:
        return ()
    if found is None:
        return ("stands in another place",) if row.moved else ()
    if row.other_kind:
        return (f"kind: expected {asked.kind}, received {found.kind}",)
    return tuple(
        f"{attribute}: expected {asked.per_argument}, received a fixed number"
        if row.fixed_units and attribute in {Attribute.UNITS, Attribute.FILTERS}
        else "reads another layer than asked for"
        if attribute is Attribute.READS
        else f"{attribute}: expected {value_text(asked.values[attribute])}, "
        f"received {value_text(found.values.get(attribute, UNKNOWN))}"
        for attribute in row.differences
    )


def _cell(layer: Layer, reads: tuple[int, ...]) -> LayerCell:
    return LayerCell(
        kind=layer.kind,
        summary=summary_of(layer),
        output_shape=shape_text(layer.output_shape),
        parameters=layer.parameters,
        receptive_field=None if layer.sight is None else f"{layer.sight[0]} × {layer.sight[1]}",
        reads=reads,
    )
