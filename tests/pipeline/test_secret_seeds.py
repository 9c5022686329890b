"""Grading under secret seeds: nothing a student gets or can reach tells them."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import stat
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.assignments.loader import LoadedAssignment, load_assignment
from grader.assignments.secret import read_secret
from grader.errors import UsageError
from grader.pipeline import baseline as baseline_module
from grader.pipeline.baseline import record_baselines, write_baselines
from grader.pipeline.batch import Observer
from grader.pipeline.regrading import regrade
from grader.records.report import SeedSet
from grader.sandbox.server import ForkServer
from grader.sandbox.worker import Worker

REFERENCE = Path(__file__).parents[2] / "reference" / "week13"
KEY = "hunter2hunter2hunter2hunter2"
ASSIGNMENT = """\
id = "course"
title = "A course"

[seeds]
public = [1, 2]
final_episodes = 3

[parts.agent]
title = "An agent"
kind = "agent"
file = "agent.py"

[parts.agent.settings]
environment_id = "CartPole-v1"
max_episode_steps = 60

[parts.agent.checks.interface]
title = "It can be made"
points = 1

[parts.agent.checks.performance]
title = "It plays"
points = 4

[parts.agent.checks.deterministic]
title = "The same every time"
points = 1
"""

CURIOUS = '''
"""Prints whatever it can reach, and has all of its mistakes told."""

import gc
import os
import random
import sys
from pathlib import Path


def large(found):
    return sorted({value for value in found if type(value) is int and value.bit_length() > 33})


def reach():
    try:
        print("SECRET", Path("THE SECRET").read_text())
    except OSError as error:
        print("SECRET", type(error).__name__)
    print("ENVIRON", dict(os.environ), sys.argv)
    frame, seen = sys._getframe(), []
    while frame is not None:
        seen += [value for value in frame.f_locals.values()]
        frame = frame.f_back
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            seen += list(thing.values()) + list(thing)
        elif isinstance(thing, (list, tuple, set, frozenset)):
            seen += list(thing)
    print("NUMBERS", large(seen)[-2000:])
    texts = {value for value in seen if isinstance(value, str) and "secret" in value.lower()}
    print("TEXTS", sorted(texts)[:200])
    for folder in (".", "/", "/proc/self", "/tmp", "/proc/self/fd"):
        try:
            print("FOLDER", folder, sorted(os.listdir(folder))[:100])
        except OSError as error:
            print("FOLDER", folder, type(error).__name__)
    for number in [os.getppid(), 1, *range(2, 40)]:
        for name in ("environ", "cmdline"):
            try:
                print("PROCESS", number, Path(f"/proc/{number}/{name}").read_bytes()[:500])
            except OSError:
                pass


class DQNAgent:
    def __init__(self):
        reach()

    def act(self, observation):
        if observation[2] > 0.05:
            return [0.5, 0.5]
        if observation[2] < -0.05:
            raise ValueError(f"state {random.getstate()[1][:3]}")
        return random.randrange(2)
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    (folder / "assignment.toml").write_text(ASSIGNMENT)
    secret = folder / "safe" / "course.secret"
    secret.parent.mkdir()
    secret.write_text(KEY + "\n")
    secret.chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def secret(place: Path, fork_server: ForkServer) -> LoadedAssignment:
    """The assignment with secret seeds, and the references' results recorded on them."""
    given = read_secret(place / "safe" / "course.secret")
    unready = load_assignment(str(place), secret=given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline_module, "best_source", lambda: fork_server)
        patch.setattr(fork_server, "close", lambda: None)
        recorded = record_baselines(unready, REFERENCE, Observer())
    file = write_baselines(unready, recorded, given)
    assert file == place / "safe" / "course.secret.course.baselines.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return load_assignment(str(place), secret=given)


@pytest.fixture
def course(place: Path, tmp_path: Path) -> Course:
    """Submissions and reports; as in the other tests of this folder."""
    made = Course(tmp_path)
    made.hand_in("curious")
    told = CURIOUS.replace("THE SECRET", str(place / "safe" / "course.secret"))
    (made.handed_in / "curious" / "agent.py").write_text(told)
    return made


class Course:
    def __init__(self, place: Path) -> None:
        self.handed_in, self.out = place / "handed_in", place / "out"

    def hand_in(self, name: str, source: Path | None = None) -> Path:
        folder = self.handed_in / name
        folder.mkdir(parents=True)
        for file in source.iterdir() if source else ():
            if file.is_file():
                shutil.copy(file, folder)
        return folder

    def grade(self, loaded: LoadedAssignment) -> Any:
        from grader.intake.discovery import Source
        from grader.pipeline.batch import Batch, grade_batch

        ran: list[str] = []
        sources = tuple(Source(folder.name, folder) for folder in sorted(self.handed_in.iterdir()))
        batch = Batch(sources=sources, loaded=loaded, seed_set=SeedSet.FINAL, out=self.out)
        outcome = grade_batch(batch, 1, Observer(part=lambda name, _: ran.append(name)))
        assert not outcome.faults
        return ran

    def for_students(self) -> dict[str, str]:
        """All that a student or a class gets to see, by file."""
        own = ("evidence.json.gz", ".grader.lock")
        files = [file for file in self.out.rglob("*") if file.is_file() and file.name not in own]
        return {
            file.relative_to(self.out).as_posix(): file.read_bytes().decode("utf-8", "replace")
            for file in sorted(files)
            if "episodes" not in file.relative_to(self.out).parts  # receipts are the instructor's
        }


