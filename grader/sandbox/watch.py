"""Readings of what a worker uses, from `/proc` and its clock. Elsewhere only time is watched."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

READABLE: Final = sys.platform == "linux"
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK") if READABLE else 100


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
    threads: int
    """Threads of all of them."""
    headless: bool
    """Whether the first thread of one has ended while others go on. `/proc` then tells nothing of
    its memory and files; nothing but hostile code does that."""


@dataclass(frozen=True)
class Kin:
    """How a worker is known to this machine, and where to find what it started."""

    pid: int
    keeper: int | None = None
    """The first process of its namespace, if it has one; it inherits the worker's orphans."""
    server: int | None = None
    """The fork server that inherits its orphans, where it has no keeper."""
    siblings: Callable[[], frozenset[int]] = frozenset
    """Other workers of that server, asked for each time."""
    still: AbstractContextManager[object] = field(default_factory=contextlib.nullcontext)
    """While it is held, that server starts and ends no worker."""

    def started(self) -> set[int]:
        """All processes that the worker started, directly or not."""
        orphans: list[int] = []
        if self.keeper is not None:
            orphans = _children(self.keeper)
        elif self.server is not None:
            with self.still:  # a worker that has just been forked is nobody's orphan
                spared = self.siblings() | {self.pid}
                orphans = [child for child in _children(self.server) if child not in spared]
        return _below(_children(self.pid) + orphans)


def clock_s(pid: int) -> float:
    """Processor time of a process, all its threads, its children left out; 0 when it is gone.

    One system call, so that it can be read before every request.
    """
    try:
        # The kernel's number for the clock of a process, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


@dataclass(frozen=True)
class _Stat:
    own_ticks: int = 0
    waited_ticks: int = 0
    """Processor time of the ended children it waited for."""
    threads: int = 0
    ended: bool = False
    """Whether its first thread has."""

    @property
    def headless(self) -> bool:
        return self.ended and self.threads > 1


def _stat(pid: int) -> _Stat:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _Stat()
    return _Stat(
        own_ticks=int(fields[11]) + int(fields[12]),
        waited_ticks=int(fields[13]) + int(fields[14]),
        threads=int(fields[17]),
        ended=fields[0] == "Z",
    )


def queued_s(pid: int) -> float:
    """Seconds that a process was ready to run and had to wait for a processor; its first thread.

    That is the machine's doing and not the student's. 0 where the kernel does not tell.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _resident_bytes(pid: int) -> int:
    """Memory of a process that no file backs, shared memory included."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(
        int(line.split()[1]) << 10
        for line in text.splitlines()
        if line.startswith(("RssAnon:", "RssShmem:"))
    )


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found.extend(int(child) for child in (task / "children").read_text().split())
    except OSError:
        return found
    return found


def _below(waiting: list[int]) -> set[int]:
    found: set[int] = set()
    while waiting:
        child = waiting.pop()
        if child not in found:
            found.add(child)
            waiting.extend(_children(child))
    return found


def usage(kin: Kin) -> Usage:
    """What a worker and everything it started use."""
    started = kin.started()
    own = _stat(kin.pid)
    others = [_stat(pid) for pid in started]
    ticks = own.waited_ticks + sum(other.own_ticks + other.waited_ticks for other in others)
    return Usage(
        own_cpu_s=clock_s(kin.pid),
        others_cpu_s=ticks / _TICKS_PER_S,
        resident_bytes=sum(map(_resident_bytes, (kin.pid, *started))),
        processes=len(started),
        threads=own.threads + sum(other.threads for other in others),
        headless=own.headless or any(other.headless for other in others),
    )


def process_of(handle: int) -> int | None:
    """The number that a process has on this machine, by its descriptor; None when it is gone."""
    for line in Path(f"/proc/self/fdinfo/{handle}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pid":
            return int(value) if int(value) > 0 else None
    return None


def handle_of(pid: int) -> int | None:
    """A descriptor that means this process and never another one, where there is such a thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def is_over(handle: int) -> bool:
    """Whether the process behind a descriptor of `handle_of` has ended."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(0))


def end_tree(kin: Kin, handle: int | None) -> None:
    """Ends a worker and what is still its, where nobody else is left to do so.

    Args:
        kin: the worker.
        handle: of its keeper, with which all of the namespace ends, or else of the worker; a
            number can come to mean another process, this cannot.
    """
    started = kin.started() if READABLE else set()
    with contextlib.suppress(OSError):
        if handle is not None:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        else:
            os.kill(kin.pid, signal.SIGKILL)
    for child in started:
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
