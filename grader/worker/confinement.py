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


@dataclass(frozen=True)
class Confinement:
    """What was asked for."""

    limits: Limits
    scratch: Path
    """An empty folder for the worker alone."""


def apply(confinement: Confinement) -> tuple[str, ...]:
    """Takes rights away from this process, for good.

    Returns:
        Names of the barriers now in force.

    Raises:
        OSError: a barrier could not be set up; the grader's operator must act.
    """
    limits = confinement.limits
    mebibyte = 1 << 20
    # The kernel's own limit is the backstop; the trusted side measures and tells first.
    cpu_s = int(limits.part_cpu_s) + 10
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.file_mb * mebibyte,
        resource.RLIMIT_CPU: cpu_s,
    }
    if sys.platform == "linux":  # macOS does not honour it
        wanted[resource.RLIMIT_AS] = limits.memory_mb * mebibyte
    for kind, value in wanted.items():
        resource.setrlimit(kind, (value, value))
    work = confinement.scratch / "work"
    temporary = confinement.scratch / "tmp"
    work.mkdir(mode=0o700)
    temporary.mkdir(mode=0o700)
    os.environ.update(HOME=str(temporary), TMPDIR=str(temporary))
    tempfile.tempdir = None
    os.chdir(work)
    with contextlib.suppress(OSError):
        os.nice(5)
    return ("session", "resource limits", "empty environment")
