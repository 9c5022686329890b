"""Leaves the rights of root behind, also where the libraries lie in a folder that only root enters.

The home of root is closed to everyone else, and interpreters are often installed there. Before the
rights are given up, such folders are replaced, in a mount namespace of this process alone, by empty
ones that hold nothing but the library folders that are needed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from grader.worker.confinement import system_calls as calls
from grader.worker.confinement.mounts import bind_descriptor, make_private


def is_root() -> bool:
    """Whether this process has the rights of root in the eyes of the machine."""
    return os.geteuid() == 0 or os.getuid() == 0


def closed_folders(paths: Sequence[str], user: int) -> list[str]:
    """The outermost folders above `paths` that a user cannot enter."""
    closed: list[str] = []
    for path in paths:
        for parent in reversed(Path(path).parents):
            if any(Path(folder) in (parent, *parent.parents) for folder in closed):
                break
            if not _open_to(user, parent):
                closed.append(str(parent))
                break
    return closed


def _open_to(user: int, folder: Path) -> bool:
    found = folder.stat()
    if found.st_uid == user:
        return bool(found.st_mode & stat.S_IXUSR)
    return bool(found.st_mode & stat.S_IXOTH)


def open_the_way(paths: Sequence[str], user: int) -> None:
    """Makes `paths` reachable for a user, in this process's own view of the file system.

    Raises:
        OSError: the machine refuses mounts; its operator must install the interpreter and the
            packages where everyone can read them.
    """
    closed = closed_folders(paths, user)
    if not closed:
        return
    try:
        calls.unshare(calls.CLONE_NEWNS, "a mount namespace")
    except OSError as error:
        raise PermissionError(
            error.errno,
            f"{', '.join(closed)} can be entered by root alone and holds the interpreter or its "
            f"packages, and this machine refuses mounts ({error.strerror})",
        ) from error
    make_private()
    for folder in closed:
        inside = [path for path in paths if path.startswith(f"{folder}/")]
        held = [os.open(path, os.O_PATH) for path in inside]
        try:
            calls.mount("tmpfs", folder, "tmpfs", calls.MS_NOSUID | calls.MS_NODEV, "mode=755")
            for path, descriptor in zip(inside, held, strict=True):
                bind_descriptor(descriptor, path)
        finally:
            for descriptor in held:
                os.close(descriptor)


def drop_root(user: int) -> None:
    """Becomes an unprivileged user for good, with a group of the same number.

    The mount namespace stays.

    Raises:
        OSError: the machine refuses it.
    """
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # Changing the user made this process undumpable; it could not write its own id maps.
    calls.prctl("PR_SET_DUMPABLE", calls.PR_SET_DUMPABLE, 1)
