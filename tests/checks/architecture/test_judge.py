"""What is decided by how the network is proven, and by evidence of any kind."""

from __future__ import annotations

import pytest
from written_networks import (
    D1,
    DQN,
    DROPOUT,
    FLATTEN,
    OUT,
    codes,
    custom,
    evidence_of,
    graph_of,
    insert,
    judged,
    table,
)

from grader.checks.network_codes import NetworkCode as Code
from grader.records.evidence import Unresolved
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.network_evidence import (
    BuildTrial,
    NetworkProof,
    ProofMethod,
)
from grader.records.result import Outcome, RowStatus, Severity


def test_a_function_proven_network_must_follow_the_number_of_actions_too() -> None:
    verdict = judged(
        evidence_of(graph_of(DQN), ProofMethod.TRANSPLANTED, widths={4: 4, 6: 4, 18: 4})
    )
    assert codes(verdict) == [Code.PROVEN_BY_FUNCTION, Code.OUTPUT_UNITS]
    assert verdict.fraction == pytest.approx(1 - (1 / 2) / 5.5)


def test_without_proof_there_are_no_points_and_the_table_is_a_claim() -> None:
    evidence = evidence_of(
        graph_of(DQN),
        proof=NetworkProof(method=ProofMethod.NONE, reason="the outputs differ"),
    )
    verdict = judged(evidence)
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [Code.UNPROVEN]
    assert verdict.findings[0].received == "the outputs differ"
    assert "Not proven" in table(verdict).proof
    assert all(row.points == 0 for row in table(verdict).rows)


def test_without_proof_and_graph_there_are_no_points() -> None:
    verdict = judged(evidence_of(None, ProofMethod.NONE))
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [Code.UNPROVEN]
    assert verdict.exhibits == ()


def test_a_network_proven_by_its_function_earns_full_marks() -> None:
    graph = graph_of((custom("ConvStack", (7, 7, 64)), FLATTEN, D1, OUT), unused=("spare",))
    verdict = judged(evidence_of(graph, ProofMethod.TRANSPLANTED))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PASSED, 1.0)
    assert codes(verdict) == [Code.PROVEN_BY_FUNCTION, Code.UNUSED_LAYERS]
    assert verdict.findings[0].severity is Severity.NOTE
    expected = [row for row in table(verdict).rows if row.expected]
    assert {row.status for row in expected} == {RowStatus.MATCHES}
    assert sum(row.points for row in table(verdict).rows) == pytest.approx(12)


def test_a_network_proven_by_its_function_needs_no_graph() -> None:
    verdict = judged(evidence_of(None, ProofMethod.TRANSPLANTED))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PASSED, 1.0)
    assert verdict.exhibits == ()


def test_dropout_in_a_network_proven_by_its_function_is_a_warning() -> None:
    verdict = judged(evidence_of(graph_of(insert(5, DROPOUT)), ProofMethod.TRANSPLANTED))
    assert codes(verdict) == [Code.PROVEN_BY_FUNCTION, Code.EXTRA_DROPOUT]
    assert verdict.findings[1].severity is Severity.WARNING
    assert verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (IncidentKind.FAULT, Outcome.FAULT),
        (IncidentKind.RAISED, Outcome.FAILED),
        (IncidentKind.LIMIT, Outcome.INVALID),
    ],
)
@pytest.mark.parametrize("method", [None, ProofMethod.NONE])
def test_what_ended_the_tracing_decides_the_outcome(
    kind: IncidentKind, outcome: Outcome, method: ProofMethod | None
) -> None:
    incident = Incident(
        kind=kind, stage="tracing the network", limit=LimitName.CALL_WALL, limit_value="60 s"
    )
    verdict = judged(evidence_of(None, method, graph_incident=incident))
    assert (verdict.outcome, verdict.fraction) == (outcome, 0.0)


def test_what_is_no_model_is_the_students_side() -> None:
    builds = (
        BuildTrial(arguments={"num_actions": 4}, returned="list"),
        BuildTrial(arguments={"num_actions": 6}, is_model=True),
    )
    verdict = judged(evidence_of(None, None, builds=builds))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.NOT_A_MODEL])


@pytest.mark.parametrize("method", [None, ProofMethod.REBUILT])
def test_evidence_that_is_absent_is_a_fault(method: ProofMethod | None) -> None:
    assert judged(evidence_of(None, method)).outcome is Outcome.FAULT


def test_an_input_that_is_refused_fails_with_the_reason() -> None:
    refused = Incident(kind=IncidentKind.RAISED, stage="calling the model", message="bad shape")
    evidence = evidence_of(None, None, input_shapes=(), rejected_inputs=(refused, refused))
    verdict = judged(evidence)
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.INPUT_REFUSED])


def test_a_builder_that_is_not_there_fails() -> None:
    missing = Unresolved(role="builder", accepted=("create_q_model",), available=("model",))
    assert judged(evidence_of(None, None, unresolved=(missing,))).outcome is Outcome.FAILED


def test_a_limit_without_a_line_of_its_own_is_told_at_the_builder() -> None:
    slow = Incident(
        kind=IncidentKind.LIMIT, stage="calling the network", limit=LimitName.CALL_CPU,
        limit_value="10 s",
    )  # fmt: skip
    evidence = evidence_of(None, ProofMethod.NONE)
    for changes in ({"proof": None, "graph_incident": slow}, {"graph_incident": slow}):
        changed = evidence.model_copy(update=changes)
        finding = next(each for each in judged(changed).findings if each.code == "GR202")
        assert finding.where == evidence.place("builder")
