"""Grades hundreds of submissions in one batch, a third of them hostile, and watches the grader.

Run with `python tests/endurance/soak.py [--submissions 500] [--jobs 2]`. Prints what the trusted
process held over time and what was left behind; ends with 1 if its memory or descriptors grew, an
honest mark was wrong, a canary of the corpus was touched, or a process or folder stayed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from grader.assignments.seal import sealed
from grader.records.barriers import UNPRIVILEGED_IDS
from grader.selftest.assignment import drawn_assignment
from grader.selftest.attacks import CORPUS, hand_in, load_corpus
from grader.selftest.trap import Trap

HOSTILE_EVERY = 3
SAMPLE_S = 1.0
SETTLED_SHARE = 0.2
"""The beginning of the batch, in which caches fill."""
KEPT_KB = 40.0
"""What may stay of each submission: its row in the class table, with the outcome of every check."""


@dataclass
class Watch:
    """What the trusted process held, second by second."""

    resident_mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def look(self, pid: int) -> None:
        """Takes one sample."""
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            open_now = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        except OSError:
            return
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        self.resident_mb.append(int(resident.split()[1]) / 1024)
        self.descriptors.append(open_now)

    def grown(self) -> tuple[float, float]:
        """Median memory and most descriptors of the last fifth above those of the second."""
        step = max(1, round(len(self.resident_mb) * SETTLED_SHARE))
        early, late = slice(step, 2 * step), slice(-step, None)
        return (
            statistics.median(self.resident_mb[late]) - statistics.median(self.resident_mb[early]),
            max(self.descriptors[late]) - max(self.descriptors[early]),
        )


def _assignment(folder: Path) -> Path:
    """The self-test's assignment with secret seeds, as files."""
    loaded = drawn_assignment()
    assert loaded.baselines is not None
    text = loaded.path.read_text(encoding="utf-8")
    for name, seeds in (("public", loaded.assignment.seeds.public),
                        ("final", loaded.assignment.seeds.final)):  # fmt: skip
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {list(seeds)}", text)
    folder.mkdir()
    (folder / "assignment.toml").write_text(text, encoding="utf-8")
    (folder / "baselines.json").write_text(json.dumps(sealed(loaded.baselines)), encoding="utf-8")
    return folder / "assignment.toml"


def _hand_in_all(count: int, into: Path, trap: Trap) -> list[str]:
    """Writes the submissions; answers the names of the honest ones."""
    corpus = load_corpus()
    honest = []
    for number in range(count):
        if number % HOSTILE_EVERY == 0:
            attack = corpus[number // HOSTILE_EVERY % len(corpus)]
            hand_in(attack.folder, into / f"{number:04d}_{attack.name}", trap.targets())
            continue
        name = f"{number:04d}_honest"
        hand_in(CORPUS / "honest", into / name, {})
        (into / name / "network.py").unlink()
        honest.append(name)
    return honest


def _processes() -> set[int]:
    """Workers, fork servers and what they started, by the user or the program they run."""
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            program = (folder / "cmdline").read_bytes()
            owner = folder.stat().st_uid
        except OSError:
            continue
        if b"grader.worker" in program or (os.geteuid() == 0 and owner in UNPRIVILEGED_IDS):
            found.add(int(folder.name))
    return found


def _wrong_marks(out: Path, honest: list[str]) -> list[str]:
    marks = {}
    for name in honest:
        report = json.loads((out / name / "report.json").read_text())
        marks[name] = (report["status"], report["score"], [r["outcome"] for r in report["results"]])
    usual = statistics.mode(map(repr, marks.values()))
    print(f"honest marks: {usual}")
    return [name for name, mark in marks.items() if repr(mark) != usual]


def main() -> int:
    """Runs the soak and prints its findings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="soak-"))
    root.chmod(0o711)
    before = _processes()
    watch = Watch()
    problems: list[str] = []
    with Trap() as trap:
        trap.set(UNPRIVILEGED_IDS[0] if os.geteuid() == 0 else os.geteuid())
        (root / "in").mkdir()
        honest = _hand_in_all(arguments.submissions, root / "in", trap)
        command = [
            str(Path(sys.executable).with_name("grader")), "grade", str(root / "in"),
            "--assignment", str(_assignment(root / "course")), "--out", str(root / "out"),
            "--jobs", str(arguments.jobs),
        ]  # fmt: skip
        begun = time.monotonic()
        temporary = root / "temporary"
        temporary.mkdir(mode=0o755)
        with (root / "said.txt").open("wb") as said:
            process = subprocess.Popen(
                command, stdout=said, stderr=said, env={**os.environ, "TMPDIR": str(temporary)}
            )
            while process.poll() is None:
                watch.look(process.pid)
                time.sleep(SAMPLE_S)
        wall_s = time.monotonic() - begun
        problems += [f"canary: {breach}" for breach in trap.breaches()]
        everything = [file.read_bytes() for file in (root / "out").rglob("*") if file.is_file()]
        problems += [
            f"secret of {place} came back" for place, secret in trap.secrets.items()
            if any(secret.encode() in content for content in everything)
        ]  # fmt: skip
        problems += [f"left behind: process {pid}" for pid in _processes() - before
                     if pid != trap.bystander.pid]  # fmt: skip
    grown_mb, grown_descriptors = watch.grown()
    if process.returncode not in (0, 1):
        problems.append(
            f"exit code {process.returncode}: {(root / 'said.txt').read_text()[-2000:]}"
        )
    graded_between = arguments.submissions * (1 - 2 * SETTLED_SHARE)
    if grown_mb * 1024 > KEPT_KB * graded_between:
        problems.append(f"memory grew by {grown_mb:.1f} MiB")
    if grown_descriptors > 0:
        problems.append(f"descriptors grew by {grown_descriptors:g}")
    problems += [f"left behind: {path.name}" for path in temporary.iterdir()]
    problems += [f"wrong mark: {name}" for name in _wrong_marks(root / "out", honest)]
    print(
        f"{arguments.submissions} submissions, {arguments.submissions - len(honest)} hostile, "
        f"{arguments.jobs} jobs, {wall_s:.0f} s, exit code {process.returncode}\n"
        f"trusted process: {min(watch.resident_mb):.0f} to {max(watch.resident_mb):.0f} MiB, "
        f"{grown_mb:+.1f} MiB from the second fifth to the last; "
        f"at most {max(watch.descriptors)} descriptors, {grown_descriptors:+g}"
    )
    print("\n".join(problems) or "nothing left behind, no canary touched, all honest marks right")
    if not problems:
        shutil.rmtree(root)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
