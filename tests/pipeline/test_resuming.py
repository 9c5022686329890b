"""What an earlier run has finished is kept; what has changed since is graded again, and no more."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.assignments.loader import LoadedAssignment
from grader.intake.discovery import Source, take_in
from grader.pipeline import journal as journal_module
from grader.pipeline.batch import Outcome
from grader.pipeline.files import EVIDENCE_FILE, PAGE_FILE, REPORT_FILE, TIMINGS_FILE
from grader.pipeline.journal import JOURNAL_FILE, Terms, read_entry
from grader.pipeline.regrading import regrade
from grader.pipeline.resuming import kept_report
from grader.pipeline.software import Software, software
from grader.records.report import ReportStatus, SeedSet
from grader.records.spec import Isolation
from grader.records.submission import Submission

pytestmark = pytest.mark.usefixtures("one_server")

Course = Any  # the class in conftest.py
EVERYTHING = [
    ("anna", "random_agent"), ("anna", "agent"), ("anna", "convolution"),
    ("bela", "random_agent"), ("bela", "agent"), ("bela", "convolution"),
    ("cleo", "random_agent"), ("cleo", "agent"), ("cleo", "convolution"),
]  # fmt: skip


def with_part(loaded: LoadedAssignment, part_id: str, **update: Any) -> LoadedAssignment:
    part = loaded.assignment.parts[part_id].model_copy(update=update)
    parts = {**loaded.assignment.parts, part_id: part}
    assignment = loaded.assignment.model_copy(update={"parts": parts})
    return replace(loaded, assignment=assignment, digest=f"sha256:other {part_id}")


def with_heavier(loaded: LoadedAssignment, part_id: str, check: str) -> LoadedAssignment:
    checks = loaded.assignment.parts[part_id].checks
    heavier = checks[check].model_copy(update={"points": 120.0})
    return with_part(loaded, part_id, checks={**checks, check: heavier})


def same_as_fresh(
    course: Course, loaded: LoadedAssignment, tmp_path: Path, name: str = "fresh"
) -> None:
    """What lies in the folder is what a run from nothing writes."""
    course.grade(loaded, tmp_path / name)
    fresh, resumed = course.files(tmp_path / name), course.files()
    assert resumed.keys() == fresh.keys()
    assert [name for name in fresh if fresh[name] != resumed[name]] == []


def told(outcome: Outcome) -> tuple[int, int]:
    assert outcome.faults == []
    return outcome.kept, outcome.judged_again


def test_unchanged_submissions_are_kept_without_starting_anything(
    course: Course, small: LoadedAssignment, no_server: Callable[[], None]
) -> None:
    first, ran = course.grade(small)
    assert ran == EVERYTHING
    assert told(first) == (0, 0)
    before = course.files()
    stamps = {file: file.stat().st_mtime_ns for file in course.out.glob("*/*")}
    no_server()
    second, ran = course.grade(small)
    assert ran == []
    assert told(second) == (3, 0)
    assert second.reports == first.reports
    assert course.files() == before
    assert {file: file.stat().st_mtime_ns for file in course.out.glob("*/*")} == stamps


def test_only_what_an_interrupted_run_has_not_finished_is_graded(
    course: Course, small: LoadedAssignment, tmp_path: Path
) -> None:
    course.grade(small)
    whole = course.files()
    # As a kill leaves it: one not begun, one with all files but the last, no class page.
    for file in (course.out / "bela").iterdir():
        file.unlink()
    (course.out / "bela").rmdir()
    (course.out / "cleo" / JOURNAL_FILE).unlink()
    (course.out / "cleo" / f".{REPORT_FILE}.partial").write_text("half")
    (course.out / ".index.html.partial").write_text("half")
    (course.out / "index.html").unlink()
    outcome, ran = course.grade(small)
    assert {submission for submission, _ in ran} == {"bela", "cleo"}
    assert told(outcome) == (1, 0)
    assert course.files() == whole


def test_changed_submission_is_graded_again_and_no_other(
    course: Course, small: LoadedAssignment, tmp_path: Path
) -> None:
    course.grade(small)
    course.hand_in("bela", "convolution_loops")
    outcome, ran = course.grade(small)
    assert {submission for submission, _ in ran} == {"bela"}
    assert told(outcome) == (2, 0)
    same_as_fresh(course, small, tmp_path)


def test_other_points_are_applied_to_kept_evidence(
    course: Course, small: LoadedAssignment, no_server: Callable[[], None], tmp_path: Path
) -> None:
    heavier = with_heavier(small, "convolution", "values")
    course.grade(heavier, tmp_path / "fresh")
    course.grade(small)
    no_server()
    outcome, ran = course.grade(heavier)
    assert ran == []
    assert told(outcome) == (0, 3)
    assert course.files() == course.files(tmp_path / "fresh")


def test_only_the_part_whose_settings_changed_is_run(
    course: Course, small: LoadedAssignment, tmp_path: Path
) -> None:
    course.grade(small)
    settings = {**small.assignment.parts["random_agent"].settings, "samples": 300}
    other = with_part(small, "random_agent", settings=settings)
    outcome, ran = course.grade(other)
    assert ran == [(name, "random_agent") for name in ("anna", "bela", "cleo")]
    assert told(outcome) == (0, 0)
    timings = json.loads((course.out / "anna" / TIMINGS_FILE).read_text())
    assert list(timings["parts"]) == list(small.assignment.parts)
    same_as_fresh(course, other, tmp_path)


def test_other_seeds_are_played_by_the_part_that_plays(
    course: Course, small: LoadedAssignment, tmp_path: Path
) -> None:
    assert small.baselines is not None
    course.grade(small)
    final = tuple(seed + 1_000_000 for seed in small.assignment.seeds.final)
    seeds = small.assignment.seeds.model_copy(update={"final": final})
    recorded = small.baselines.parts["agent"]
    episodes = recorded.final.model_copy(update={"seeds": final})
    baseline = recorded.model_copy(update={"final": episodes})
    other = replace(
        small,
        assignment=small.assignment.model_copy(update={"seeds": seeds}),
        baselines=small.baselines.model_copy(update={"parts": {"agent": baseline}}),
        digest="sha256:other seeds",
    )
    _, ran = course.grade(other)
    assert ran == [(name, "agent") for name in ("anna", "bela", "cleo")]
    same_as_fresh(course, other, tmp_path)


def test_part_that_is_new_is_run_and_one_that_is_gone_is_dropped(
    course: Course, small: LoadedAssignment, tmp_path: Path, no_server: Callable[[], None]
) -> None:
    parts = small.assignment.parts
    two = {"convolution": parts["convolution"], "agent": parts["agent"]}
    fewer = replace(
        small, assignment=small.assignment.model_copy(update={"parts": two}), digest="sha256:two"
    )
    course.grade(fewer, tmp_path / "fewer")
    course.grade(fewer)
    _, ran = course.grade(small)
    assert {part for _, part in ran} == {"random_agent"}
    same_as_fresh(course, small, tmp_path)
    no_server()
    course.grade(fewer)
    assert course.files() == course.files(tmp_path / "fewer")


@pytest.mark.parametrize(
    ("file", "damage", "runs"),
    [
        (REPORT_FILE, "gone", False),
        (REPORT_FILE, "torn", False),
        (REPORT_FILE, "edited", False),
        (PAGE_FILE, "gone", False),
        (PAGE_FILE, "torn", False),
        (PAGE_FILE, "edited", False),
        (TIMINGS_FILE, "gone", False),
        (EVIDENCE_FILE, "gone", True),
        (EVIDENCE_FILE, "torn", True),
        (EVIDENCE_FILE, "edited", True),
        (JOURNAL_FILE, "gone", True),
        (JOURNAL_FILE, "torn", True),
    ],
)
def test_damaged_files_are_noticed_and_made_again(
    course: Course, small: LoadedAssignment, file: str, damage: str, runs: bool
) -> None:
    course.grade(small)
    before = course.files()
    damaged = course.out / "bela" / file
    content = damaged.read_bytes()
    if damage == "gone":
        damaged.unlink()
    elif damage == "torn":
        damaged.write_bytes(content[: len(content) // 2])
    else:
        where = len(content) // 3
        damaged.write_bytes(content[:where] + b"7" + content[where + 1 :] + b" ")
    outcome, ran = course.grade(small)
    assert {submission for submission, _ in ran} == ({"bela"} if runs else set())
    assert told(outcome) == (2, 0 if runs else 1)
    assert course.files() == before


@pytest.mark.parametrize(
    "field", ["submission", "work", "assignment", "seeds", "public_only", "running", "judging"]
)
def test_entry_of_something_else_is_not_taken(
    course: Course, small: LoadedAssignment, field: str
) -> None:
    course.grade(small)
    file = course.out / "bela" / JOURNAL_FILE
    entry = json.loads(file.read_text())
    other = {"seeds": "public", "public_only": True}.get(field, "sha256:of something else")
    file.write_text(json.dumps({**entry, field: other}))
    outcome, _ = course.grade(small)
    assert outcome.kept == 2
    assert json.loads(file.read_text()) == entry


def test_report_with_another_mark_in_it_does_not_count(
    course: Course, small: LoadedAssignment
) -> None:
    first, _ = course.grade(small)
    file = course.out / "bela" / REPORT_FILE
    report = json.loads(file.read_text())
    file.write_text(json.dumps({**report, "score": report["max_score"]}))
    again, _ = course.grade(small)
    assert again.reports == first.reports


def test_grading_one_of_them_leaves_a_changed_report_out_of_the_class_and_tells(
    course: Course, small: LoadedAssignment
) -> None:
    course.grade(small)
    page = course.out / "cleo" / PAGE_FILE
    page.write_text(page.read_text() + " ")
    for file in (course.handed_in / "cleo").iterdir():
        file.unlink()
    (course.handed_in / "cleo").rmdir()
    outcome, _ = course.grade(small)
    assert outcome.left_out == ("cleo",)
    assert "cleo" not in (course.out / "grades.csv").read_text()


def test_other_software_that_runs_grades_all_again_and_other_that_judges_runs_nothing(
    course: Course, small: LoadedAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.grade(small)
    judging = Software(software().running, "sha256:other rules")
    monkeypatch.setattr(journal_module, "software", lambda: judging)
    outcome, ran = course.grade(small)
    assert (ran, told(outcome)) == ([], (0, 3))
    running = Software("sha256:other probes", "sha256:other rules and probes")
    monkeypatch.setattr(journal_module, "software", lambda: running)
    outcome, ran = course.grade(small)
    assert (ran, told(outcome)) == (EVERYTHING, (0, 0))
    outcome, ran = course.grade(small)
    assert (ran, told(outcome)) == ([], (3, 0))


def test_fresh_grades_everything(course: Course, small: LoadedAssignment) -> None:
    course.grade(small)
    before = course.files()
    outcome, ran = course.grade(small, fresh=True)
    assert (ran, told(outcome)) == (EVERYTHING, (0, 0))
    assert course.files() == before


def test_withheld_mark_is_tried_again(
    course: Course, small: LoadedAssignment, no_server: Callable[[], None]
) -> None:
    assert small.baselines is not None
    nothing_recorded = replace(
        small,
        baselines=small.baselines.model_copy(update={"parts": {}}),
    )
    first, _ = course.grade(nothing_recorded)
    assert [report.status for report in first.reports] == [
        ReportStatus.WITHHELD, ReportStatus.GRADED, ReportStatus.GRADED,
    ]  # fmt: skip
    outcome, ran = course.grade(small)
    assert {submission for submission, _ in ran} == {"anna"}
    assert {report.status for report in outcome.reports} == {ReportStatus.GRADED}


def test_refusal_for_another_reason_is_another_report(
    course: Course, small: LoadedAssignment, no_server: Callable[[], None]
) -> None:
    folder = course.handed_in / "bela"
    (folder / "link").symlink_to("nowhere")
    course.grade(small)
    first = (course.out / "bela" / REPORT_FILE).read_text()
    assert "link" in first
    (folder / "link").rename(folder / "pointer")
    outcome, _ = course.grade(small)
    assert outcome.kept == 2
    assert "pointer" in (course.out / "bela" / REPORT_FILE).read_text()
    no_server()
    assert told(course.grade(small)[0]) == (3, 0)


def test_mended_rubric_and_then_the_same_command_again(
    course: Course, small: LoadedAssignment, no_server: Callable[[], None]
) -> None:
    course.grade(small)
    heavier = with_heavier(small, "convolution", "values")
    regrade(course.out, heavier)
    regraded = course.files()
    no_server()
    assert told(course.grade(heavier)[0]) == (3, 0)
    assert course.files() == regraded


@pytest.fixture
def one_graded(course: Course, small: LoadedAssignment) -> tuple[Path, Submission, Isolation]:
    """A finished submission: its folder, its files, and the isolation its code ran in."""
    course.grade(small)
    folder = course.out / "bela"
    entry = read_entry(folder)
    assert entry is not None
    isolation = entry.parts["convolution"].isolation
    assert isolation is not None
    assert entry.parts["agent"].isolation is None  # there was nothing to run
    source = Source("bela", course.handed_in / "bela")
    return folder, take_in(source, small.assignment), isolation


def test_report_made_at_another_isolation_than_asked_for_does_not_hold(
    one_graded: tuple[Path, Submission, Isolation], small: LoadedAssignment
) -> None:
    folder, submission, isolation = one_graded
    holding = [
        level
        for level in Isolation
        if kept_report(folder, submission, Terms(small, SeedSet.FINAL, isolation=level))
    ]
    assert holding == [isolation]
    assert kept_report(folder, submission, Terms(small, SeedSet.FINAL)) is not None


def test_level_asked_for_by_name_is_not_taken_for_the_strongest(
    one_graded: tuple[Path, Submission, Isolation], small: LoadedAssignment
) -> None:
    folder, submission, _ = one_graded
    entry = read_entry(folder)
    assert entry is not None
    held = {}
    for level in Isolation:
        parts = {
            part_id: part.model_copy(update={"isolation": part.isolation and level})
            for part_id, part in entry.parts.items()
        }
        named = entry.model_copy(update={"asked_isolation": level, "parts": parts})
        (folder / JOURNAL_FILE).write_text(named.model_dump_json())
        held[level] = kept_report(folder, submission, Terms(small, SeedSet.FINAL)) is not None
    assert held == {Isolation.PROCESS: False, Isolation.RESTRICTED: False, Isolation.FULL: True}


def test_less_isolation_than_the_assignment_accepts_does_not_hold(
    one_graded: tuple[Path, Submission, Isolation], small: LoadedAssignment
) -> None:
    folder, submission, isolation = one_graded
    levels = list(Isolation)
    for level in levels:
        assignment = small.assignment.model_copy(update={"isolation": level})
        terms = Terms(replace(small, assignment=assignment), SeedSet.FINAL)
        holds = kept_report(folder, submission, terms) is not None
        assert holds == (levels.index(isolation) >= levels.index(level))


def test_evidence_of_another_level_is_not_mixed_with_what_is_run(
    course: Course, small: LoadedAssignment
) -> None:
    course.grade(small)
    folder = course.out / "anna"
    entry = json.loads((folder / JOURNAL_FILE).read_text())
    here = entry["parts"]["agent"]["isolation"]
    other = next(level.value for level in Isolation if level.value != here)
    evidence = gzip.decompress((folder / EVIDENCE_FILE).read_bytes()).decode()
    elsewhere = gzip.compress(
        evidence.replace(f'"isolation":"{here}"', f'"isolation":"{other}"').encode()
    )
    (folder / EVIDENCE_FILE).write_bytes(elsewhere)
    entry["files"][EVIDENCE_FILE] = hashlib.sha256(elsewhere).hexdigest()
    (folder / JOURNAL_FILE).write_text(json.dumps(entry))
    settings = {**small.assignment.parts["random_agent"].settings, "samples": 300}
    _, ran = course.grade(with_part(small, "random_agent", settings=settings))
    assert [part for submission, part in ran if submission == "anna"] == [
        "random_agent", "agent", "convolution",
    ]  # fmt: skip
    assert [part for submission, part in ran if submission == "bela"] == ["random_agent"]
