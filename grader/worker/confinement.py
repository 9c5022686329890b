"""What a freshly forked worker does to itself before any student code is loaded."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grader.records.spec import Limits

MEBIBYTE = 1 << 20


class ProcessRefused(PermissionError):
    """Student code tried to start a process and may start none."""


@dataclass(frozen=True)
class Confinement:
    """What was asked for."""

    limits: Limits
    scratch: Path
    """An empty folder for the worker alone."""
    may_start: bool = False
    """Whether starting processes is left to the trusted side's count, whatever the limits say."""


def apply(confinement: Confinement) -> tuple[str, ...]:
    """Takes rights away from this process, for good.

    Returns:
        Names of the barriers now in force.

    Raises:
        OSError: a barrier could not be set up; the grader's operator must act.
    """
    limits = confinement.limits
    # The kernel's own limit is the backstop; the trusted side measures and tells first.
    cpu_s = int(limits.part_cpu_s) + 10
    wanted = {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (limits.open_files, limits.open_files),
        # Beyond the first a signal tells what happened, beyond the second the process is killed.
        resource.RLIMIT_CPU: (cpu_s, cpu_s + 5),
    }
    if sys.platform == "linux":  # macOS does not honour it
        address_space = limits.memory_mb * MEBIBYTE
        wanted[resource.RLIMIT_AS] = address_space, address_space
    for kind, values in wanted.items():
        resource.setrlimit(kind, values)
    work = confinement.scratch / "work"
    temporary = confinement.scratch / "tmp"
    work.mkdir(mode=0o700)
    temporary.mkdir(mode=0o700)
    os.environ.update(HOME=str(temporary), TMPDIR=str(temporary))
    tempfile.tempdir = None
    os.chdir(work)
    with contextlib.suppress(OSError):
        os.nice(5)
    if sys.platform == "linux":
        # Where the machine runs out of memory, this process goes first.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
    if limits.processes == 0 and not confinement.may_start:
        refuse_processes()
    return ("session", "resource limits", "empty environment")


def limit_files(limits: Limits) -> None:
    """Limits the files that may be written; called when the submission's own are in place."""
    size_bytes = limits.file_mb * MEBIBYTE
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


_STARTING = frozenset(
    {"subprocess.Popen", "os.fork", "os.forkpty", "os.system", "os.posix_spawn", "os.exec",
     "os.spawn", "pty.spawn"}
)  # fmt: skip


def refuse_processes() -> None:
    """Makes Python's ways of starting a process raise `ProcessRefused`.

    That tells the student the line, and the same in every run. It stops nobody who goes past
    Python; for those the trusted side counts processes.
    """

    def hook(event: str, _: tuple[object, ...]) -> None:
        if event in _STARTING:
            raise ProcessRefused("starting processes is not allowed here")

    sys.addaudithook(hook)
