"""What the source text shows is told as a warning; a script costs half of the interface."""

from __future__ import annotations

from typing import Any

import pytest

from grader.checks.advice.notes import load_findings, with_source_notes
from grader.records.evidence import PartEvidence
from grader.records.incident import Frame, Incident, IncidentKind, LimitName
from grader.records.result import Finding, Outcome, Severity, Verdict
from grader.records.source import HintKind, LeftOut, SourceHint
from grader.records.spec import Isolation

PASSED = Verdict(outcome=Outcome.PASSED, fraction=1.0)
LOOP = SourceHint(kind=HintKind.LOOPS, line=9, text="for episode in range(9):")
LEFT_OUT = (
    LeftOut(first_line=7, last_line=7, text="env = make()"),
    LeftOut(first_line=9, last_line=12, text="for episode in range(9):"),
)
LOOPED = Incident(
    kind=IncidentKind.LIMIT, stage="importing agent.py", limit=LimitName.CALL_CPU,
    limit_value="10 s",
)  # fmt: skip
RAISED = Incident(
    kind=IncidentKind.RAISED, stage="importing agent.py", error_type="NameError",
    message="name 'x' is not defined",
    frames=(Frame(file="agent.py", line=7, function="<module>"),),
)  # fmt: skip


def evidence(*hints: SourceHint, **fields: Any) -> PartEvidence:
    return PartEvidence(
        part="agent", kind="agent", file="agent.py", isolation=Isolation.PROCESS, hints=hints,
        **fields,
    )  # fmt: skip


def noted(*hints: SourceHint, verdict: Verdict = PASSED, **fields: Any) -> tuple[Finding, ...]:
    told = with_source_notes(verdict, evidence(*hints, **fields), check="agent.interface")
    assert (told.outcome, told.fraction, told.opens) == (verdict.outcome, verdict.fraction, False)
    return told.findings


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (HintKind.OLD_ARGUMENT, "lr", "KR127"),
        (HintKind.OLD_ARGUMENT, "nb_row", "KR103"),
        (HintKind.OLD_CALL, "fit_generator", "KR123"),
        (HintKind.OLD_CALL, "tf.Session", "KR301"),
        (HintKind.OLD_CALL, "tf.gradients", "KR305"),
        (HintKind.OLD_IMPORT, "keras.layers.convolutional", "KR201"),
        (HintKind.OLD_IMPORT, "keras.layers.CuDNNLSTM", "KR208"),
        (HintKind.OLD_IMPORT, "gym", "IM101"),
        (HintKind.KERNEL_NUMBERS, "Conv2D(32, 8, 8)", "KR104"),
        (HintKind.LATER_INPUT_SHAPE, "Dense", "KE109"),
        (HintKind.TRAINS, "model.fit(x, y)", "PY202"),
        (HintKind.PLAYS, "env.step(0)", "PY202"),
        (HintKind.LOOPS, "for i in range(3):", "PY202"),
        (HintKind.SHOWS_WINDOW, "plt.show()", "PY203"),
        (HintKind.READS_INPUT, "input()", "PY204"),
        (HintKind.DOWNLOADS, "load_data()", "PY205"),
        (HintKind.SHADOWS, "random.py", "IM110"),
        (HintKind.ABSOLUTE_PATH, "C:/Users/me/w.npy", "IM203"),
    ],
)
def test_a_hint_is_a_warning_that_costs_nothing(kind: HintKind, text: str, code: str) -> None:
    (finding,) = noted(SourceHint(kind=kind, line=4, text=text))
    assert (finding.code, finding.severity) == (code, Severity.WARNING)
    assert finding.where == "agent.py:4"
    assert text in (finding.received or "")
    assert finding.try_


def test_every_kind_of_hint_can_be_told() -> None:
    texts = {
        HintKind.OLD_ARGUMENT: "lr", HintKind.OLD_CALL: "to_yaml", HintKind.OLD_IMPORT: "gym",
        HintKind.OLD_GYM: "env.seed(1)",
    }  # fmt: skip
    for kind in HintKind:
        assert noted(SourceHint(kind=kind, line=1, text=texts.get(kind, "text")))


def test_several_lines_are_one_warning() -> None:
    hints = [SourceHint(kind=HintKind.OLD_ARGUMENT, line=n, text="lr") for n in range(1, 9)]
    (finding,) = noted(*hints)
    assert finding.received == "`lr` (and on the lines 1, 2, 3, 4, 5 and more)"


def test_a_hint_that_leads_to_nothing_is_not_told() -> None:
    assert noted(SourceHint(kind=HintKind.OLD_ARGUMENT, line=1, text="forged")) == ()
    assert noted(SourceHint(kind=HintKind.OLD_CALL, line=1, text="forged")) == ()


def test_what_did_not_pass_has_its_own_cause() -> None:
    failed = Verdict(outcome=Outcome.FAILED, fraction=0.0)
    assert noted(LOOP, verdict=failed) == ()


def test_a_script_costs_half_of_the_interface_and_lets_the_rest_be_judged() -> None:
    told = with_source_notes(
        PASSED, evidence(LOOP, script=LOOPED, left_out=LEFT_OUT), check="agent.interface"
    )
    assert (told.outcome, told.fraction, told.opens) == (Outcome.PARTIAL, 0.5, True)
    limit, script = told.findings
    assert (limit.code, limit.where) == ("GR202", "agent.py:9")
    assert (script.code, script.where) == ("PY201", "agent.py:7")
    assert script.received == (
        "not run: line 7 (`env = make()`), lines 9 to 12 (`for episode in range(9):`)"
    )


def test_a_script_costs_nothing_in_another_check() -> None:
    told = with_source_notes(
        PASSED, evidence(script=RAISED, left_out=LEFT_OUT), check="agent.performance"
    )
    assert (told.outcome, told.fraction) == (Outcome.PASSED, 1.0)
    assert [finding.code for finding in told.findings] == ["RT114", "PY201"]


def test_a_script_does_not_open_what_failed_for_another_reason() -> None:
    failed = Verdict(outcome=Outcome.FAILED, fraction=0.0)
    told = with_source_notes(
        failed, evidence(script=RAISED, left_out=LEFT_OUT), check="agent.interface"
    )
    assert (told.outcome, told.fraction, told.opens) == (Outcome.FAILED, 0.0, False)
    assert "PY201" in {finding.code for finding in told.findings}


def test_an_assignment_that_runs_definitions_only_takes_nothing_for_a_script() -> None:
    (finding,) = noted(LOOP, left_out=LEFT_OUT)
    assert (finding.code, finding.severity) == ("PY206", Severity.NOTE)


def test_a_limit_is_told_at_the_line_that_probably_hit_it() -> None:
    (finding,) = load_findings(evidence(LOOP, load=LOOPED))
    assert (finding.code, finding.where) == ("GR202", "agent.py:9")
    (without,) = load_findings(evidence(load=LOOPED))
    assert without.where == "agent.py"
    (own_line,) = load_findings(evidence(LOOP, load=RAISED))
    assert own_line.where == "agent.py:7"
    assert load_findings(evidence(LOOP)) == ()


def test_a_shadowed_package_is_told_with_the_import_that_fails() -> None:
    shadow = SourceHint(kind=HintKind.SHADOWS, line=1, text="random.py")
    findings = load_findings(evidence(LOOP, shadow, load=RAISED))
    assert [finding.code for finding in findings] == ["RT114", "IM110"]
