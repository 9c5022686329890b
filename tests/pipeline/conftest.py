"""A small assignment, submissions that can be changed, and one fork server for all batches."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.assignments.loader import LoadedAssignment, load_assignment
from grader.intake.discovery import Source
from grader.pipeline import batch as batch_module
from grader.pipeline.batch import Batch, Observer, Outcome, grade_batch
from grader.records.report import SeedSet
from grader.sandbox.server import ForkServer

SAMPLES = Path(__file__).parents[2] / "submissions"
PARTS = ("random_agent", "agent", "convolution")


@pytest.fixture(scope="session")
def small() -> LoadedAssignment:
    """The parts of week13 that need no network, with fewer samples."""
    whole = load_assignment("week13")
    parts = {part_id: whole.assignment.parts[part_id] for part_id in PARTS}
    settings = {**parts["random_agent"].settings, "samples": 400, "spaces": ["Discrete(4)"]}
    parts["random_agent"] = parts["random_agent"].model_copy(update={"settings": settings})
    assignment = whole.assignment.model_copy(update={"parts": parts})
    return replace(whole, assignment=assignment, digest="sha256:small")


class Course:
    """Submissions in a folder of their own, graded into one folder again and again."""

    def __init__(self, place: Path) -> None:
        self.handed_in = place / "handed_in"
        self.out = place / "out"

    def hand_in(self, name: str, *samples: str) -> Path:
        """Puts the files of samples together as one submission."""
        folder = self.handed_in / name
        for sample in samples:
            shutil.copytree(SAMPLES / sample, folder, dirs_exist_ok=True)
        return folder

    def grade(
        self, loaded: LoadedAssignment, out: Path | None = None, jobs: int = 1, **options: Any
    ) -> tuple[Outcome, list[tuple[str, str]]]:
        """Grades; answers what came of it, and which parts of which submissions were run."""
        ran: list[tuple[str, str]] = []
        batch = Batch(
            sources=tuple(
                Source(folder.name, folder) for folder in sorted(self.handed_in.iterdir())
            ),
            loaded=loaded,
            seed_set=SeedSet.FINAL,
            out=out or self.out,
            **options,
        )
        observer = Observer(part=lambda submission, part: ran.append((submission, part)))
        return grade_batch(batch, jobs, observer), ran

    def files(self, out: Path | None = None) -> dict[str, bytes]:
        """All files that must be the same in every run."""
        place = out or self.out
        return {
            str(file.relative_to(place)): file.read_bytes()
            for file in sorted(place.rglob("*"))
            if file.is_file() and file.name not in {"timings.json", ".grader.lock"}
        }


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Three submissions, of which one has all three parts."""
    made = Course(tmp_path)
    made.hand_in("anna", "convolution_loops", "random_agent_own_generator", "agent_always_left")
    made.hand_in("bela", "convolution_kernel_flipped")
    made.hand_in("cleo", "random_agent_off_by_one")
    return made


@pytest.fixture
def one_server(fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch) -> ForkServer:
    """The session's fork server, used by every batch of a test and closed by none."""
    monkeypatch.setattr(batch_module, "best_source", lambda _level: fork_server)
    monkeypatch.setattr(fork_server, "close", lambda: None)
    return fork_server


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Returns a function; after its call, a batch that starts workers fails the test."""

    def forbid() -> None:
        def started(_level: object) -> ForkServer:
            pytest.fail("workers were started")

        monkeypatch.setattr(batch_module, "best_source", started)

    return forbid
