"""The real command, and the sample class graded once by it and shared by the tests."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def grader_path() -> Path:
    """The installed command."""
    return Path(sys.executable).with_name("grader")


@pytest.fixture(scope="session")
def grader(grader_path: Path, root: Path) -> Command:
    """Runs the installed command and answers how it ended and what it printed."""

    def run(
        *arguments: str | Path,
        cwd: Path = root,
        timeout_s: float = 900,
        extra_environment: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        environment |= extra_environment
        return subprocess.run(
            [grader_path, *map(str, arguments)],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def graded_class(grader: Command, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of all samples, graded with two jobs from the repository's folder.

    Made once, by whichever process of the tests asks first; another one waits for it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    out, finished = shared / "class" / "A", shared / "class" / "finished"
    out.parent.mkdir(exist_ok=True)
    with (shared / "class" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            done = grader("grade", "submissions", "--out", out, "--jobs", "2")
            assert done.returncode == 1, done.stderr
            finished.touch()
    return out
