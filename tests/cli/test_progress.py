"""Progress is drawn for a terminal and for nobody else."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

GRADER = Path(sys.executable).with_name("grader")
SAMPLES = Path(__file__).parents[2] / "submissions"


def _on_a_terminal(arguments: list[str], timeout_s: float = 120) -> tuple[int, str, str]:
    """Runs the command with a terminal as standard error; answers code, stdout, stderr."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [GRADER, *arguments], stdout=subprocess.PIPE, stderr=theirs, env=environment
    )
    os.close(theirs)
    seen = b""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                seen += os.read(ours, 65536)
            except OSError:  # the terminal is closed when the command has ended
                break
        elif process.poll() is not None:
            break
    printed, _ = process.communicate(timeout=30)
    os.close(ours)
    return process.returncode, printed.decode(), seen.decode()


def test_terminal_sees_count_and_what_is_being_graded(tmp_path: Path) -> None:
    # A network takes a few tenths of a second, long enough to be drawn.
    names = ["network_nested", "network_sequential"]
    paths = [str(SAMPLES / name) for name in names]
    code, printed, seen = _on_a_terminal(["grade", *paths, "--out", str(tmp_path), "--jobs", "1"])
    assert code == 1
    assert "starting TensorFlow once" in seen
    assert "network_nested: network" in seen
    assert "0/2" in seen
    assert "1/2" in seen
    assert "left" in seen
    assert "\x1b" not in printed
    assert "network_sequential" in printed


def test_self_check_counts_parts(tmp_path: Path) -> None:
    code, _, seen = _on_a_terminal(["check", str(SAMPLES / "network_nested")])
    assert code == 1
    assert "/6" in seen
    assert "network" in seen
