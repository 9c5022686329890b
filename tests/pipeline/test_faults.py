"""A failure of ours withholds marks; it never becomes points, a zero, or the others' loss."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from grader.assignments.loader import LoadedAssignment, load_assignment
from grader.assignments.registry import CheckKind, JudgeInput
from grader.errors import GraderFault
from grader.intake.discovery import Source
from grader.pipeline import batch as batch_module
from grader.pipeline import judging
from grader.pipeline.batch import Batch, Observer, exit_code, grade_batch
from grader.records.report import GradeReport, ReportStatus, SeedSet
from grader.records.result import Outcome
from grader.sandbox.server import ForkServer

SAMPLES = Path(__file__).parents[2] / "submissions"


@pytest.fixture(scope="module")
def week13() -> LoadedAssignment:
    return load_assignment("week13")


def sources(*names: str) -> tuple[Source, ...]:
    return tuple(Source(name, SAMPLES / name) for name in names)


def run(
    loaded: LoadedAssignment, out: Path | None, *names: str, observer: Observer | None = None
) -> Any:
    batch = Batch(sources=sources(*names), loaded=loaded, seed_set=SeedSet.FINAL, out=out)
    return grade_batch(batch, 1, observer or Observer())


def outcomes_of(report: GradeReport, part: str) -> set[Outcome]:
    return {result.outcome for result in report.of_part(part)}


def test_fork_server_killed_in_the_middle_withholds_one_mark_and_the_next_is_graded(
    week13: LoadedAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers: list[ForkServer] = []

    def started() -> ForkServer:
        servers.append(ForkServer())
        return servers[-1]

    monkeypatch.setattr(batch_module, "best_source", started)

    def part(submission: str, part_id: str) -> None:
        if (submission, part_id) == ("convolution_loops", "convolution"):
            os.kill(servers[-1].pid, signal.SIGKILL)

    outcome = run(
        week13,
        None,
        "convolution_loops",
        "convolution_vectorised",
        observer=Observer(part=part),
    )
    first, second = outcome.reports
    assert first.status is ReportStatus.WITHHELD
    assert outcomes_of(first, "convolution") == {Outcome.FAULT}
    assert (second.status, second.score) == (ReportStatus.GRADED, 10.0)
    assert exit_code(outcome, outcome.reports) == 3


def test_mistake_in_a_judge_withholds_the_mark(
    week13: LoadedAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = judging.check_kind

    def broken(given: JudgeInput) -> Any:
        raise ZeroDivisionError("a mistake of ours")

    def kind(name: str) -> CheckKind:
        found = real(name)
        if name != "function.values":
            return found
        return CheckKind(found.id, found.settings, broken, found.description)

    monkeypatch.setattr(judging, "check_kind", kind)
    (report,) = run(week13, None, "convolution_loops").reports
    assert report.status is ReportStatus.WITHHELD
    (values,) = [result for result in report.results if result.id == "convolution.values"]
    assert values.outcome is Outcome.FAULT
    assert [finding.code for finding in values.findings] == ["GR401"]
    assert "ZeroDivisionError" in (values.findings[0].received or "")


def test_submission_this_machine_cannot_read_is_withheld(
    week13: LoadedAssignment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = batch_module.take_in

    def failing(source: Source, assignment: Any) -> Any:
        if source.id == "convolution_loops":
            raise GraderFault("the disk does not answer")
        return real(source, assignment)

    monkeypatch.setattr(batch_module, "take_in", failing)
    outcome = run(week13, tmp_path, "convolution_loops", "convolution_vectorised")
    first, second = outcome.reports
    assert first.status is ReportStatus.WITHHELD
    assert second.score == 10.0
    assert (tmp_path / "convolution_loops" / "report.html").exists()
    assert "convolution_loops,,100.0,withheld" in (tmp_path / "grades.csv").read_text()


def test_report_that_cannot_be_written_is_told_and_the_others_are_kept(
    week13: LoadedAssignment, tmp_path: Path
) -> None:
    (tmp_path / "convolution_loops").write_text("a file where the folder should be")
    outcome = run(week13, tmp_path, "convolution_loops", "convolution_vectorised")
    assert [report.submission.id for report in outcome.reports] == ["convolution_vectorised"]
    assert len(outcome.faults) == 1
    assert "convolution_loops" in outcome.faults[0]
    assert exit_code(outcome, outcome.reports) == 3


def test_episodes_without_a_fitting_baseline_are_a_fault(week13: LoadedAssignment) -> None:
    assert week13.baselines is not None
    part = week13.baselines.parts["agent"]
    wrong = part.model_copy(
        update={"final": part.final.model_copy(update={"seeds": part.final.seeds[::-1]})}
    )
    baselines = week13.baselines.model_copy(update={"parts": {"agent": wrong}})
    loaded = LoadedAssignment(week13.assignment, baselines, week13.digest, week13.path)
    (report,) = run(loaded, None, "agent_always_left").reports
    assert report.status is ReportStatus.WITHHELD
    (performance,) = [r for r in report.results if r.id == "agent.performance"]
    assert performance.outcome is Outcome.FAULT
