"""The model solution of a built-in network gets full marks, every sample what it is about.

A sample is a folder `tests/samples/<assignment>/<name>` in the shape of a submission, with an
`expected.toml` like those of the sample class in `submissions/`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignments.loader import builtin_ids, load_assignment
from grader.pipeline.collecting import collect
from grader.pipeline.judging import judge
from grader.records.report import GradeReport, SeedSet
from grader.records.result import Outcome, Severity
from grader.records.submission import Submission, SubmittedFile
from grader.sandbox.server import ForkServer

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference"
SAMPLES = ROOT / "tests" / "samples"
NETWORKS = [
    name
    for name in builtin_ids()
    if set(load_assignment(name, with_baselines=False).assignment.parts) == {"network"}
]
NAMES = sorted(str(file.parent.relative_to(SAMPLES)) for file in SAMPLES.glob("*/*/expected.toml"))

Grade = Callable[[str, Path], GradeReport]


@pytest.fixture
def grade(fork_server: ForkServer) -> Grade:
    """Grades the Python files of a folder."""

    def graded(assignment: str, folder: Path) -> GradeReport:
        loaded = load_assignment(assignment)
        files = tuple(
            SubmittedFile(path=file.name, content=file.read_bytes())
            for file in sorted(folder.glob("*.py"))
        )
        found = collect(
            Submission(id=folder.name, files=files),
            loaded,
            fork_server,
            seed_set=SeedSet.FINAL,
            parts=frozenset(loaded.assignment.parts),
        )
        return judge(found.evidence, loaded)

    return graded


@pytest.mark.parametrize("assignment", NETWORKS)
def test_a_model_solution_gets_full_marks_without_a_remark(assignment: str, grade: Grade) -> None:
    report = grade(assignment, REFERENCE / assignment)

    assert {result.outcome for result in report.results} == {Outcome.PASSED}
    assert report.score == report.max_score
    findings = [finding for result in report.results for finding in result.findings]
    assert [found for found in findings if found.severity is not Severity.NOTE] == []


@pytest.mark.parametrize("assignment", NETWORKS)
def test_points_add_up_to_a_round_number(assignment: str) -> None:
    checks = [
        check
        for part in load_assignment(assignment).assignment.parts.values()
        for check in part.checks.values()
    ]
    assert sum(check.points for check in checks) % 10 == 0


@pytest.mark.parametrize("assignment", NETWORKS)
def test_there_are_samples_of_both_kinds(assignment: str) -> None:
    expected = [
        tomllib.loads((SAMPLES / name / "expected.toml").read_text())
        for name in NAMES
        if name.startswith(f"{assignment}/")
    ]
    right = [each for each in expected if set(each["outcomes"].values()) == {"passed"}]
    assert len(right) >= 1
    assert len(expected) - len(right) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_gets_what_it_is_about(name: str, grade: Grade) -> None:
    expected = tomllib.loads((SAMPLES / name / "expected.toml").read_text())
    report = grade(name.partition("/")[0], SAMPLES / name)
    outcomes = {result.id: result.outcome.value for result in report.results}
    told = {result.id: {finding.code for finding in result.findings} for result in report.results}

    assert outcomes == expected["outcomes"]
    assert report.score is not None
    assert expected["score"]["min"] <= report.score <= expected["score"]["max"]
    for check, codes in expected.get("codes", {}).items():
        assert set(codes) <= told[check]
