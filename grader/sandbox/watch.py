"""Readings of what a worker uses, from `/proc` and its clock. Elsewhere only time is watched."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

READABLE: Final = sys.platform == "linux"
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK") if READABLE else 100
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE") if READABLE else 4096


@dataclass(frozen=True)
class Usage:
    """What a worker and everything it started use now."""

    own_cpu_s: float
    """Processor time of the worker itself, all its threads."""
    others_cpu_s: float
    """Processor time of what it started, the ended ones it waited for included."""
    resident_bytes: int
    processes: int
    """Processes it started, itself left out."""


def clock_s(pid: int) -> float:
    """Processor time of a process, all its threads, its children left out; 0 when it is gone.

    One system call, so that it can be read before every request.
    """
    try:
        # The kernel's number for the clock of a process, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _ticks(pid: int) -> tuple[int, int]:
    """Processor time of a process and of the ended children it waited for, in clock ticks."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0
    return int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])


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


def descendants(pid: int) -> set[int]:
    """All processes that a process started and that are still its, directly or not."""
    return _below(_children(pid))


def _below(waiting: list[int]) -> set[int]:
    found: set[int] = set()
    while waiting:
        child = waiting.pop()
        if child not in found:
            found.add(child)
            waiting.extend(_children(child))
    return found


def usage(pid: int, server_pid: int | None, spared: frozenset[int]) -> Usage:
    """What a worker and its descendants use.

    Args:
        pid: the worker.
        server_pid: its fork server, which inherits the worker's orphans.
        spared: other children of the server that are not this worker's.
    """
    orphans: list[int] = []
    if server_pid is not None:
        orphans = [child for child in _children(server_pid) if child not in spared | {pid}]
    started = _below(_children(pid) + orphans)
    return Usage(
        own_cpu_s=clock_s(pid),
        others_cpu_s=(_ticks(pid)[1] + sum(sum(_ticks(child)) for child in started)) / _TICKS_PER_S,
        resident_bytes=sum(map(_resident_bytes, (pid, *started))),
        processes=len(started),
    )


def end_tree(pid: int, handle: int | None) -> None:
    """Ends a process and what is still its, where nobody else is left to do so.

    Args:
        pid: the process.
        handle: its pidfd, which cannot come to mean another process as a number can.
    """
    started = descendants(pid) if READABLE else set()
    with contextlib.suppress(OSError):
        if handle is not None:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    for child in started:
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
