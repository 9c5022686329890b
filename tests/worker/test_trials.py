"""Things are tried in processes that end right after, and what came of them is told."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import pytest

SETTING = """
import json, os, sys
from grader.records.spec import Isolation
from grader.worker import trials
from grader.worker.confinement.places import needed_places

def tell(value):
    print(json.dumps(value))
"""


def _told(script: str) -> Any:
    """What a script printed, in a process of its own: forking one with threads is not safe."""
    done = subprocess.run(
        [sys.executable, "-c", SETTING + textwrap.dedent(script)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder within reach of the user that trials become."""
    for parent in tmp_path.parents:
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(0o755)
    tmp_path.chmod(0o777)
    return tmp_path


@pytest.mark.parametrize(
    ("action", "why", "error"),
    [
        ("lambda: 'fine'", None, ""),
        ("lambda: os.mkdir('/proc/x')", "/proc/x: No such file or directory", "ENOENT"),
        ("lambda: 1 / 0", "division by zero", ""),
        ("lambda: os._exit(7)", "the process that tried it ended with 7", ""),
        ("lambda: os.abort()", "the process that tried it ended with -6", ""),
    ],
    ids=["success", "error of the kernel", "any exception", "exit", "signal"],
)
def test_failure_is_told_with_the_name_of_the_error(
    action: str, why: str | None, error: str
) -> None:
    told = _told(f"t = trials.attempt({action}); tell([t.seen, t.why, t.error])")
    assert told == ["" if why else "fine", why, error]


def test_error_passed_on_from_the_process_that_makes_rooms_keeps_its_name() -> None:
    told = _told("""
        def fail():
            raise OSError(str(OSError(22, "leaving: Invalid argument")))
        t = trials.attempt(fail); tell([t.why, t.error])
    """)
    assert told == ["leaving: Invalid argument", "EINVAL"]


def test_process_that_tries_stays_as_it_is(folder: Path) -> None:
    told = _told(f"""
        before = os.getuid(), os.readlink("/proc/self/ns/user"), os.getcwd()
        trials.best_level(None, needed_places(), {str(folder)!r})
        tell([before == (os.getuid(), os.readlink("/proc/self/ns/user"), os.getcwd()),
              os.listdir({str(folder)!r})])
    """)
    assert told == [True, []]


def test_level_asked_for_is_refused_with_the_reason(folder: Path) -> None:
    told = _told(f"""
        from grader.worker.confinement import landlock
        landlock.abi = lambda: 0
        try:
            trials.best_level(Isolation.RESTRICTED, needed_places(), {str(folder)!r})
        except OSError as error:
            tell(str(error))
    """)
    assert told.startswith("restricted isolation is not to be had on this machine:")
    assert "Landlock: files" in told
