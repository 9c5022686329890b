"""The side-by-side table of a report."""

from __future__ import annotations

from typing import Final

from grader.checks.architecture.comparison import Comparison, Row
from grader.checks.architecture.layers import (
    UNKNOWN,
    Attribute,
    Layer,
    count_or_none,
    shape_text,
    value_text,
)
from grader.checks.architecture.wording import summary_of
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
    unit = points / comparison.weight
    rows = [
        LayerRow(status=RowStatus.PREPROCESSING, received=_cell(layer))
        for layer in comparison.form.preprocessing
    ]
    rows.extend(_row(row, method, unit) for row in comparison.rows)
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
        rows = [*reversed(kept), LayerRow(status=RowStatus.EXTRA, received=further)]
    return NetworkTable(
        rows=tuple(rows),
        expected_parameters=comparison.expected_parameters,
        received_parameters=count_or_none(comparison.received_parameters),
        proof=proof,
    )


def _row(row: Row, method: ProofMethod, unit: float) -> LayerRow:
    expected = None if row.expected is None else _cell(row.expected)
    received = None if row.received is None else _cell(row.received)
    if row.expected is None:
        charged = method is ProofMethod.REBUILT
        return LayerRow(
            status=RowStatus.EXTRA,
            received=received,
            differences=("stands in another place than asked for",) if row.moved else (),
            points=-row.lost * unit if charged else 0.0,
        )
    full = row.expected.weight * unit
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
    earned = (row.expected.weight - row.lost) * unit if row.lost else full
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
        "units: expected num_actions, received a fixed number"
        if row.fixed_units and attribute is Attribute.UNITS
        else f"{attribute}: expected {value_text(asked.values[attribute])}, "
        f"received {value_text(found.values.get(attribute, UNKNOWN))}"
        for attribute in row.differences
    )


def _cell(layer: Layer) -> LayerCell:
    return LayerCell(
        kind=layer.kind,
        summary=summary_of(layer),
        output_shape=shape_text(layer.output_shape),
        parameters=layer.parameters,
        receptive_field=None if layer.sight is None else f"{layer.sight[0]} × {layer.sight[1]}",
    )
