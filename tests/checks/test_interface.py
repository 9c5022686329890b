"""What is missing is told with the nearest name, and outcomes follow from the share of points."""

from __future__ import annotations

from typing import Any

import pytest

from grader.checks.interface import graded, interface_verdict, passed, unresolved_finding
from grader.records.evidence import PartEvidence, Symbol, Unresolved
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Finding, Outcome, Severity
from grader.records.spec import Isolation

RAISED = Incident(kind=IncidentKind.RAISED, stage="making the agent", error_type="TypeError")


def evidence(**fields: Any) -> PartEvidence:
    return PartEvidence(
        part="agent", kind="agent", file="agent.py", isolation=Isolation.PROCESS, **fields
    )


def missing(*available: str, accepted: tuple[str, ...] = ("RandomAgent",)) -> Finding:
    unresolved = Unresolved(role="agent_class", accepted=accepted, available=available)
    return unresolved_finding(evidence(), unresolved)


def test_everything_there_has_no_verdict() -> None:
    assert interface_verdict(evidence()) is None


@pytest.mark.parametrize("near", ["randomAgent", "RandomAgnet", "Random_Agent"])
def test_a_similar_name_is_offered(near: str) -> None:
    finding = missing("numpy", near)
    assert finding.code == "GR105"
    assert finding.try_ == f"Rename `{near}` to `RandomAgent`."


def test_without_a_similar_name_it_is_to_be_defined() -> None:
    finding = missing("Policy")
    assert finding.try_ == "Define `RandomAgent`."
    assert finding.received == "the names `Policy`"
    assert missing().received == "no public name at all"


def test_a_missing_method_is_told_with_its_class() -> None:
    owner = Symbol(role="agent_class", name="RandomAgent", line=7, parameters=())
    unresolved = Unresolved(role="act", accepted=("act", "predict"), available=("move",))
    finding = unresolved_finding(evidence(symbols=(owner,)), unresolved)
    assert finding.claim == "`RandomAgent` has no method `act`."
    assert finding.where == "agent.py:7"
    assert finding.try_ == "Define `act` in the class `RandomAgent`."


def test_what_cannot_be_made_is_told_at_its_class() -> None:
    owner = Symbol(role="agent_class", name="RandomAgent", line=7, parameters=())
    verdict = interface_verdict(evidence(symbols=(owner,), construction=RAISED))
    assert verdict is not None
    assert verdict.findings[0].where == "agent.py:7"


def test_all_accepted_names_are_told() -> None:
    assert missing(accepted=("act", "predict")).expected == "one of `act`, `predict`"
    assert missing(accepted=("act",)).expected == "`act`"


def test_a_name_of_the_wrong_kind_is_told_as_such() -> None:
    unresolved = Unresolved(
        role="builder", accepted=("create_q_model",), available=(), wrong_kind="a number"
    )
    finding = unresolved_finding(evidence(), unresolved)
    assert (finding.code, finding.received) == ("GR106", "a number")
    assert finding.expected == "a builder named `create_q_model`"


def test_every_missing_name_is_told() -> None:
    names = tuple(
        Unresolved(role=role, accepted=(role,), available=()) for role in ("loss", "step")
    )
    verdict = interface_verdict(evidence(unresolved=names))
    assert verdict is not None
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert [finding.claim for finding in verdict.findings] == [
        "`loss` is not defined.",
        "`step` is not defined.",
    ]


def test_what_cannot_be_made_is_told_as_the_incident_it_is() -> None:
    verdict = interface_verdict(evidence(construction=RAISED))
    assert verdict is not None
    assert (verdict.outcome, verdict.findings[0].code) == (Outcome.FAILED, "GR108")


@pytest.mark.parametrize(
    ("share", "outcome", "fraction"),
    [
        (1.0, Outcome.PASSED, 1.0),
        (1.7, Outcome.PASSED, 1.0),
        (0.999, Outcome.PARTIAL, 0.999),
        (0.001, Outcome.PARTIAL, 0.001),
        (0.0, Outcome.FAILED, 0.0),
        (-0.4, Outcome.FAILED, 0.0),
    ],
)
def test_the_outcome_follows_from_the_share(
    share: float, outcome: Outcome, fraction: float
) -> None:
    verdict = graded(share, ())
    assert (verdict.outcome, verdict.fraction) == (outcome, fraction)


def test_a_passed_check_can_have_something_to_say() -> None:
    note = Finding(code="XX100", severity=Severity.NOTE, claim="Good to know.")
    verdict = passed(note)
    assert (verdict.outcome, verdict.fraction, verdict.findings) == (Outcome.PASSED, 1.0, (note,))
