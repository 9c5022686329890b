"""What differs, and what it costs."""

from __future__ import annotations

import pytest
from written_networks import (
    C3,
    DQN,
    DROPOUT,
    OUT,
    Spec,
    codes,
    conv,
    dense,
    evidence_of,
    graph_of,
    insert,
    judged,
    judged_layers,
    replaced,
    table,
)

from grader.checks.network_codes import NetworkCode as Code
from grader.records.network_settings import ArchitectureSettings, NetworkSettings
from grader.records.result import Outcome, RowStatus


def lost(*specs: Spec, options: ArchitectureSettings | None = None) -> float:
    return 5.5 * (1 - judged(evidence_of(graph_of(specs)), options=options).fraction)


def test_one_wrong_attribute_leaves_half_of_a_layer_and_two_leave_nothing() -> None:
    assert lost(*replaced(0, conv(16, 8, 4))) == pytest.approx(1 / 2)
    assert lost(*replaced(0, conv(16, 8, 2))) == pytest.approx(1)
    assert lost(*replaced(0, conv(16, 5, 2))) == pytest.approx(1)
    assert lost(*replaced(5, dense(4, "softmax"))) == pytest.approx(1 / 2)


def test_a_missing_layer_costs_its_weight() -> None:
    assert lost(*replaced(2)) == pytest.approx(1)
    assert lost(*replaced(3)) == pytest.approx(0.5)


def test_an_extra_layer_costs_the_mean_weight_and_dropout_half_of_it() -> None:
    assert lost(*insert(3, C3)) == pytest.approx(5.5 / 6)
    assert lost(*insert(5, DROPOUT)) == pytest.approx(5.5 / 12)
    assert lost(*insert(3, C3), options=ArchitectureSettings(extra_layer_cost=0.5)) == (
        pytest.approx(5.5 / 12)
    )


def test_points_do_not_fall_below_nothing() -> None:
    verdict = judged_layers(*DQN[:-1], *([dense(16, "relu")] * 9), OUT)
    assert verdict.fraction == 0.0
    assert verdict.outcome is Outcome.FAILED
    assert codes(verdict) == [Code.EXTRA_LAYER]


def test_a_fixed_number_of_outputs_is_told_although_the_first_build_fits() -> None:
    verdict = judged(evidence_of(graph_of(DQN), widths={4: 4, 6: 4, 18: 4}))
    assert codes(verdict) == [Code.OUTPUT_UNITS]
    assert table(verdict).rows[-1].status is RowStatus.DIFFERS
    assert verdict.fraction == pytest.approx(1 - (1 / 2) / 5.5)


def test_a_wrong_number_of_outputs_is_told_once() -> None:
    graph = graph_of(replaced(5, dense(6)))
    verdict = judged(evidence_of(graph, widths={4: 6, 6: 6, 18: 6}))
    assert codes(verdict) == [Code.OUTPUT_UNITS]


def test_what_stands_behind_the_output_is_not_told_as_wrong_units() -> None:
    graph = graph_of((*DQN, dense(1)))
    verdict = judged(evidence_of(graph, widths={4: 1, 6: 1, 18: 1}))
    assert codes(verdict) == [Code.EXTRA_LAYER]


def test_a_pattern_without_a_required_layer_is_judged_all_the_same() -> None:
    asked = [{"layer": "Flatten", "optional": True}, {"layer": "anything"}]
    settings = NetworkSettings.parse(
        {"input_shapes": [[84, 84, 4]], "num_actions": [4], "layers": asked}
    )
    verdict = judged(evidence_of(graph_of([dense(16, "relu"), OUT])), settings)
    assert verdict.fraction == 1.0
