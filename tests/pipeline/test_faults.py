"""A failure of ours withholds marks; it never becomes points, a zero, or the others' loss."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
from pathlib import Path
from typing import Any

import pytest

from grader.assignments.loader import LoadedAssignment, load_assignment
from grader.assignments.registry import CheckKind, JudgeInput
from grader.errors import GraderFault
from grader.intake.discovery import Source
from grader.pipeline import batch as batch_module
from grader.pipeline import grading, judging
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


class Killed:
    """Three submissions: one loses its fork server once, the next one twice, the last one never."""

    NAMES = ("convolution_kernel_flipped", "convolution_loops", "convolution_vectorised")

    def __init__(self, out: Path) -> None:
        self.out = out
        self.servers: list[ForkServer] = []
        self._kills = {self.NAMES[0]: 1, self.NAMES[1]: 2}

    def grade(self, loaded: LoadedAssignment) -> None:
        observer = Observer(part=self._part)
        self.outcome = run(loaded, self.out, *self.NAMES, observer=observer)
        self.reports = {report.submission.id: report for report in self.outcome.reports}

    def start(self, _level: object) -> ForkServer:
        self.servers.append(ForkServer())
        return self.servers[-1]

    def _part(self, submission: str, part_id: str) -> None:
        if part_id == "convolution" and self._kills.get(submission, 0) > 0:
            self._kills[submission] -= 1
            os.kill(self.servers[-1].pid, signal.SIGKILL)

    def timings(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / name / "timings.json").read_text())
        return found


@pytest.fixture(scope="module")
def killed(small: LoadedAssignment, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    made = Killed(tmp_path_factory.mktemp("killed"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_module, "best_source", made.start)
        made.grade(small)
    return made


def test_submission_that_lost_its_fork_server_is_run_once_more_by_a_fresh_one(
    killed: Killed,
) -> None:
    name = Killed.NAMES[0]
    assert killed.reports[name].status is ReportStatus.GRADED
    (reason,) = killed.timings(name)["retries"]
    assert "fork server" in reason
    assert "fork server" not in (killed.out / name / "report.json").read_text()
    assert "retries" not in killed.timings(Killed.NAMES[2])


def test_fork_server_lost_twice_withholds_one_mark_and_the_others_are_graded(
    killed: Killed,
) -> None:
    lost, last = (killed.reports[name] for name in Killed.NAMES[1:])
    assert lost.status is ReportStatus.WITHHELD
    assert outcomes_of(lost, "convolution") == {Outcome.FAULT}
    assert (last.status, last.score) == (ReportStatus.GRADED, 10.0)
    assert len(killed.servers) == 4
    (fault,) = killed.outcome.faults
    assert fault.startswith(f"{Killed.NAMES[1]}: ")
    assert exit_code(killed.outcome, killed.outcome.reports) == 3


def test_machine_that_starts_no_worker_withholds_all_marks_and_gives_up_trying(
    small: LoadedAssignment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tries: list[object] = []

    def start(level: object) -> ForkServer:
        tries.append(level)
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(batch_module, "best_source", start)
    names = sorted(folder.name for folder in SAMPLES.glob("convolution_*"))[:8]
    outcome = run(small, tmp_path, *names)
    assert [report.status for report in outcome.reports] == [ReportStatus.WITHHELD] * 8
    assert len(outcome.faults) == 8
    assert all("Resource temporarily unavailable" in fault for fault in outcome.faults)
    assert len(tries) == 6
    rows = (tmp_path / "grades.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[2] for row in rows] == [",50.0,withheld"] * 8


@pytest.mark.usefixtures("one_server")
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


@pytest.mark.usefixtures("one_server")
def test_submission_this_machine_cannot_read_is_withheld(
    week13: LoadedAssignment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = grading.take_in

    def failing(source: Source, assignment: Any) -> Any:
        if source.id == "convolution_loops":
            raise GraderFault("the disk does not answer")
        return real(source, assignment)

    monkeypatch.setattr(grading, "take_in", failing)
    outcome = run(week13, tmp_path, "convolution_loops", "convolution_vectorised")
    first, second = outcome.reports
    assert first.status is ReportStatus.WITHHELD
    assert second.score == 10.0
    assert (tmp_path / "convolution_loops" / "report.html").exists()
    assert "convolution_loops,,100.0,withheld" in (tmp_path / "grades.csv").read_text()


@pytest.mark.usefixtures("one_server")
def test_report_that_cannot_be_written_is_told_and_the_others_are_kept(
    week13: LoadedAssignment, tmp_path: Path
) -> None:
    (tmp_path / "convolution_loops").write_text("a file where the folder should be")
    outcome = run(week13, tmp_path, "convolution_loops", "convolution_vectorised")
    assert [report.submission.id for report in outcome.reports] == ["convolution_vectorised"]
    assert len(outcome.faults) == 1
    assert "convolution_loops" in outcome.faults[0]
    assert exit_code(outcome, outcome.reports) == 3


@pytest.mark.usefixtures("one_server")
def test_file_that_does_not_fit_is_no_mark_and_is_written_when_there_is_room(
    course: Any, small: LoadedAssignment, tmp_path: Path
) -> None:
    course.grade(small)
    largest = max(len(content) for content in course.files().values())
    # Of what a part prints, 64 KiB are kept: three parts make a larger file than any so far.
    for work in course.hand_in("cleo", "convolution_loops", "agent_always_left").glob("*.py"):
        work.write_text("print('x' * 65_000)\n" + work.read_text())
    course.grade(small, tmp_path / "undisturbed")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 5_000, hard))
    try:
        outcome, _ = course.grade(small)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [report.submission.id for report in outcome.reports] == ["anna", "bela"]
    (fault,) = outcome.faults
    assert fault.startswith("cleo: ")
    assert "cannot be written" in fault
    assert exit_code(outcome, outcome.reports) == 3
    # The mark of her earlier work must not stand for this one.
    assert "cleo" not in (course.out / "grades.csv").read_text()
    assert not list(course.out.rglob("*.partial"))

    outcome, ran = course.grade(small)
    assert (outcome.faults, {submission for submission, _ in ran}) == ([], {"cleo"})
    assert course.files() == course.files(tmp_path / "undisturbed")


@pytest.mark.usefixtures("one_server")
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