def forms(seed: int) -> tuple[bytes, ...]:
    """A number as text and as bytes, the way it could be written down anywhere."""
    return (
        str(seed).encode(), f"{seed:x}".encode(), struct.pack("<Q", seed), struct.pack(">Q", seed),
    )  # fmt: skip


def assert_untold(content: bytes, loaded: LoadedAssignment, what: str) -> None:
    assert KEY.encode() not in content, what
    assert loaded.secret_seeds is not None
    for seed in loaded.seeds_of("agent", SeedSet.FINAL):
        for form in forms(seed):
            assert form not in content, what


def test_no_seed_is_in_reports_nor_in_what_a_prying_agent_finds(
    secret: LoadedAssignment,
    course: Course,
    one_server: ForkServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[bytes] = []
    asked = Worker.ask

    def noted(worker: Worker, request: Any, *rest: Any, **more: Any) -> Any:
        sent.append(repr(request).encode())
        return asked(worker, request, *rest, **more)

    monkeypatch.setattr(Worker, "ask", noted)
    course.grade(secret)

    for name, text in course.for_students().items():
        assert_untold(text.encode(), secret, name)
    printed = json.loads((course.out / "curious" / "timings.json").read_text())["parts"]["agent"]
    for heading in ("SECRET", "ENVIRON", "NUMBERS", "TEXTS", "FOLDER"):
        assert heading in printed["printed"]
    assert len(sent) > 20
    assert_untold(b"\n".join(sent), secret, "what was sent to the worker")
    server = Path(f"/proc/{one_server.pid}")
    if server.exists():
        assert_untold((server / "environ").read_bytes(), secret, "the server's environment")
        assert_untold((server / "cmdline").read_bytes(), secret, "the server's arguments")

    # The instructor's file has them: there is something that could have been told.
    evidence = gzip.decompress((course.out / "curious" / "evidence.json.gz").read_bytes())
    for seed in secret.seeds_of("agent", SeedSet.FINAL):
        assert str(seed).encode() in evidence
    assert KEY.encode() not in evidence


def test_episodes_are_named_by_number(
    secret: LoadedAssignment, course: Course, one_server: ForkServer
) -> None:
    course.grade(secret)
    report = json.loads((course.out / "curious" / "report.json").read_text())
    results = {result["id"]: result for result in report["results"]}
    performance = results["agent.performance"]
    told = json.dumps(performance["findings"])
    assert re.search(r"episode [123], step \d+", told)
    assert {finding["code"] for finding in performance["findings"]} >= {"GR108", "AG201"}
    assert "seed" not in told
    (exhibit,) = [one for one in performance["exhibits"] if one["type"] == "episode_returns"]
    assert (exhibit["seeds"], exhibit["numbered"]) == ([1, 2, 3], True)
    page = (course.out / "curious" / "report.html").read_text()
    assert "whose seeds are secret" in page
    assert "<title>Episode 1: " in page


def test_the_reference_gets_full_marks_and_nothing_is_run_twice(
    secret: LoadedAssignment, course: Course, one_server: ForkServer
) -> None:
    shutil.rmtree(course.handed_in)
    course.hand_in("best", REFERENCE)
    assert course.grade(secret) == ["best"]
    report = json.loads((course.out / "best" / "report.json").read_text())
    assert report["score"] == 6
    assert course.grade(secret) == []

    # The seeds count, not what they were made of.
    moved = {"agent": tuple(seed ^ 1 for seed in secret.seeds_of("agent", SeedSet.FINAL))}
    other = replace(secret, secret_seeds=moved, digest="sha256:other")
    assert course.grade(other) == ["best"]


def test_judging_again_needs_no_secret(
    secret: LoadedAssignment, place: Path, course: Course, one_server: ForkServer, tmp_path: Path
) -> None:
    course.hand_in("best", REFERENCE)
    course.grade(secret)
    before = course.for_students()
    regrade(course.out, load_assignment(str(place)))
    assert course.for_students() == before
    assert course.grade(secret) == []

    (tmp_path / "dearer.toml").write_text(ASSIGNMENT.replace("points = 4", "points = 10"))
    dearer = load_assignment(str(tmp_path / "dearer.toml"))
    scores = {report.submission.id: report.score for report in regrade(course.out, dearer)}
    assert scores["best"] == 12
    for name, text in course.for_students().items():
        assert_untold(text.encode(), secret, name)

    (tmp_path / "longer.toml").write_text(ASSIGNMENT.replace("episodes = 3", "episodes = 4"))
    with pytest.raises(UsageError, match="another number of seeds"):
        regrade(course.out, load_assignment(str(tmp_path / "longer.toml")))


def test_reports_of_two_secrets_are_not_judged_together(
    secret: LoadedAssignment, place: Path, course: Course, one_server: ForkServer
) -> None:
    course.grade(secret)
    shutil.copytree(course.out / "curious", course.out / "other")
    file = course.out / "other" / "evidence.json.gz"
    evidence = json.loads(gzip.decompress(file.read_bytes()))
    evidence["secret_seeds"] = {"agent": [4, 5, 6]}
    file.write_bytes(gzip.compress(json.dumps(evidence).encode()))
    with pytest.raises(UsageError, match="different secrets"):
        regrade(course.out, load_assignment(str(place)))
