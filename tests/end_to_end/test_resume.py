"""A killed grader loses nothing finished; the same command then ends with the same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

import pytest

from grader.pipeline.durable import locked

Command = Callable[..., CompletedProcess[str]]
SEED = 20261122


def test_killed_at_random_moments_it_ends_with_the_bytes_of_an_undisturbed_run(
    load_module: Callable[[str], ModuleType], grader_path: Path, tmp_path: Path
) -> None:
    module = load_module("endurance/kill_and_resume.py")
    endurance = module.Endurance(grader_path, tmp_path, submissions=8, jobs=2, seed=SEED)
    for _ in range(3):
        endurance.run()
    figures = endurance.figures
    assert figures.kills > 0
    assert max(figures.kept) > 0, "no kill came after a submission was finished"
    assert figures.different == []
    assert figures.processes_left == 0


@pytest.fixture(scope="module")
def graded(grader: Command, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("resume")
    for name in ("convolution_loops", "convolution_kernel_flipped"):
        shutil.copytree(root / "submissions" / name, place / "in" / name)
    assert grader("grade", place / "in", "--out", place / "out").returncode == 1
    return place


def test_same_command_again_keeps_everything_and_tells(grader: Command, graded: Path) -> None:
    page = (graded / "out" / "index.html").read_bytes()
    done = grader("grade", graded / "in", "--out", graded / "out")
    assert done.returncode == 1
    assert done.stderr == (
        "grader: 2 of 2 were graded before and have not changed; --fresh grades again\n"
    )
    assert "convolution_kernel_flipped" in done.stdout
    assert (graded / "out" / "index.html").read_bytes() == page


def test_fresh_keeps_nothing(grader: Command, graded: Path) -> None:
    timings = graded / "out" / "convolution_loops" / "timings.json"
    before = timings.read_bytes()
    done = grader("grade", graded / "in", "--out", graded / "out", "--fresh")
    assert (done.returncode, done.stderr) == (1, "")
    assert timings.read_bytes() != before


@pytest.mark.parametrize("command", [["grade", "in", "--out", "out"], ["regrade", "out"]])
def test_2_when_another_grader_is_writing_there(
    grader: Command, graded: Path, command: list[str]
) -> None:
    with locked(graded / "out"):
        done = grader(*command, cwd=graded)
    assert done.returncode == 2
    assert "another grader is writing into out" in done.stderr
    assert done.stdout == ""
