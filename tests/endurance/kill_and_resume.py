"""Kills the grader at random moments, resumes it, and compares with an undisturbed run.

Run with `python tests/endurance/kill_and_resume.py [--runs 50] [--submissions 30] [--jobs 2]`.
Prints one line; ends with 1 if a single byte differed or a process stayed behind.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "submissions"
WORKS = (
    ("convolution_loops", "random_agent_own_generator"),
    ("convolution_kernel_flipped",),
    ("random_agent_off_by_one",),
    ("convolution_vectorised", "random_agent_cyclic"),
    ("breaks_only_notes", "convolution_same_padding"),
    ("random_agent_seed_ignored", "convolution_stride_ignored"),
)
ASSIGNMENT = """
schema_version = 1
id = "endurance"
title = "A convolution and a random agent"

[seeds]
public = [1]
final = [2]

[parts.convolution]
title = "A convolution"
kind = "function"
file = "convolution.py"
names = { function = ["convolve2d"] }
settings = { reference = "cross_correlation_2d" }
checks.interface = { title = "It can be called", points = 1 }
checks.values = { title = "It is right", points = 4, requires = ["convolution.interface"] }

[parts.random_agent]
title = "A random agent"
kind = "random_agent"
file = "random_agent.py"
settings = { spaces = ["Discrete(4)"], samples = 400, sequence_length = 16 }
checks.interface = { title = "It acts", points = 1 }
checks.uniform = { title = "It is uniform", points = 2, requires = ["random_agent.interface"] }
checks.seeded = { title = "It is seeded", points = 2, requires = ["random_agent.interface"] }
"""
DIFFERS_BY_NATURE = frozenset({"timings.json", ".grader.lock"})
GONE_WITHIN_S = 30.0
"""Seconds after which a process of a killed grader counts as left behind."""

Process = tuple[int, str]
"""Process id and start time, which together are never given again."""


@dataclass
class Figures:
    """What was seen."""

    runs: int = 0
    kills: int = 0
    kept: list[int] = field(default_factory=list)
    """For each resumed run, how many submissions it found finished."""
    different: list[str] = field(default_factory=list)
    """Runs that ended otherwise than the undisturbed one, and in what."""
    processes_left: int = 0
    longest_s: float = 0.0
    """Until the last process of a killed grader was gone."""
    folders_left: int = 0
    """Temporary folders of killed graders."""

    def line(self) -> str:
        """The summary."""
        kept = sorted(self.kept)
        return (
            f"{self.runs} runs, {self.kills} kills: "
            f"{self.runs - len(self.different)} ended with the undisturbed run's bytes; "
            f"resumed runs found {kept[0]} to {kept[-1]} submissions finished "
            f"(median {kept[len(kept) // 2]}); {self.processes_left} processes left, the last "
            f"gone after {self.longest_s:.1f} s; {self.folders_left} temporary folders left"
        )


class Endurance:
    """A class of cheap submissions, graded, killed and resumed.

    Args:
        grader: the installed command.
        place: an empty folder.
        submissions: size of the class.
        jobs: submissions side by side.
        seed: of the moments of the kills.
    """

    def __init__(self, grader: Path, place: Path, submissions: int, jobs: int, seed: int) -> None:
        self._place = place
        self._random = random.Random(seed)
        self.figures = Figures()
        self._assignment = place / "assignment.toml"
        self._assignment.write_text(ASSIGNMENT)
        self._command = [grader, "grade", place / "in", "--assignment", self._assignment,
                         "--jobs", str(jobs), "--format", "json"]  # fmt: skip
        for number in range(submissions):
            folder = place / "in" / f"student_{number:03}"
            for work in WORKS[number % len(WORKS)]:
                shutil.copytree(SAMPLES / work, folder, dirs_exist_ok=True)
            # No two the same, so that one taken for another shows.
            (folder / "notes.txt").write_text(f"{number}\n")
        begun = time.time()
        self._finish(place / "undisturbed")
        self._whole_s = time.time() - begun
        self._expected = _files(place / "undisturbed")
        stamps = [file.stat().st_mtime for file in (place / "undisturbed").glob("*/journal.json")]
        if len(stamps) != submissions:
            raise RuntimeError("the undisturbed run has not graded everything")
        self._submissions = submissions
        self._each_s = (max(stamps) - min(stamps)) / submissions

    def run(self) -> None:
        """Kills one batch once to three times, finishes it, and compares."""
        out = self._place / f"run-{self.figures.runs}"
        self._kill(out)
        while self._random.random() < 0.4:
            self._kill(out)
        if any('"withheld"' in file.read_text() for file in out.glob("*/report.json")):
            raise RuntimeError(f"{out.name}: a mark was withheld")
        message = self._finish(out)
        self.figures.runs += 1
        self.figures.kept.append(int(message.split()[1]) if "graded before" in message else 0)
        found = _files(out)
        wrong = [
            name
            for name in sorted(found.keys() | self._expected.keys())
            if found.get(name) != self._expected.get(name)
        ]
        if wrong:
            self.figures.different.append(f"{out.name}: {', '.join(wrong)}")
        else:
            shutil.rmtree(out)

    def _kill(self, out: Path) -> None:
        temporary = Path(tempfile.mkdtemp(prefix="endurance-"))
        temporary.chmod(0o1777)  # as the usual one: workers are another user than root
        process = self._start(out, temporary)
        self._await_moment(process, out)
        if process.poll() is None:
            family = _family(process.pid)
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.figures.kills += 1
            self._await_end(family, temporary)
        self.figures.folders_left += len(list(temporary.glob("grader-*")))
        shutil.rmtree(temporary, ignore_errors=True)

    def _await_moment(self, process: subprocess.Popen[bytes], out: Path) -> None:
        """Waits for a random moment, or the command's end.

        Half of the moments are drawn from the time an undisturbed run takes; the start-up would
        outweigh the rest of it, so the others lie between two submissions or in the next one.
        """
        finished = len(list(out.glob("*/journal.json")))
        if self._random.random() < 0.5 or finished + 1 >= self._submissions:
            deadline = time.monotonic() + self._random.uniform(0, self._whole_s)
        else:
            wanted = self._random.randrange(finished + 1, self._submissions)
            while len(list(out.glob("*/journal.json"))) < wanted and process.poll() is None:
                time.sleep(0.003)
            deadline = time.monotonic() + self._random.uniform(0, self._each_s)
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.003)

    def _await_end(self, family: set[Process], temporary: Path) -> None:
        killed = time.monotonic()
        while left := {process for process in family if _runs(process)} | _with_home(temporary):
            waited_s = time.monotonic() - killed
            if waited_s > GONE_WITHIN_S:
                self.figures.processes_left += len(left)
                return
            time.sleep(0.05)
        self.figures.longest_s = max(self.figures.longest_s, time.monotonic() - killed)

    def _start(self, out: Path, temporary: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._command, "--out", out],
            env=os.environ | {"TMPDIR": str(temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _finish(self, out: Path) -> str:
        """Grades to the end; answers what the command says about it."""
        done = subprocess.run(
            [*self._command, "--out", out], capture_output=True, text=True, check=False
        )
        if done.returncode != 1:
            raise RuntimeError(f"{out.name} ended with {done.returncode}: {done.stderr}")
        if len(json.loads(done.stdout)) != len(list((self._place / "in").iterdir())):
            raise RuntimeError(f"{out.name} does not tell about all submissions")
        return done.stderr


def _files(out: Path) -> dict[str, bytes]:
    """All files of a folder, hidden ones too, but those that differ from run to run."""
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in out.rglob("*")
        if file.is_file() and file.name not in DIFFERS_BY_NATURE
    }


def _stat(pid: int) -> list[str]:
    """State, parent, and what follows of `/proc/<pid>/stat`; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _runs(process: Process) -> bool:
    fields = _stat(process[0])
    return bool(fields) and fields[19] == process[1] and fields[0] != "Z"


