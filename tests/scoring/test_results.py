"""Dependencies between checks, points, and the status of the whole."""

from __future__ import annotations

from typing import Any

import pytest

from grader.records.report import ReportStatus, SeedSet, SubmissionRef
from grader.records.result import Outcome, Verdict
from grader.records.spec import Assignment, Isolation
from grader.scoring.report import build_report
from grader.scoring.results import results_of, selected_checks


def assignment(**checks: dict[str, Any]) -> Assignment:
    return Assignment.parse(
        {
            "id": "course",
            "title": "Course",
            "seeds": {"public": [1], "final": [2]},
            "parts": {
                "part": {
                    "title": "Part",
                    "kind": "function",
                    "file": "part.py",
                    "checks": {
                        name: {"title": name, "points": 10, **more} for name, more in checks.items()
                    },
                }
            },
        }
    )


def judge_by(verdicts: dict[str, tuple[Outcome, float]]) -> Any:
    def judge(part_id: str, name: str) -> Verdict:
        outcome, fraction = verdicts[name]
        return Verdict(outcome=outcome, fraction=fraction)

    return judge


def outcomes(course: Assignment, verdicts: dict[str, tuple[Outcome, float]], **more: Any) -> Any:
    selected = selected_checks(course, public_only=False)
    results = results_of(course, selected, judge_by(verdicts), **more)
    return {result.id.removeprefix("part."): result.outcome for result in results}


@pytest.mark.parametrize("reason", [Outcome.FAILED, Outcome.PARTIAL, Outcome.INVALID])
def test_check_is_skipped_when_what_it_requires_did_not_pass(reason: Outcome) -> None:
    course = assignment(first={}, second={"requires": ["part.first"]})
    found = outcomes(course, {"first": (reason, 0.5), "second": (Outcome.PASSED, 1.0)})
    assert found == {"first": reason, "second": Outcome.SKIPPED}


def test_check_is_judged_when_what_it_requires_opens_it() -> None:
    course = assignment(first={}, second={"requires": ["part.first"]})

    def judge(part_id: str, name: str) -> Verdict:
        if name == "first":
            return Verdict(outcome=Outcome.PARTIAL, fraction=0.5, opens=True)
        return Verdict(outcome=Outcome.PASSED, fraction=1.0)

    results = results_of(course, selected_checks(course, public_only=False), judge)
    assert [(result.outcome, result.points) for result in results] == [
        (Outcome.PARTIAL, 5.0),
        (Outcome.PASSED, 10.0),
    ]


def test_check_is_judged_when_what_it_requires_passed() -> None:
    course = assignment(first={}, second={"requires": ["part.first"]})
    found = outcomes(course, {"first": (Outcome.PASSED, 1.0), "second": (Outcome.FAILED, 0.0)})
    assert found["second"] is Outcome.FAILED


def test_requirements_are_judged_first_whatever_the_order_of_the_report() -> None:
    course = assignment(
        last={"requires": ["part.middle"]}, middle={"requires": ["part.first"]}, first={}
    )
    verdicts = {
        "first": (Outcome.FAILED, 0.0),
        "middle": (Outcome.PASSED, 1.0),
        "last": (Outcome.PASSED, 1.0),
    }
    assert list(outcomes(course, verdicts).items()) == [
        ("last", Outcome.SKIPPED),
        ("middle", Outcome.SKIPPED),
        ("first", Outcome.FAILED),
    ]


def test_checks_of_a_part_that_could_not_be_loaded_are_invalid_not_skipped() -> None:
    course = assignment(first={}, second={"requires": ["part.first"]})
    verdicts = {"first": (Outcome.INVALID, 0.0), "second": (Outcome.INVALID, 0.0)}
    found = outcomes(course, verdicts, unloaded=frozenset({"part"}))
    assert found == {"first": Outcome.INVALID, "second": Outcome.INVALID}


def test_hidden_checks_are_left_out_of_a_self_check_and_count_as_met() -> None:
    course = assignment(
        secret={"visibility": "hidden"}, open={"requires": ["part.secret"], "visibility": "public"}
    )
    selected = selected_checks(course, public_only=True)
    assert selected == ("part.open",)
    (result,) = results_of(course, selected, judge_by({"open": (Outcome.PASSED, 1.0)}))
    assert result.outcome is Outcome.PASSED


def report_of(course: Assignment, verdicts: dict[str, tuple[Outcome, float]]) -> Any:
    selected = selected_checks(course, public_only=False)
    return build_report(
        course,
        "sha256:0",
        SubmissionRef(id="student", digest="sha256:0", files=()),
        results_of(course, selected, judge_by(verdicts)),
        seeds=SeedSet.FINAL,
        isolation=Isolation.PROCESS,
    )


def test_score_is_the_sum_of_points_to_two_places() -> None:
    course = assignment(first={}, second={})
    report = report_of(course, {"first": (Outcome.PARTIAL, 1 / 3), "second": (Outcome.PASSED, 1.0)})
    assert [result.points for result in report.results] == [3.33, 10.0]
    assert (report.score, report.max_score) == (13.33, 20.0)
    assert report.status is ReportStatus.GRADED


def test_one_fault_withholds_the_mark() -> None:
    course = assignment(first={}, second={})
    report = report_of(course, {"first": (Outcome.FAULT, 0.0), "second": (Outcome.PASSED, 1.0)})
    assert report.status is ReportStatus.WITHHELD
    assert report.score is None


def test_only_required_checks_decide_whether_a_report_is_complete() -> None:
    course = assignment(must={}, bonus={"required": False})
    bonus_missed = {"must": (Outcome.PASSED, 1.0), "bonus": (Outcome.FAILED, 0.0)}
    must_missed = {"must": (Outcome.PARTIAL, 0.9), "bonus": (Outcome.PASSED, 1.0)}
    assert report_of(course, bonus_missed).complete()
    assert not report_of(course, must_missed).complete()
