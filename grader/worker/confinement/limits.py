"""What the kernel itself limits for a worker, and the refusal of processes that tells the line."""

from __future__ import annotations

import os
import resource
import sys
from typing import Final

from grader.records.barriers import UNPRIVILEGED_IDS
from grader.records.spec import Limits

MEBIBYTE: Final = 1 << 20
_OTHERS: Final = 1024
"""Threads of the same submission's other workers, and of the inspector."""


class ProcessRefused(PermissionError):
    """Student code tried to start a process and may start none."""


def set_limits(limits: Limits, *, own_count: bool) -> None:
    """Sets the kernel's limits for this process and what it starts, for good.

    Args:
        limits: the assignment's.
        own_count: whether the kernel counts this worker's threads and processes alone, as it does
            in a user namespace. Elsewhere it counts all of the user's: then this is a rough bound
            where the user has nothing but workers, and the trusted side counts exactly.

    Raises:
        OSError: one of them is refused; the grader's operator must act.
    """
    # The kernel's own limit is the backstop; the trusted side measures and tells first.
    cpu_s = int(limits.part_cpu_s) + 10
    wanted = {
        # For this very value the kernel starts no crash handler, which for 0 it does; core(5).
        resource.RLIMIT_CORE: (1, 1),
        resource.RLIMIT_NOFILE: (limits.open_files, limits.open_files),
        # Beyond the first a signal tells what happened, beyond the second the process is killed.
        resource.RLIMIT_CPU: (cpu_s, cpu_s + 5),
    }
    if sys.platform == "linux":  # macOS does not honour them
        address_space, data = limits.memory_mb * MEBIBYTE, limits.data_mb * MEBIBYTE
        wanted[resource.RLIMIT_AS] = address_space, address_space
        wanted[resource.RLIMIT_DATA] = data, data
        wanted[resource.RLIMIT_MEMLOCK] = 0, 0
        wanted[resource.RLIMIT_MSGQUEUE] = 0, 0
        tasks = limits.threads + limits.processes
        if own_count:
            wanted[resource.RLIMIT_NPROC] = tasks, tasks
        elif os.getuid() in UNPRIVILEGED_IDS:
            wanted[resource.RLIMIT_NPROC] = tasks + _OTHERS, tasks + _OTHERS
    for kind, (soft, hard) in wanted.items():
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(kind, (soft, hard))


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
    Python; for those there is the system-call filter, and the trusted side counts processes.
    """

    def hook(event: str, _: tuple[object, ...]) -> None:
        if event in _STARTING:
            raise ProcessRefused("starting processes is not allowed here")

    sys.addaudithook(hook)
