"""What breaks on the grader's side withholds a mark or is tried again; it never becomes marks.

Each injury hits one submission, `b_hit`. Those beside it must come out as in a run without it.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import gymnasium
import pytest
from gymnasium.envs.classic_control import CartPoleEnv

from grader.assignments.loader import LoadedAssignment, load_assignment
from grader.errors import AssignmentError
from grader.intake.discovery import Source
from grader.pipeline import batch as batch_module
from grader.pipeline.batch import Batch, Observer, exit_code, grade_batch
from grader.records.report import SeedSet
from grader.records.spec import EpisodeSet, Isolation
from grader.sandbox.server import ForkServer

Command = Callable[..., subprocess.CompletedProcess[str]]
Report = dict[str, Any]
SAMPLES: Final = Path(__file__).parents[2] / "submissions"
STUDENTS_FAULTS: Final = {"failed", "invalid", "skipped"}
HIT: Final = "b_hit"
BESIDE: Final = ("a_before", "c_after")


def hand_in(folder: Path, *, hit: str = "convolution_vectorised", before: str = "") -> Path:
    """Three submissions; `before` is put at the head of the middle one's only Python file."""
    for name, sample in zip(
        ("a_before", HIT, "c_after"),
        ("convolution_loops", hit, "convolution_kernel_flipped"),
        strict=True,
    ):
        shutil.copytree(SAMPLES / sample, folder / name)
    (file,) = (folder / HIT).glob("*.py")
    file.write_text(before + file.read_text())
    return folder


def report_of(out: Path, name: str) -> Report:
    report: Report = json.loads((out / name / "report.json").read_text())
    return report


def grades(out: Path) -> dict[str, tuple[str, str]]:
    """Score and status by submission, as they stand in the table."""
    with (out / "grades.csv").open(newline="") as file:
        return {row["submission"]: (row["score"], row["status"]) for row in csv.DictReader(file)}


def beside(out: Path) -> dict[str, bytes]:
    """The reports of the submissions that nothing was done to."""
    return {
        f"{name}/{file}": (out / name / file).read_bytes()
        for name in BESIDE
        for file in ("report.json", "report.html")
    }


def assert_withheld(out: Path, name: str = HIT) -> None:
    report = report_of(out, name)
    assert (report["status"], report["score"]) == ("withheld", None)
    assert any(result["outcome"] == "fault" for result in report["results"])
    assert all(r["points"] == 0 for r in report["results"] if r["outcome"] == "fault")
    assert grades(out)[name] == ("", "withheld")


# --- in this process, with one fork server for all ------------------------------------------------


@pytest.fixture(scope="module")
def week13() -> LoadedAssignment:
    return load_assignment("week13")


