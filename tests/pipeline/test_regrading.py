"""Evidence that was kept is judged again, by another rubric, without running anything."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from grader.assignments.loader import LoadedAssignment, load_assignment
from grader.errors import GraderFault, UsageError
from grader.intake.discovery import Source
from grader.pipeline.batch import Batch, Observer, grade_batch
from grader.pipeline.files import EVIDENCE_FILE
from grader.pipeline.regrading import read_evidence, regrade
from grader.records.report import SeedSet

pytestmark = pytest.mark.usefixtures("one_server")

SAMPLES = Path(__file__).parents[2] / "submissions"
NAMES = ("agent_always_left", "convolution_kernel_flipped", "network_stride_wrong")


@pytest.fixture(scope="module")
def week13() -> LoadedAssignment:
    return load_assignment("week13")


@pytest.fixture
def graded(week13: LoadedAssignment, tmp_path: Path) -> Path:
    sources = tuple(Source(name, SAMPLES / name) for name in NAMES)
    batch = Batch(sources=sources, loaded=week13, seed_set=SeedSet.FINAL, out=tmp_path)
    outcome = grade_batch(batch, 1, Observer())
    assert not outcome.faults
    return tmp_path


def changed(week13: LoadedAssignment, part_id: str, **update: object) -> LoadedAssignment:
    part = week13.assignment.parts[part_id].model_copy(update=update)
    parts = {**week13.assignment.parts, part_id: part}
    assignment = week13.assignment.model_copy(update={"parts": parts})
    return LoadedAssignment(assignment, week13.baselines, "sha256:changed", week13.path)


def test_same_rubric_gives_the_same_bytes(week13: LoadedAssignment, graded: Path) -> None:
    files = [graded / name / file for name in NAMES for file in ("report.json", "report.html")]
    files += [graded / "index.html", graded / "grades.csv"]
    before = [file.read_bytes() for file in files]
    regrade(graded, week13)
    assert [file.read_bytes() for file in files] == before


def test_other_points_are_applied_without_running(
    week13: LoadedAssignment, graded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = week13.assignment.parts["network"].checks
    heavier = checks["architecture"].model_copy(update={"points": 120.0})
    rubric = changed(week13, "network", checks={**checks, "architecture": heavier})
    monkeypatch.setattr("subprocess.Popen", None)  # nothing may be started
    old = {name: (graded / name / "report.json").read_text() for name in NAMES}
    reports = {report.submission.id: report for report in regrade(graded, rubric)}
    (result,) = [
        result
        for result in reports["network_stride_wrong"].results
        if result.id == "network.architecture"
    ]
    assert result.max_points == 120
    assert result.points == pytest.approx(120 * (1 - 0.5 / 5.5), abs=0.01)
    assert (graded / "network_stride_wrong" / "report.json").read_text() != old[
        "network_stride_wrong"
    ]


def test_what_was_not_run_cannot_be_judged(week13: LoadedAssignment, graded: Path) -> None:
    settings = {**week13.assignment.parts["network"].settings, "num_actions": [3]}
    rubric = changed(week13, "network", settings=settings)
    before = (graded / NAMES[0] / "report.json").read_bytes()
    with pytest.raises(UsageError, match="grader grade"):
        regrade(graded, rubric)
    assert (graded / NAMES[0] / "report.json").read_bytes() == before


def test_damaged_evidence_is_told_and_changes_nothing(
    week13: LoadedAssignment, graded: Path
) -> None:
    before = (graded / NAMES[0] / "report.json").read_bytes()
    file = graded / NAMES[1] / EVIDENCE_FILE
    for damage in (b"not gzip", gzip.compress(b'{"schema_version": 1}'), gzip.compress(b"[")):
        file.write_bytes(damage)
        with pytest.raises(GraderFault, match=EVIDENCE_FILE):
            regrade(graded, week13)
        with pytest.raises(GraderFault):
            read_evidence(file)
    assert (graded / NAMES[0] / "report.json").read_bytes() == before


def test_folder_without_evidence_is_a_usage_error(week13: LoadedAssignment, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="grade first"):
        regrade(tmp_path, week13)
