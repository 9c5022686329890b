"""Shows that the scale of points holds on seeds that nobody has seen.

For each built-in assignment with an agent, and for several fresh secrets: the reference agents play
the secret's seeds, the reference solution and a random agent are graded on them, and every receipt
is replayed. The reference must get full marks, random play no points for its play, and every
receipt must reach its return again. In week13 points begin at the random agent's own mean, so that
a luckier one gets a fraction of a point: there, less than a hundredth counts as none.

    python tests/benchmarks/references.py --secrets 3

Exits with 1 when any of this does not hold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASSIGNMENTS = ("week13", "minatar_breakout", "vizdoom_basic", "atari_freeway")
RANDOM_AGENT = '''
class DQNAgent:
    """Plays at random, seeded so that the same episode gives the same actions."""

    def __init__(self, observation_space, action_space):
        self.action_space = action_space
        self.action_space.seed(2016)

    def act(self, observation):
        return self.action_space.sample()
'''


@dataclass(frozen=True)
class Line:
    """What came of one assignment under one secret."""

    assignment: str
    secret: int
    reference_mean: float
    random_mean: float
    reference_score: float
    max_score: float
    random_points: float
    points: float
    replayed: bool

    @property
    def holds(self) -> bool:
        """Whether the reference got everything, random play nothing, and all receipts replayed."""
        full = self.reference_score == self.max_score
        return full and self.random_points < 0.01 * self.points and self.replayed


def grader(*arguments: str | Path, codes: tuple[int, ...] = (0,)) -> int:
    """Runs the installed command; ends everything when it ends in an unexpected way."""
    command = [Path(sys.executable).with_name("grader"), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        sys.exit(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stderr}")
    return done.returncode


def measure(assignment: str, number: int, folder: Path) -> Line:
    """Grades the reference and a random agent on the seeds of a new secret."""
    secret = folder / f"{assignment}-{number}.secret"
    grader("secret", "new", secret)
    reference = ROOT / "reference" / assignment
    terms = ("--secret-file", secret)
    grader("baseline", assignment, "--reference", reference, *terms)
    at_random = folder / "random" / assignment
    at_random.mkdir(parents=True, exist_ok=True)
    (at_random / "agent.py").write_text(RANDOM_AGENT)
    out = folder / "out" / f"{assignment}-{number}"
    handed_in = ("--assignment", assignment, "--out", out, *terms)
    grader("grade", reference, *handed_in, codes=(0, 1))
    played = report_of(out / assignment)
    replayed = grader("replay", out / assignment, codes=(0, 1)) == 0
    grader("grade", at_random, *handed_in, "--fresh", codes=(0, 1))
    randomly = report_of(out / assignment)
    shown = performance(played)["exhibits"][0]
    return Line(
        assignment=assignment,
        secret=number,
        reference_mean=shown["student_mean"],
        random_mean=performance(randomly)["exhibits"][0]["student_mean"],
        reference_score=played["score"],
        max_score=played["max_score"],
        random_points=performance(randomly)["points"],
        points=performance(randomly)["max_points"],
        replayed=replayed,
    )


def report_of(folder: Path) -> dict:
    """The report of a graded submission."""
    return json.loads((folder / "report.json").read_text())


def performance(report: dict) -> dict:
    """The result of `agent.performance`."""
    return next(each for each in report["results"] if each["id"] == "agent.performance")


def main() -> None:
    """Prints one line for each assignment and secret."""
    parser = argparse.ArgumentParser(description="References and random play on secret seeds.")
    parser.add_argument("--secrets", type=int, default=3)
    parser.add_argument("--assignments", nargs="*", default=ASSIGNMENTS)
    arguments = parser.parse_args()
    print("| assignment | secret | reference: mean | marks | random play: mean | points | replay |")
    print("|---|---|---|---|---|---|---|")
    held = True
    with tempfile.TemporaryDirectory() as folder:
        for assignment in arguments.assignments:
            for number in range(1, arguments.secrets + 1):
                line = measure(assignment, number, Path(folder))
                held = held and line.holds
                replayed = "same" if line.replayed else "DIFFERENT"
                print(
                    f"| `{assignment}` | {number} | {line.reference_mean:.1f} | "
                    f"{line.reference_score:g} of {line.max_score:g} | {line.random_mean:.1f} | "
                    f"{line.random_points:g} of {line.points:g} | {replayed} |",
                    flush=True,
                )
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
