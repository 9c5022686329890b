"""Namespaces of the calling process, namespaces(7), user_namespaces(7)."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Final

from grader.worker.confinement import system_calls as calls

STUDENT_ID: Final = 1000
"""The user and group that a confined process sees itself as."""
SEPARATE: Final = (
    (calls.CLONE_NEWNS, "a mount namespace"),
    (calls.CLONE_NEWNET, "a network namespace"),
    (calls.CLONE_NEWIPC, "an IPC namespace"),
    (calls.CLONE_NEWUTS, "a host-name namespace"),
)
"""What a process separates itself from, beside users and processes."""


def enter_user_namespace() -> None:
    """Moves the process into a user namespace of its own, where it is an ordinary user.

    It has all capabilities there, and over nothing that lies outside.

    Raises:
        OSError: the machine refuses it.
    """
    user, group = os.getuid(), os.getgid()
    calls.unshare(calls.CLONE_NEWUSER, "a user namespace")
    for file, line in (
        ("setgroups", "deny"),  # the kernel asks for it before the map of groups
        ("uid_map", f"{STUDENT_ID} {user} 1"),
        ("gid_map", f"{STUDENT_ID} {group} 1"),
    ):
        try:
            Path(f"/proc/self/{file}").write_text(line)
        except OSError as error:
            raise PermissionError(
                error.errno, f"a user namespace: writing {file}: {error.strerror}"
            ) from error


def separate() -> None:
    """Moves the process into namespaces of its own for mounts, network, IPC and host name.

    Raises:
        OSError: the machine refuses one of them; the message says which.
    """
    for flag, what in SEPARATE:
        calls.unshare(flag, what)


def end_with_parent() -> None:
    """Asks the kernel to end this process with the one that started it."""
    calls.prctl("PR_SET_PDEATHSIG", calls.PR_SET_PDEATHSIG, signal.SIGKILL)
