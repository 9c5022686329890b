"""Expected beside received layers, as shown to the student."""

from __future__ import annotations

import pytest
from written_networks import (
    DQN,
    PART,
    RESCALING,
    conv,
    evidence_of,
    graph_of,
    judged,
    judged_layers,
    replaced,
    table,
)

from grader.checks.architecture.expected import expected_networks
from grader.records.network_settings import NetworkSettings
from grader.records.result import RowStatus


def test_the_table_shows_shapes_parameters_and_receptive_fields() -> None:
    exhibit = table(judged_layers(RESCALING, *DQN))
    assert exhibit.expected_parameters == exhibit.received_parameters == 1_686_180
    assert "Proven" in exhibit.proof
    preprocessing, *rows = exhibit.rows
    assert preprocessing.received is not None
    assert preprocessing.received.summary == "× 0.00392157"
    assert [row.expected.output_shape for row in rows if row.expected] == [
        "(20, 20, 32)", "(9, 9, 64)", "(7, 7, 64)", "(3136,)", "(512,)", "(4,)",
    ]  # fmt: skip
    assert [row.expected.receptive_field for row in rows if row.expected] == [
        "8 × 8", "20 × 20", "36 × 36", "36 × 36", "84 × 84", "84 × 84",
    ]  # fmt: skip
    assert [row.expected.parameters for row in rows if row.expected] == [
        8_224, 32_832, 36_928, 0, 1_606_144, 2_052,
    ]  # fmt: skip
    for row in rows:
        assert row.expected
        assert row.received
        assert row.received.output_shape == row.expected.output_shape
        assert row.received.receptive_field == row.expected.receptive_field
        assert row.received.parameters == row.expected.parameters
    assert rows[0].received
    assert rows[0].received.summary == (
        "32 filters, kernel (8, 8), strides (4, 4), valid padding, relu"
    )


def test_the_table_shows_what_differs() -> None:
    rows = table(judged_layers(*replaced(1, conv(64, 5, 2)))).rows
    assert rows[1].status is RowStatus.DIFFERS
    assert rows[1].differences == ("kernel_size: expected (4, 4), received (5, 5)",)
    assert rows[1].points == pytest.approx(rows[1].max_points / 2)


def test_an_expected_network_that_cannot_be_is_no_error() -> None:
    impossible = NetworkSettings.parse({**PART.settings, "input_shapes": [[5, 5, 4]]})
    (layers,) = [network.layers for network in expected_networks(impossible, ((5, 5, 4),))]
    assert layers[0].output_shape is None
    assert layers[-1].parameters is None
    assert table(judged(evidence_of(graph_of(DQN)), impossible)).expected_parameters is None
