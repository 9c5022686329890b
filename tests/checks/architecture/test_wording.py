"""Findings say which way a thing is wrong, in words that a student knows."""

from __future__ import annotations

import pytest
from written_networks import (
    AFFINE,
    C1,
    DQN,
    DROPOUT,
    codes,
    custom,
    evidence_of,
    graph_of,
    insert,
    judged,
    judged_layers,
    replaced,
)

from grader.checks.architecture.attribute_mistakes import attribute_mistake
from grader.checks.architecture.expected import layer_of
from grader.checks.architecture.layers import Layer, values_of
from grader.checks.network_codes import NetworkCode as Code
from grader.records.layer_families import Attribute
from grader.records.network_evidence import NetworkProof, ProofMethod
from grader.records.patterns import EmbeddingPattern, RecurrentPattern
from grader.records.result import Severity


@pytest.mark.parametrize(
    ("asked", "claim", "advice"),
    [
        (True, "Only the last step is handed on where every step", "Pass `return_sequences=True`"),
        (False, "Every step is handed on where only the last one", "Leave `return_sequences` out"),
    ],
)
def test_which_steps_are_handed_on_is_told_the_way_it_is(
    asked: bool, claim: str, advice: str
) -> None:
    pattern = RecurrentPattern(layer="LSTM", units=4, return_sequences=asked)
    found = Layer("LSTM", values_of("LSTM", {"units": 4, "return_sequences": not asked}, {}))
    mistake = attribute_mistake(
        Attribute.RETURN_SEQUENCES, layer_of(pattern, {}), found, fixed=False
    )
    assert mistake.code == Code.RETURN_SEQUENCES
    assert mistake.claim.startswith(claim)
    assert mistake.advice.startswith(advice)


@pytest.mark.parametrize(
    ("asked", "claim", "advice"),
    [
        (True, "The zeros that fill up short sequences are not marked", "Pass `mask_zero=True`"),
        (False, "Zeros are taken for padding", "Leave `mask_zero` out"),
    ],
)
def test_what_is_taken_for_padding_is_told_the_way_it_is(
    asked: bool, claim: str, advice: str
) -> None:
    pattern = EmbeddingPattern(layer="Embedding", input_dim=9, output_dim=4, mask_zero=asked)
    config = {"input_dim": 9, "output_dim": 4, "mask_zero": not asked}
    found = Layer("Embedding", values_of("Embedding", config, {}))
    mistake = attribute_mistake(Attribute.MASK_ZERO, layer_of(pattern, {}), found, fixed=False)
    assert mistake.code == Code.MASKING
    assert mistake.claim.startswith(claim)
    assert mistake.advice.startswith(advice)


def test_a_dropout_is_no_matter_of_games() -> None:
    (finding,) = judged_layers(*insert(5, DROPOUT)).findings
    assert finding.code == Code.EXTRA_DROPOUT
    assert "Q-learning" not in (finding.try_ or "")


def test_a_scaling_in_the_code_is_called_so() -> None:
    (finding,) = judged_layers(*insert(3, AFFINE)).findings
    assert "affine" not in finding.claim + (finding.received or "")
    assert "(scaling)" in finding.claim


def test_code_of_ones_own_is_named_only_where_there_is_some() -> None:
    evidence = evidence_of(graph_of(DQN)).model_copy(
        update={"proof": NetworkProof(method=ProofMethod.TRANSPLANTED)}
    )
    verdict = judged(evidence)
    assert codes(verdict) == [Code.PROVEN_BY_FUNCTION]
    assert "code of its own" not in verdict.findings[0].claim


def test_settings_that_are_code_are_told_without_the_graders_words() -> None:
    reason = "the configuration of dense holds more than plain settings"
    evidence = evidence_of(graph_of(DQN)).model_copy(
        update={"proof": NetworkProof(method=ProofMethod.NONE, reason=reason)}
    )
    (finding, *_) = judged(evidence).findings
    assert finding.received == (
        "the configuration of dense holds code of your own, such as a function, where names and "
        "numbers are expected"
    )


def test_a_layer_of_ones_own_hides_no_other_difference() -> None:
    specs = list(replaced(0, C1.but(filters=16)))
    specs[4] = custom("MyDense")
    evidence = evidence_of(graph_of(specs)).model_copy(
        update={"proof": NetworkProof(method=ProofMethod.NONE, reason="MyDense is no known layer")}
    )
    verdict = judged(evidence)
    assert verdict.fraction == 0.0
    assert codes(verdict) == [Code.UNPROVEN, Code.FILTERS]
    assert "instead of `MyDense`" in (verdict.findings[0].try_ or "")
    assert verdict.findings[1].severity is Severity.NOTE
