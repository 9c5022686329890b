"""What an attack may leave behind: processes, files of its worker, kernel objects."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_HAS_PROC: Final = sys.platform == "linux"
_GRACE_S: Final = 1.0
_PAUSE_S: Final = 0.05
_SCRATCH_LEVELS: Final = 4
_IPC_RMID: Final = 0


def processes() -> dict[int, str]:
    """Start time of every process that can be seen, by its id."""
    if not _HAS_PROC:
        return {}
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))):
            found[int(entry.name)] = fields[19]
    return found


def _fields(pid: int) -> list[str]:
    """Fields of `/proc/PID/stat` from the state on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def new_processes(before: dict[int, str], is_ours: Callable[[int], bool]) -> list[int]:
    """Processes that were not there before, are ours, and do not end within a second.

    Args:
        before: what was there.
        is_ours: whether a process belongs to the self-test's workers.
    """
    deadline = time.monotonic() + _GRACE_S
    while True:
        found = [
            pid
            for pid, started in processes().items()
            if before.get(pid) != started and is_ours(pid) and _fields(pid)[:1] not in ([], ["Z"])
        ]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(_PAUSE_S)


def descends(pid: int, ancestor: int) -> bool:
    """Whether a process was started by another, directly or not."""
    while pid > 1:
        if pid == ancestor:
            return True
        fields = _fields(pid)
        pid = int(fields[1]) if fields else 0
    return False


def mentions(pid: int, text: str) -> bool:
    """Whether a process was started with an environment or arguments that hold a text."""
    for name in ("environ", "cmdline"):
        with contextlib.suppress(OSError):
            if text.encode() in Path(f"/proc/{pid}/{name}").read_bytes():
                return True
    return False


def scratch_files(folder: Path) -> frozenset[str]:
    """What lies in the folders of worker sources, a few levels deep."""
    found: list[str] = []
    waiting = [(str(folder), 0)]
    while waiting:
        place, level = waiting.pop()
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                found.append(entry.path)
                if level < _SCRATCH_LEVELS and entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, level + 1))
    return frozenset(found)


def kernel_objects(key: int, mark: str) -> list[str]:
    """Objects with the key or the name that attacks were given; those that are found are removed.

    Args:
        key: key of System V objects.
        mark: name of POSIX objects, and description of kernel keys.
    """
    if not _HAS_PROC:
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    memory = libc.shmget(key, 0, 0)
    if memory != -1:
        found.append("System V shared memory")
        libc.shmctl(memory, _IPC_RMID, None)
    messages = libc.msgget(key, 0)
    if messages != -1:
        found.append("System V message queue")
        libc.msgctl(messages, _IPC_RMID, None)
    semaphores = libc.semget(key, 0, 0)
    if semaphores != -1:
        found.append("System V semaphores")
        libc.semctl(semaphores, 0, _IPC_RMID)
    mq_unlink = getattr(libc, "mq_unlink", None)
    if mq_unlink is not None and mq_unlink(f"/{mark}".encode()) == 0:
        found.append("POSIX message queue")
    with contextlib.suppress(OSError):
        if mark in Path("/proc/keys").read_text():
            found.append("key in the kernel's keyring")
    return found
