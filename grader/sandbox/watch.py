"""Readings of what a worker uses, from `/proc`. Elsewhere only the clock is watched."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

READABLE: Final = sys.platform == "linux"
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK") if READABLE else 100
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE") if READABLE else 4096


@dataclass(frozen=True)
class Usage:
    """What a worker and everything it started use now."""

    cpu_s: float
    resident_bytes: int
    processes: int
    """Processes it started, itself left out."""


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, all threads and ended children; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / _TICKS_PER_S


def _resident_bytes(pid: int) -> int:
    """Pages of a process that it shares with nobody."""
    try:
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
    except OSError:
        return 0
    return max(0, int(resident) - int(shared)) * _PAGE_BYTES


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found.extend(int(child) for child in (task / "children").read_text().split())
    except OSError:
        return found
    return found


def usage(pid: int, server_pid: int | None, spared: frozenset[int]) -> Usage:
    """What a worker and its descendants use.

    Args:
        pid: the worker.
        server_pid: its fork server, which inherits the worker's orphans.
        spared: other children of the server that are not this worker's.
    """
    started: set[int] = set()
    waiting = _children(pid)
    if server_pid is not None:
        waiting += [child for child in _children(server_pid) if child not in spared | {pid}]
    while waiting:
        child = waiting.pop()
        if child not in started:
            started.add(child)
            waiting.extend(_children(child))
    everyone = [pid, *started]
    return Usage(
        cpu_s=sum(map(cpu_seconds, everyone)),
        resident_bytes=sum(map(_resident_bytes, everyone)),
        processes=len(started),
    )
