"""Seconds per network-only submission: `grader grade` beside a fresh Python for each.

    python tests/benchmarks/network_submissions.py [--submissions 40] [--cold 5]

Grades copies of a network-only sample with one job and takes the time between the first and the
last finished submission, so that starting TensorFlow once is not counted (it is printed beside).
Then asks the same probes of a worker that is a fresh Python process for each submission. Prints a
table; it judges nothing, because timings belong to the machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.assignments.loader import load_assignment
from grader.intake.discovery import Source, take_in
from grader.pipeline.collecting import collect
from grader.pipeline.judging import judge
from grader.records.report import SeedSet
from grader.sandbox.server import ColdStart

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "submissions" / "network_sequential"


def _peak_mb(pid: int) -> float:
    """Peak memory of a process (VmHWM), its children left out."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> float:
    while not file.exists():
        if process.poll() is not None:
            raise SystemExit(f"grader ended with {process.returncode} before {file} was written")
        time.sleep(0.005)
    return time.perf_counter()


def graded_in_one_batch(count: int, folder: Path) -> tuple[float, float, float]:
    """Start-up seconds, seconds per submission after it, peak MiB of the trusted process."""
    names = [f"student_{number:03d}" for number in range(count)]
    for name in names:
        shutil.copytree(SAMPLE, folder / "handed_in" / name)
    command = Path(sys.executable).with_name("grader")
    begun = time.perf_counter()
    process = subprocess.Popen(
        [command, "grade", folder / "handed_in", "--out", folder / "out", "--jobs", "1"],
        stdout=subprocess.DEVNULL,
    )
    first = _wait_for(folder / "out" / names[0] / "report.json", process)
    last = _wait_for(folder / "out" / names[-1] / "report.json", process)
    peak_mb = _peak_mb(process.pid)
    process.wait()
    return first - begun, (last - first) / (count - 1), peak_mb


def graded_cold(count: int) -> list[float]:
    """Seconds of each submission whose workers are fresh Python processes."""
    loaded = load_assignment("week13")
    walls_s = []
    for _ in range(count):
        begun = time.perf_counter()
        source = ColdStart()
        try:
            submission = take_in(Source("student", SAMPLE), loaded.assignment)
            collected = collect(
                submission,
                loaded,
                source,
                seed_set=SeedSet.FINAL,
                parts=frozenset(loaded.assignment.parts),
            )
            report = judge(collected.evidence, loaded)
        finally:
            source.close()
        if report.score != 20:
            raise SystemExit(f"the sample got {report.score}, not 20")
        walls_s.append(time.perf_counter() - begun)
    return walls_s


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=40, help="in the batch (default 40)")
    parser.add_argument("--cold", type=int, default=5, help="graded cold (default 5)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start_s, each_s, peak_mb = graded_in_one_batch(arguments.submissions, Path(folder))
    cold_s = statistics.median(graded_cold(arguments.cold))
    print(f"submissions in the batch           {arguments.submissions:8d}")
    print(f"start-up, first submission included {start_s:7.2f} s")
    print(f"each further submission            {each_s:8.3f} s")
    print(f"fresh Python for each (median of {arguments.cold}) {cold_s:8.3f} s")
    print(f"times faster                       {cold_s / each_s:8.1f}")
    print(f"peak memory of the trusted process {peak_mb:8.0f} MiB")


if __name__ == "__main__":
    main()
