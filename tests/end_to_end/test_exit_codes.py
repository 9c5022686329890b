"""Each documented exit code, provoked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from grader.assignments.seal import SEAL, sealed
from grader.records.spec import Baselines

Command = Callable[..., CompletedProcess[str]]


def test_0_when_everything_required_got_full_marks(
    grader: Command, root: Path, tmp_path: Path
) -> None:
    done = grader("grade", root / "reference" / "week13", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "week13" / "report.json").read_text())
    assert (report["score"], report["max_score"]) == (100.0, 100.0)
    assert {result["outcome"] for result in report["results"]} == {"passed"}


def test_1_when_a_required_check_was_not_passed(
    grader: Command, root: Path, tmp_path: Path
) -> None:
    sample = root / "submissions" / "convolution_kernel_flipped"
    assert grader("grade", sample, "--out", tmp_path).returncode == 1
    assert grader("check", sample).returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["grade"],
        ["grade", "submissions", "--jobs", "0"],
        ["grade", "no/such/folder"],
        ["grade", "submissions", "--assignment", "week99"],
        ["check", "submissions"],
        ["explain", "XX999"],
        ["unheard-of"],
    ],
    ids=" ".join,
)
def test_2_when_the_command_is_wrong(grader: Command, arguments: list[str]) -> None:
    done = grader(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_2_when_the_assignment_file_is_wrong_and_all_problems_are_told(
    grader: Command, tmp_path: Path
) -> None:
    assert grader("spec", "new", tmp_path / "course").returncode == 0
    file = tmp_path / "course" / "assignment.toml"
    text = file.read_text().replace("points = ", "pionts = ", 1).replace("kind =", "knid =", 1)
    file.write_text(text)
    for arguments in (["spec", "validate", file], ["grade", tmp_path, "--assignment", file]):
        done = grader(*arguments)
        assert done.returncode == 2
        assert "did you mean `points`?" in done.stderr
        assert "did you mean `kind`?" in done.stderr
        assert "assignment.toml:" in done.stderr


_FRAGILE = """
import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv


class Fragile(CartPoleEnv):
    def step(self, action):
        raise OSError("the game's server is gone")


gymnasium.register("Fragile-v0", Fragile)
"""


def test_3_when_a_mark_is_withheld(grader: Command, root: Path, tmp_path: Path) -> None:
    # A course whose own environment breaks in mid-game: no submission is to blame.
    (tmp_path / "fragile_course.py").write_text(_FRAGILE)
    builtin = root / "grader" / "assignments" / "builtin" / "week13"
    course = shutil.copytree(builtin, tmp_path / "course")
    for file in course.iterdir():
        file.write_text(file.read_text().replace("CartPole-v1", "fragile_course:Fragile-v0"))
    recorded = json.loads((course / "baselines.json").read_text())
    del recorded[SEAL]
    (course / "baselines.json").write_text(json.dumps(sealed(Baselines.parse(recorded))))
    out = tmp_path / "out"
    done = grader(
        "grade",
        root / "submissions" / "agent_numpy_linear",
        root / "submissions" / "convolution_loops",
        "--assignment",
        course / "assignment.toml",
        "--out",
        out,
        extra_environment={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 3
    report = json.loads((out / "agent_numpy_linear" / "report.json").read_text())
    assert report["status"] == "withheld"
    assert report["score"] is None
    faults = [r for r in report["results"] if r["outcome"] == "fault"]
    assert faults
    assert {r["part"] for r in faults} == {"agent"}
    assert all(r["points"] == 0 for r in faults)
    # The other submission has no agent; its mark stands.
    neighbour = json.loads((out / "convolution_loops" / "report.json").read_text())
    assert (neighbour["status"], neighbour["score"]) == ("graded", 10.0)
    rows = (out / "grades.csv").read_text().splitlines()
    assert rows[1] == "agent_numpy_linear,,100.0,withheld"


def test_3_when_the_reports_cannot_be_written(grader: Command, root: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    sample = root / "submissions" / "convolution_loops"
    done = grader("grade", sample, "--out", tmp_path / "out")
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_4_when_there_is_nothing_to_grade(grader: Command, tmp_path: Path) -> None:
    done = grader("grade", tmp_path)
    assert done.returncode == 4
    assert done.stdout == ""
    assert "agent.py" in done.stderr
    assert grader("check", cwd=tmp_path).returncode == 4


def test_130_when_interrupted_and_what_was_graded_is_kept(
    grader_path: Path, root: Path, tmp_path: Path
) -> None:
    handed_in = tmp_path / "handed_in"
    shutil.copytree(root / "submissions" / "convolution_loops", handed_in / "a_quick")
    (handed_in / "b_slow").mkdir()
    (handed_in / "b_slow" / "convolution.py").write_text(
        "import time\ntime.sleep(50)\ndef convolve2d(image, kernel, stride=1): return image\n"
    )
    out = tmp_path / "out"
    process = subprocess.Popen(
        [grader_path, "grade", handed_in, "--out", out, "--jobs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever starts the tests in the background may have them ignore interruptions.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 60
        while not (out / "a_quick" / "report.json").exists():
            assert time.monotonic() < deadline, "the first submission was never finished"
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        time.sleep(1)  # into the second submission
        os.kill(process.pid, signal.SIGINT)
        begun = time.monotonic()
        printed, progress = process.communicate(timeout=30)
        assert time.monotonic() - begun < 15
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, progress
    assert "a_quick" in printed
    assert "1 of 2" in progress
    assert "Traceback" not in progress
    assert (out / "a_quick" / "report.html").exists()
    assert not (out / "b_slow").exists()
    assert "a_quick" in (out / "grades.csv").read_text()


def test_4_names_the_file_that_is_there_under_another_name(grader: Command, tmp_path: Path) -> None:
    (tmp_path / "randomagent.py").write_text("class RandomAgent: pass\n")
    done = grader("check", cwd=tmp_path)
    assert done.returncode == 4
    assert "randomagent.py; should it be named random_agent.py?" in done.stderr