class Lent:
    """The session's fork server, which a batch must not close."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def close(self) -> None:
        """It is used again."""


class Run:
    """Grades a folder; what is to break does so while one part of `b_hit` is run."""

    def __init__(self, loaded: LoadedAssignment) -> None:
        self.loaded = loaded

    def __call__(
        self,
        folder: Path,
        out: Path,
        *,
        part: str = "convolution",
        injury: Callable[[], Any] = lambda: None,
        healing: Callable[[], Any] = lambda: None,
        loaded: LoadedAssignment | None = None,
    ) -> SimpleNamespace:
        def running(submission: str, part_id: str) -> None:
            healing()
            if (submission, part_id) == (HIT, part):
                injury()

        batch = Batch(
            sources=tuple(Source(path.name, path) for path in sorted(folder.iterdir())),
            loaded=loaded or self.loaded, seed_set=SeedSet.FINAL, out=out,
        )  # fmt: skip
        observer = Observer(part=running, finished=lambda _: healing())
        try:
            outcome = grade_batch(batch, 1, observer)
        finally:
            healing()
        return SimpleNamespace(outcome=outcome, code=exit_code(outcome, outcome.reports))


@pytest.fixture
def run(week13: LoadedAssignment, fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(batch_module, "best_source", lambda *_, **__: Lent(fork_server))
    return Run(week13)


@pytest.fixture(scope="module")
def undisturbed(
    week13: LoadedAssignment, fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Reports of the three submissions when nothing breaks."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_module, "best_source", lambda *_, **__: Lent(fork_server))
        done = Run(week13)(hand_in(folder / "in"), folder / "out")
    assert done.code == 1
    return folder / "out"


@contextmanager
def limited(kind: int, value: Callable[[], int]) -> Iterator[tuple[Callable[[], None], ...]]:
    """Two functions: one lowers a limit of this process, the other gives it back."""
    soft, hard = resource.getrlimit(kind)

    def lower() -> None:
        resource.setrlimit(kind, (value(), hard))

    def give_back() -> None:
        resource.setrlimit(kind, (soft, hard))

    try:
        yield lower, give_back
    finally:
        give_back()


def open_descriptors() -> list[int]:
    return sorted(int(path.name) for path in Path("/proc/self/fd").iterdir())


def test_no_descriptor_left_while_a_part_is_run(
    run: Run, undisturbed: Path, tmp_path: Path
) -> None:
    folder = hand_in(tmp_path / "in", hit="random_agent_space_sample")
    before = open_descriptors()
    with limited(resource.RLIMIT_NOFILE, lambda: open_descriptors()[-2] + 1) as (lower, give_back):
        done = run(folder, tmp_path / "out", part="random_agent", injury=lower, healing=give_back)
    timings = json.loads((tmp_path / "out" / HIT / "timings.json").read_text())
    assert timings["retries"]
    if done.code == 3:
        assert_withheld(tmp_path / "out")
    else:
        # The second try found descriptors again.
        assert done.code == 1
        report = json.loads((tmp_path / "out" / HIT / "report.json").read_text())
        assert report["status"] == "graded"
    assert beside(tmp_path / "out") == beside(undisturbed)
    assert len(open_descriptors()) <= len(before) + 1


def test_no_memory_left_for_an_answer(run: Run, undisturbed: Path, tmp_path: Path) -> None:
    large = "import numpy as np\ndef convolve2d(image, kernel, stride=1):\n    return np.zeros("
    folder = hand_in(tmp_path / "in")
    (folder / HIT / "convolution.py").write_text(f"{large}24_000_000)\n")

    def present_bytes() -> int:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()

    with limited(resource.RLIMIT_AS, lambda: present_bytes() + (96 << 20)) as (lower, give_back):
        done = run(folder, tmp_path / "out", injury=lower, healing=give_back)
    assert done.code == 3
    assert_withheld(tmp_path / "out")
    assert beside(tmp_path / "out") == beside(undisturbed)


def test_scratch_folder_that_is_gone(
    run: Run, fork_server: ForkServer, undisturbed: Path, tmp_path: Path
) -> None:
    folder = hand_in(tmp_path / "in", hit="random_agent_space_sample")
    scratch, away = Path(fork_server._folder.path), tmp_path / "away"

    def give_back() -> None:
        if away.exists():
            away.rename(scratch)

    done = run(
        folder, tmp_path / "out", part="random_agent",
        injury=lambda: scratch.rename(away), healing=give_back,
    )  # fmt: skip
    if done.code == 3:
        assert_withheld(tmp_path / "out")
    else:  # a worker with a file system of its own needs no folder of the machine's
        assert fork_server.isolation is Isolation.FULL
        assert grades(tmp_path / "out")[HIT] == ("15.0", "graded")
    assert beside(tmp_path / "out") == beside(undisturbed)


def test_files_that_cannot_grow_are_told_and_nothing_is_half_written(
    run: Run, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with limited(resource.RLIMIT_FSIZE, lambda: 2000) as (lower, give_back):
        done = run(hand_in(tmp_path / "in"), out, injury=lower, healing=give_back)
    assert done.code == 3
    assert any(HIT in fault and "written" in fault for fault in done.outcome.faults)
    assert not (out / HIT / "report.json").exists()
    assert beside(out) == beside(undisturbed)
    assert grades(out).get(HIT, ("", "")) in {("", ""), ("", "withheld")}
    assert {name: grades(out)[name] for name in BESIDE} == {
        name: grades(undisturbed)[name] for name in BESIDE
    }


class Broken(CartPoleEnv):
    """CartPole that breaks in one place.

    Args:
        place: `reset`, `step`, `nan` (the reward), `form` (of what `step` returns) or `none`.
    """

    place = "none"

    def reset(self, **options: Any) -> Any:
        if self.place == "reset":
            raise RuntimeError("the emulator does not start")
        return super().reset(**options)

    def step(self, action: Any) -> Any:
        observation, reward, terminated, truncated, info = super().step(action)
        match self.place:
            case "step":
                raise RuntimeError("the emulator crashed")
            case "nan":
                reward = float("nan")
            case "text":
                reward = "1.0 points"
            case "form":
                return observation, reward, terminated
        return observation, reward, terminated, truncated, info


def with_environment(loaded: LoadedAssignment, environment_id: str) -> LoadedAssignment:
    """The assignment with another environment for its agents, baselines included."""
    assert loaded.baselines is not None
    agent = loaded.assignment.parts["agent"]
    changed = agent.model_copy(
        update={"settings": {**agent.settings, "environment_id": environment_id}}
    )
    parts = {**loaded.assignment.parts, "agent": changed}
    baseline = loaded.baselines.parts["agent"].model_copy(update={"environment_id": environment_id})
    return LoadedAssignment(
        loaded.assignment.model_copy(update={"parts": parts}),
        loaded.baselines.model_copy(update={"parts": {"agent": baseline}}),
        loaded.digest,
        loaded.path,
    )


@pytest.mark.parametrize("place", ["reset", "step", "nan", "text", "form"])
def test_environment_that_breaks_is_nobodys_mark(
    place: str, run: Run, week13: LoadedAssignment, undisturbed: Path, tmp_path: Path
) -> None:
    name = f"Broken{place.capitalize()}-v0"
    kind = type("One", (Broken,), {"place": place})
    gymnasium.register(name, entry_point=kind, max_episode_steps=20)
    try:
        done = run(
            hand_in(tmp_path / "in", hit="agent_numpy_linear"),
            tmp_path / "out",
            loaded=with_environment(week13, name),
        )
    finally:
        del gymnasium.registry[name]
    assert done.code == 3
    assert_withheld(tmp_path / "out")
    report = report_of(tmp_path / "out", HIT)
    assert {r["part"] for r in report["results"] if r["outcome"] == "fault"} == {"agent"}
    assert beside(tmp_path / "out") == beside(undisturbed)


def with_returns(loaded: LoadedAssignment, change: Callable[[EpisodeSet], Any]) -> Any:
    assert loaded.baselines is not None
    agent = loaded.baselines.parts["agent"]
    final = change(agent.final)
    parts = {} if final is None else {"agent": agent.model_copy(update={"final": final})}
    return LoadedAssignment(
        loaded.assignment, loaded.baselines.model_copy(update={"parts": parts}), loaded.digest,
        loaded.path,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda one: one.model_copy(update={"dqn_returns": one.random_returns}),
        lambda one: one.model_copy(update={"dqn_returns": one.dqn_returns[1:]}),
        lambda one: one.model_copy(update={"seeds": one.seeds[1:]}),
        lambda one: one.model_copy(update={"seeds": one.seeds[::-1]}),
        lambda one: one.model_copy(update={"dqn_returns": (float("nan"),) * len(one.seeds)}),
        lambda one: one.model_copy(update={"random_returns": (float("nan"),) * len(one.seeds)}),
    ],
    ids=["absent", "no gap", "one less", "a seed less", "other order", "DQN NaN", "random NaN"],
)
def test_baseline_that_cannot_be_used_is_nobodys_mark(
    change: Callable[[EpisodeSet], Any],
    run: Run,
    week13: LoadedAssignment,
    undisturbed: Path,
    tmp_path: Path,
) -> None:
    done = run(
        hand_in(tmp_path / "in", hit="agent_always_left"),
        tmp_path / "out",
        loaded=with_returns(week13, change),
    )
    assert done.code == 3
    assert_withheld(tmp_path / "out")
    (performance,) = [
        result
        for result in report_of(tmp_path / "out", HIT)["results"]
        if result["id"] == "agent.performance"
    ]
    assert performance["outcome"] == "fault"
    assert beside(tmp_path / "out") == beside(undisturbed)


def _without_brace(text: str) -> str:
    return text.rstrip().removesuffix("}")


def _replaced(old: str, new: str) -> Callable[[str], str]:
    def replaced(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return replaced


def _first_return(value: str) -> Callable[[str], str]:
    def changed(text: str) -> str:
        data = json.loads(text)
        data["parts"]["agent"]["final"]["dqn_returns"][0] = "HERE"
        return json.dumps(data).replace('"HERE"', value)

    return changed


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda _: "\0" * 4096,
        lambda text: text[: len(text) // 2],
        _without_brace,
        _replaced("week13", "week14"),
        _replaced('"dqn_returns"', '"dqn_return"'),
        _first_return("NaN"),
        _first_return("Infinity"),
        _first_return("-1e999"),
        _first_return('"500"'),
        _first_return("null"),
    ],
)
def test_damaged_baseline_file_stops_before_anything_is_run(
    damage: Callable[[str], str], week13: LoadedAssignment, tmp_path: Path
) -> None:
    course = shutil.copytree(week13.path.parent, tmp_path / "course")
    file = course / "baselines.json"
    file.write_text(damage(file.read_text()))
    with pytest.raises(AssignmentError):
        load_assignment(str(course / "assignment.toml"))


def test_damaged_baseline_file_is_told_by_the_command(
    grader: Command, week13: LoadedAssignment, tmp_path: Path
) -> None:
    course = shutil.copytree(week13.path.parent, tmp_path / "course")
    file = course / "baselines.json"
    file.write_text(_first_return("NaN")(file.read_text()))
    done = grader(
        "grade", hand_in(tmp_path / "in"), "--assignment", course, "--out", tmp_path / "out"
    )
    assert done.returncode == 2
    assert "baselines.json" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("step_s", [86_400.0, -86_400.0, 0.0])
def test_clock_that_jumps_changes_nothing(
    step_s: float,
    run: Run,
    undisturbed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real_s, real_ns, looks = time.time, time.time_ns, iter(range(10**9))

    def jumped() -> float:
        return (real_s() + step_s * next(looks)) % 4e9

    monkeypatch.setattr(time, "time", jumped)
    monkeypatch.setattr(time, "time_ns", lambda: real_ns() if step_s == 0 else int(jumped() * 1e9))
    done = run(hand_in(tmp_path / "in"), tmp_path / "out")
    assert done.code == 1
    assert not done.outcome.faults
    assert beside(tmp_path / "out") == beside(undisturbed)
    for file in ("report.json", "report.html"):
        assert (tmp_path / "out" / HIT / file).read_bytes() == (
            undisturbed / HIT / file
        ).read_bytes()
    for file in ("grades.csv", "index.html"):
        assert (tmp_path / "out" / file).read_bytes() == (undisturbed / file).read_bytes()


# --- the real command -----------------------------------------------------------------------------


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def workers_of(command: int) -> tuple[int, list[int]]:
    """The fork server of a running command, and its workers."""
    for child in children(command):
        with suppress(OSError):
            if b"grader.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                below = children(child)
                return child, below
    return 0, []


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str], what: str) -> Any:
    deadline = time.monotonic() + 90
    while not (found := condition()):
        assert process.poll() is None, (what, process.communicate())
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


SLOW: Final = "import time\ntime.sleep(2.5)\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes in /proc")
@pytest.mark.parametrize("victim", ["server", "worker"])
def test_process_killed_from_outside_is_no_mark_and_costs_nobody_else(
    victim: str, grader_path: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """A worker that vanishes may have ended itself; then what is told is the student's side."""
    folder, out = hand_in(tmp_path / "in", before=SLOW), tmp_path / "out"
    process = subprocess.Popen(
        [grader_path, "grade", folder, "--out", out, "--jobs", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for((out / "a_before" / "report.json").exists, process, "the first submission")
        server, workers = wait_for(
            lambda: (found := workers_of(process.pid))[1] and found, process, "a worker"
        )
        time.sleep(1.0)  # into the import
        if victim == "server":
            os.kill(server, signal.SIGKILL)
        else:
            for worker in workers:
                for pid in (worker, *children(worker)):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        printed, told = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in printed + told
    assert beside(out) == beside(undisturbed)
    report = report_of(out, HIT)
    timings = json.loads((out / HIT / "timings.json").read_text())
    of_part = [result for result in report["results"] if result["part"] == "convolution"]
    if report["status"] == "withheld":
        assert process.returncode == 3
        assert_withheld(out)
    elif timings.get("retries"):
        assert process.returncode in (1, 3)
        assert report["score"] == 10.0
    else:
        assert victim == "worker"
        assert process.returncode == 1
        assert report["score"] == 0.0
        assert {result["outcome"] for result in of_part} <= STUDENTS_FAULTS
        findings = [finding for result in of_part for finding in result["findings"]]
        assert "SIGKILL" in str(findings)


@contextmanager
def small_disk(folder: Path, size_bytes: int, files: int = 10_000) -> Iterator[Path]:
    """A file system with room for so many bytes and files, its top folder among these."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},nr_inodes={files}", "none", folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount")
def test_disk_that_is_full_keeps_what_was_written_and_is_told(
    grader: Command, undisturbed: Path, tmp_path: Path
) -> None:
    def size_bytes(folder: Path) -> int:
        return sum(-(-file.stat().st_size // 4096) * 4096 + 4096 for file in folder.iterdir())

    room = size_bytes(undisturbed / "a_before") + size_bytes(undisturbed / HIT) // 2 + (64 << 10)
    folder = hand_in(tmp_path / "in")
    with small_disk(tmp_path / "out", room) as out:
        done = grader("grade", folder, "--out", out, "--jobs", "1")
        assert done.returncode == 3, done.stderr
        assert "No space left" in done.stderr
        assert "Traceback" not in done.stderr
        kept = out / "a_before" / "report.json"
        assert kept.read_bytes() == (undisturbed / "a_before" / "report.json").read_bytes()
        for file in out.glob("*/report.json"):
            assert json.loads(file.read_text()) == report_of(undisturbed, file.parent.name)
        if (out / "grades.csv").exists():
            for name, row in grades(out).items():
                assert row in {grades(undisturbed)[name], ("", "withheld")}


def test_temporary_folder_that_is_full_withholds_every_mark(
    grader_path: Path, tmp_path: Path
) -> None:
    folder = hand_in(tmp_path / "in")
    with small_disk(tmp_path / "temporary", 1 << 20, files=4) as temporary:
        done = subprocess.run(
            [grader_path, "grade", folder, "--out", tmp_path / "out", "--jobs", "1"],
            env={**os.environ, "TMPDIR": str(temporary)}, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    if (tmp_path / "out" / "grades.csv").exists():
        assert set(grades(tmp_path / "out").values()) == {("", "withheld")}
    else:
        assert "Nothing was graded" in done.stderr
        assert not list((tmp_path / "out").glob("*/report.json"))