def _family(pid: int) -> set[Process]:
    """All processes that a process has started, directly or not."""
    stats = {int(file.name): _stat(int(file.name)) for file in Path("/proc").glob("[0-9]*")}
    found: set[Process] = set()
    waiting = [pid]
    while waiting:
        parent = str(waiting.pop())
        for child, fields in stats.items():
            if fields and fields[1] == parent:
                found.add((child, fields[19]))
                waiting.append(child)
    return found


def _with_home(temporary: Path) -> set[Process]:
    """Processes whose home lies in a temporary folder: fork servers and workers, orphans too."""
    home = f"HOME={temporary}/".encode()
    found: set[Process] = set()
    for file in Path("/proc").glob("[0-9]*"):
        try:
            here = home in (file / "environ").read_bytes()
        except OSError:
            continue
        fields = _stat(int(file.name))
        if here and fields and fields[0] != "Z":
            found.add((int(file.name), fields[19]))
    return found


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--submissions", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="endurance-") as place:
        command = Path(sys.executable).with_name("grader")
        endurance = Endurance(command, Path(place), given.submissions, given.jobs, given.seed)
        for _ in range(given.runs):
            endurance.run()
    for different in endurance.figures.different:
        print(different, file=sys.stderr)
    print(endurance.figures.line())
    return 1 if endurance.figures.different or endurance.figures.processes_left else 0


if __name__ == "__main__":
    sys.exit(main())
