"""ViZDoom's process belongs to its environment: it ends with it, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from grader.episodes.environments import environment
from grader.records.environments import PlayedEnvironment

SETTINGS = PlayedEnvironment(
    environment_id="VizdoomBasic-v1", environment_kwargs={"frame_skip": 12}
)


def children() -> set[int]:
    """Processes that this one started, and what they started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("grader-doom-*"))


def test_the_game_is_a_process_that_ends_with_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before, files = children(), folders()
    with environment(SETTINGS) as env:
        env.reset(seed=1)
        started = children() - before
        assert len(started) == 1
        env.step(1)
        (own,) = folders() - files
        assert Path(f"/proc/{started.pop()}/cwd").resolve() == own
    assert children() == before
    assert folders() == files
    assert list(tmp_path.iterdir()) == []


class Broken(Exception):
    """What goes wrong in the middle of an episode."""


def play_and_break() -> None:
    with environment(SETTINGS) as env:
        env.reset(seed=1)
        raise Broken


def test_the_game_ends_when_something_goes_wrong() -> None:
    before, files = children(), folders()
    with pytest.raises(Broken):
        play_and_break()
    assert children() == before
    assert folders() == files


def last_picture(env: Any) -> bytes:
    observation, _ = env.reset(seed=5)
    for _ in range(2):
        observation, *_ = env.step(2)
    return bytes(observation["screen"].tobytes())


def test_a_setting_that_lies_in_the_working_directory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_gymnasium() -> bytes:
        env = gymnasium.make("VizdoomBasic-v1", frame_skip=12, disable_env_checker=True)
        try:
            return last_picture(env)
        finally:
            env.close()

    with environment(SETTINGS) as env:
        plain = last_picture(env)
    monkeypatch.chdir(tmp_path)
    assert by_gymnasium() == plain
    left_behind = Path("_vizdoom.ini")
    text = left_behind.read_text(encoding="utf-8")
    assert text.count("cl_run=false") == 1
    left_behind.write_text(text.replace("cl_run=false", "cl_run=true"), encoding="utf-8")
    assert by_gymnasium() != plain  # whoever walks, runs
    with environment(SETTINGS) as env:
        assert last_picture(env) == plain


KILLED = """
import os
from grader.episodes.environments import environment
from grader.records.environments import PlayedEnvironment
with environment(PlayedEnvironment(environment_id="VizdoomBasic-v1")) as env:
    env.reset(seed=1)
    children = open(f"/proc/self/task/{os.getpid()}/children").read().split()
    for task in os.listdir("/proc/self/task"):
        children += open(f"/proc/self/task/{task}/children").read().split()
    print(*set(children), flush=True)
    input()
"""


def test_the_game_dies_with_a_grader_that_is_killed() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    (game,) = map(int, process.stdout.readline().split())
    named = Path(f"/proc/{game}/cmdline").read_bytes().split(b"\0")
    instance = named[named.index(b"+viz_instance_id") + 1].decode()
    folder = Path(f"/proc/{game}/cwd").resolve()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{game}/cwd").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    is_gone = not Path(f"/proc/{game}/cwd").exists()
    # What a killed process cannot tidy up itself.
    for left in (*Path("/dev/shm").glob(f"ViZDoom*{instance}"), *folder.rglob("*")):
        left.rmdir() if left.is_dir() else left.unlink()
    folder.rmdir()
    assert is_gone
