"""How each kind of incident is told, and what it does to a check."""

from __future__ import annotations

from enum import StrEnum

import pytest

from grader.checks.advice.codes import SourceCode
from grader.checks.incidents import (
    SIGNATURE_ERROR,
    GeneralCode,
    incident_finding,
    incident_outcome,
    incident_verdict,
)
from grader.records.incident import Frame, Incident, IncidentKind, LimitName
from grader.records.result import Finding, Outcome, Severity

FRAMES = (
    Frame(file="agent.py", line=40, function="act"),
    Frame(file="network.py", line=7, function="forward"),
)


def raised(error_type: str, stage: str = "calling act (step 2)") -> Incident:
    return Incident(
        kind=IncidentKind.RAISED,
        stage=stage,
        error_type=error_type,
        message="what it said",
        frames=FRAMES,
    )


@pytest.mark.parametrize(
    ("incident", "code"),
    [
        (raised("SyntaxError", "importing agent.py"), GeneralCode.SYNTAX_ERROR),
        (raised("IndentationError", "importing agent.py"), SourceCode.INDENTATION),
        (raised("TabError", "importing agent.py"), SourceCode.TABS),
        (raised("ModuleNotFoundError", "importing agent.py"), GeneralCode.MODULE_NOT_FOUND),
        (raised("ImportError", "importing agent.py"), GeneralCode.MODULE_NOT_FOUND),
        (raised("ValueError", "importing agent.py"), GeneralCode.IMPORT_RAISED),
        (raised(SIGNATURE_ERROR), GeneralCode.SIGNATURE),
        (raised("ValueError"), GeneralCode.RAISED),
        (raised("ModuleNotFoundError"), GeneralCode.RAISED),
        (Incident(kind=IncidentKind.MISSING_FILE, stage="agent.py"), GeneralCode.MISSING_FILE),
        (Incident(kind=IncidentKind.REFUSED, stage="reading"), GeneralCode.REFUSED),
        (Incident(kind=IncidentKind.EXITED, stage="calling act"), GeneralCode.EXITED),
        (Incident(kind=IncidentKind.PROTOCOL, stage="calling act"), GeneralCode.UNREADABLE),
        (Incident(kind=IncidentKind.FAULT, stage="calling act"), GeneralCode.FAULT),
    ],
)
def test_each_incident_has_its_code(incident: Incident, code: StrEnum) -> None:
    finding = incident_finding(incident)
    assert (finding.code, finding.severity) == (code, Severity.ERROR)


SHARED = {LimitName.DATA: GeneralCode.MEMORY, LimitName.SCRATCH_FILES: GeneralCode.SCRATCH}
"""Limits that are told with another one's code."""


@pytest.mark.parametrize("limit", list(LimitName))
def test_each_limit_is_told_by_name_with_its_value_and_advice(limit: LimitName) -> None:
    incident = Incident(
        kind=IncidentKind.LIMIT, stage="calling act", limit=limit, limit_value="7 units"
    )
    finding = incident_finding(incident)
    assert finding.code == SHARED.get(limit, GeneralCode.__members__.get(limit.name))
    assert finding.expected == f"at most 7 units ({limit.value})"
    assert finding.claim.endswith("while calling act.")
    assert finding.try_


def test_the_place_is_the_innermost_line_of_the_students_files() -> None:
    assert incident_finding(raised("ValueError")).where == "network.py:7"


def test_what_has_no_line_of_its_own_is_told_where_it_was_called() -> None:
    exited = Incident(kind=IncidentKind.EXITED, stage="calling act")
    assert incident_finding(exited).where is None
    assert incident_finding(exited, "agent.py:4").where == "agent.py:4"
    assert incident_finding(raised("ValueError"), "agent.py:4").where == "network.py:7"
    importing = exited.model_copy(update={"stage": "importing agent.py"})
    assert incident_finding(importing).where == "agent.py"


def test_arguments_that_do_not_fit_are_told_without_a_name_of_ours() -> None:
    finding = incident_finding(raised(SIGNATURE_ERROR))
    assert finding.received == "what it said"
    assert "default value" in (finding.try_ or "")


def test_a_failed_import_does_not_name_the_machines_folders() -> None:
    incident = raised("ImportError", "importing agent.py").model_copy(
        update={"message": "cannot import name 'x' from 'keras' (/usr/lib/keras/__init__.py)"}
    )
    received = incident_finding(incident).received
    assert received == "ImportError: cannot import name 'x' from 'keras'"


def test_the_exception_is_what_was_received() -> None:
    assert incident_finding(raised("ValueError")).received == "ValueError: what it said"


@pytest.mark.parametrize(
    ("incident", "outcome"),
    [
        (raised("ValueError"), Outcome.FAILED),
        (raised("ValueError", "importing agent.py"), Outcome.INVALID),
        (Incident(kind=IncidentKind.MISSING_FILE, stage="agent.py"), Outcome.INVALID),
        (Incident(kind=IncidentKind.REFUSED, stage="reading"), Outcome.INVALID),
        (Incident(kind=IncidentKind.EXITED, stage="calling act"), Outcome.INVALID),
        (Incident(kind=IncidentKind.PROTOCOL, stage="calling act"), Outcome.INVALID),
        (
            Incident(kind=IncidentKind.LIMIT, stage="calling act", limit=LimitName.MEMORY),
            Outcome.INVALID,
        ),
        (Incident(kind=IncidentKind.FAULT, stage="calling act"), Outcome.FAULT),
    ],
)
def test_each_incident_has_its_outcome_and_none_earns_points(
    incident: Incident, outcome: Outcome
) -> None:
    assert incident_outcome(incident) is outcome
    verdict = incident_verdict(incident)
    assert (verdict.outcome, verdict.fraction) == (outcome, 0.0)


def test_further_findings_follow_the_incident() -> None:
    further = Finding(code="XX100", severity=Severity.NOTE, claim="More.")
    verdict = incident_verdict(raised("ValueError"), further)
    assert [finding.code for finding in verdict.findings] == ["GR108", "XX100"]


def test_what_is_wrong_with_an_answer_is_told_in_a_sentence() -> None:
    incident = Incident(
        kind=IncidentKind.PROTOCOL, stage="calling it",
        message="the network's output is not an array",
    )  # fmt: skip
    finding = incident_finding(incident)
    assert finding.claim == (
        "No proper answer came back while calling it: the network's output is not an array."
    )
    assert finding.received is None


def test_a_name_that_a_line_left_out_would_set_is_told_with_that_line() -> None:
    message = "name 'HID' is not defined; line 4 of work.py, which sets it, was left out"
    incident = raised("NameError").model_copy(update={"message": message})
    finding = incident_finding(incident)
    assert finding.code == SourceCode.LEFT_OUT_NAME
    assert "line 4 of work.py" in (finding.received or "")
    assert "PY201" in (finding.try_ or "")
    assert incident_finding(raised("NameError")).code == "RT114"
