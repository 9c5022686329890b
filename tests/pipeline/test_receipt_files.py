"""Every episode leaves a receipt, the same in every run, and missed when it is edited."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.assignments.loader import LoadedAssignment
from grader.episodes.replaying import replay
from grader.errors import GraderFault
from grader.pipeline.files import EVIDENCE_FILE, TIMINGS_FILE
from grader.pipeline.journal import read_entry
from grader.pipeline.receipt_files import write_receipts
from grader.pipeline.regrading import read_evidence, regrade
from grader.records.agent_evidence import AgentEvidence
from grader.records.receipts import read_receipt

pytestmark = pytest.mark.usefixtures("one_server")

Course = Any  # the class in conftest.py
COUNT = 4


@pytest.fixture(scope="module")
def playing(small: LoadedAssignment) -> LoadedAssignment:
    """The agent alone, without the check that needs reference results."""
    part = small.assignment.parts["agent"]
    checks = {name: part.checks[name] for name in ("interface", "deterministic")}
    seeds = small.assignment.seeds
    assignment = small.assignment.model_copy(
        update={
            "parts": {"agent": part.model_copy(update={"checks": checks})},
            "seeds": seeds.model_copy(update={"final": seeds.final[:COUNT]}),
        }
    )
    return replace(small, assignment=assignment, digest="sha256:playing")


@pytest.fixture
def anna(course: Course) -> Path:
    """The folder of the one submission that has an agent; no other one is graded."""
    for name in ("bela", "cleo"):
        for file in (course.handed_in / name).iterdir():
            file.unlink()
        (course.handed_in / name).rmdir()
    folder: Path = course.out / "anna"
    return folder


def test_every_episode_leaves_a_receipt(
    course: Course, anna: Path, playing: LoadedAssignment
) -> None:
    course.grade(playing)
    files = sorted((anna / "episodes").iterdir())
    assert [file.name for file in files] == [f"agent-{n}.json" for n in range(1, COUNT + 1)]
    (evidence,) = read_evidence(anna / EVIDENCE_FILE).parts
    assert isinstance(evidence, AgentEvidence)
    timings = json.loads((anna / TIMINGS_FILE).read_text())["parts"]["agent"]["episodes"]
    for number, file in enumerate(files):
        receipt = read_receipt(file.read_text())
        assert receipt.episode == evidence.episodes[number]
        assert receipt.episode.seed == playing.assignment.seeds.final[number]
        assert receipt.environment == evidence.environment
        assert receipt.submission == "anna"
        assert replay(receipt.environment, receipt.episode).same
        assert timings[number]["n"] == number + 1
        assert len(timings[number]["steps_us"]) == len(receipt.episode.actions)
        assert timings[number]["cpu_s"] > 0
    entry = read_entry(anna)
    assert entry is not None
    assert {f"episodes/{file.name}" for file in files} < entry.files.keys()


def test_one_submission_on_many_jobs_is_written_byte_for_byte_the_same(
    course: Course, anna: Path, playing: LoadedAssignment, tmp_path: Path
) -> None:
    course.grade(playing, jobs=1)
    course.grade(playing, tmp_path / "beside", jobs=4)
    one, many = course.files(), course.files(tmp_path / "beside")
    assert one.keys() == many.keys()
    assert [name for name in one if one[name] != many[name]] == []
    assert any(name.startswith("anna/episodes/") for name in one)


@pytest.mark.parametrize("damage", ["edited", "lost"])
def test_a_receipt_that_was_edited_or_lost_is_written_again_without_running(
    course: Course, anna: Path, playing: LoadedAssignment, no_server: Callable[[], None],
    damage: str,
) -> None:  # fmt: skip
    course.grade(playing)
    before = course.files()
    file = anna / "episodes" / "agent-2.json"
    if damage == "edited":
        file.write_text(file.read_text().replace('"episode_return": ', '"episode_return": 5'))
    else:
        file.unlink()
    no_server()
    outcome, ran = course.grade(playing)
    assert (outcome.kept, outcome.judged_again, ran) == (0, 1, [])
    assert course.files() == before


def test_a_run_that_was_killed_between_two_receipts_is_taken_up_again(
    course: Course, anna: Path, playing: LoadedAssignment
) -> None:
    course.grade(playing)
    before = course.files()
    (anna / "journal.json").unlink()  # it is written last
    (anna / "episodes" / "agent-3.json").unlink()
    (anna / "episodes" / ".agent-3.json.partial").write_text('{"schema_version"')
    outcome, ran = course.grade(playing)
    assert (outcome.kept, ran) == (0, [("anna", "agent")])
    assert course.files() == before


def test_receipts_of_episodes_that_are_no_more_are_removed(
    course: Course, anna: Path, playing: LoadedAssignment
) -> None:
    course.grade(playing)
    (anna / "episodes" / ".agent-1.json.partial").write_text("torn")
    seeds = playing.assignment.seeds
    fewer = seeds.model_copy(update={"final": seeds.final[:2]})
    assignment = playing.assignment.model_copy(update={"seeds": fewer})
    course.grade(replace(playing, assignment=assignment, digest="sha256:fewer"))
    left = sorted(file.name for file in (anna / "episodes").iterdir())
    assert left == ["agent-1.json", "agent-2.json"]


def test_a_mended_rubric_leaves_the_receipts_and_the_journal_knows_them(
    course: Course, anna: Path, playing: LoadedAssignment, no_server: Callable[[], None]
) -> None:
    course.grade(playing)
    before = read_entry(anna)
    assert before is not None
    regrade(course.out, replace(playing, digest="sha256:mended"))
    after = read_entry(anna)
    assert after is not None
    receipts = {name for name in before.files if name.startswith("episodes/")}
    assert len(receipts) == COUNT
    assert {name: after.files[name] for name in receipts} == {
        name: before.files[name] for name in receipts
    }
    no_server()
    outcome, _ = course.grade(replace(playing, digest="sha256:mended"))
    assert outcome.kept == 1


def test_what_lies_behind_a_link_is_neither_removed_nor_written(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "alice"
    for made in (elsewhere, folder):
        made.mkdir()
    (elsewhere / "thesis.txt").write_text("mine")
    (folder / "episodes").symlink_to(elsewhere)
    with pytest.raises(GraderFault, match="is a link"):
        write_receipts(folder, {"episodes/agent-1.json": b"{}"})
    assert [file.name for file in elsewhere.iterdir()] == ["thesis.txt"]
