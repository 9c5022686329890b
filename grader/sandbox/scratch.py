"""The folders that workers write to, and how to remove what hostile code has filled."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.records.barriers import UNPRIVILEGED_IDS

_PREFIX: Final = "grader-work-"
_YOUNG_S: Final = 60.0
_MOST_ROUNDS: Final = 100_000
"""Each gets at least one folder deeper; whoever goes on making them must not keep this going."""


@dataclass(frozen=True)
class Scratch:
    """The one folder that a worker writes to."""

    inside: Path
    """Where the worker sees it."""
    outside: Path | None
    """Where it lies on this machine; None when it goes away together with the worker."""


class WorkFolder:
    """A temporary folder that is gone after its process, one way or the other.

    A process that is killed leaves it behind, and what lies in it may belong to another user by
    then. Whoever makes the next one removes those whose owner does not run any more: the owner
    holds a lock on it, which ends with the process.
    """

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def new(self, prefix: str) -> Path:
        """A new empty folder in it."""
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self.path))

    def close(self) -> None:
        """Removes it, with all that is in it."""
        remove_tree(self.path)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _sweep(temporary: Path) -> None:
    """Removes folders of processes that were killed; never those of other people."""
    ours = {os.geteuid(), *(UNPRIVILEGED_IDS if os.geteuid() == 0 else ())}
    for folder in temporary.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            about = folder.lstat()
            if about.st_uid not in ours or time.time() - about.st_mtime < _YOUNG_S:
                continue  # a young one's owner may be about to lock it
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(folder)
            finally:
                os.close(lock)


def remove_tree(root: Path) -> None:
    """Removes a folder and everything in it, as far as the machine lets.

    Neither the depth of the folders nor their permissions keep it from that: sub-folders are moved
    up into `root` and emptied there, so that no path grows long and nothing recurses. All is done
    by descriptors of folders that are no links, so that nobody who can write to the folder can
    make it remove something that lies elsewhere.
    """
    with contextlib.suppress(OSError):
        parent = os.open(root.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _empty(root.name, parent)
            os.rmdir(root.name, dir_fd=parent)
        finally:
            os.close(parent)


def _empty(name: str, parent: int) -> None:
    """Removes everything in a folder.

    Raises:
        OSError: it is no folder, or cannot be entered.
    """
    top = _open_folder(name, parent)
    moved = 0
    try:
        for _ in range(_MOST_ROUNDS):
            before = moved
            removed = 0
            for entry in _names(top):
                removed += _removed_file(entry, top)
                with contextlib.suppress(OSError):
                    inner = _open_folder(entry, top)
                    try:
                        moved += _move_up(inner, top)
                    finally:
                        os.close(inner)
                    os.rmdir(entry, dir_fd=top)
                    removed += 1
            if moved == before and removed == 0:
                return
    finally:
        os.close(top)


def _move_up(folder: int, top: int) -> int:
    """Removes a folder's files and moves its folders beside it; answers how many.

    They get names that nothing in there can have.
    """
    moved = 0
    for entry in _names(folder):
        if _removed_file(entry, folder):
            continue
        with contextlib.suppress(OSError):
            os.close(_open_folder(entry, folder))  # renaming writes into it
            os.rename(entry, secrets.token_hex(16), src_dir_fd=folder, dst_dir_fd=top)
            moved += 1
    return moved


def _names(folder: int) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _removed_file(name: str, folder: int) -> bool:
    """Removes a name that is no folder; whether it was one and is gone."""
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return False
    return True


def _open_folder(name: str, parent: int) -> int:
    """A descriptor of a folder that is no link, whatever its permissions were.

    Raises:
        OSError: it is none, or belongs to somebody else.
    """
    if sys.platform == "linux":
        handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            with contextlib.suppress(OSError):
                os.chmod(f"/proc/self/fd/{handle}", 0o700)  # noqa: PTH101  this very folder
            return os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_DIRECTORY)
        finally:
            os.close(handle)
    with contextlib.suppress(OSError, NotImplementedError):
        os.chmod(name, 0o700, dir_fd=parent, follow_symlinks=False)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
