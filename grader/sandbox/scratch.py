"""The folders that workers write to, and how to remove what hostile code has filled."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PREFIX: Final = "grader-work-"
_YOUNG_S: Final = 60.0


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
    """Removes folders of processes that were killed."""
    for folder in temporary.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.lstat().st_mtime < _YOUNG_S:
                continue  # its owner may be about to lock it
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(folder)
            finally:
                os.close(lock)


def remove_tree(root: Path) -> None:
    """Removes a folder and everything in it, as far as the machine lets.

    Neither the depth of the folders nor their permissions keep it from that: sub-folders are moved
    up beside `root` and emptied there, so that no path grows long and nothing recurses. Links are
    removed and not followed. Nothing may run in the folder any more.
    """
    waiting = [str(root)]
    moved = 0
    while waiting:
        folder = waiting.pop()
        with contextlib.suppress(OSError):
            os.chmod(folder, 0o700)  # noqa: PTH101  a path as text, as scandir gives it
        try:
            with os.scandir(folder) as entries:
                found = list(entries)
        except OSError:
            continue
        for entry in found:
            with contextlib.suppress(OSError):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)  # noqa: PTH108
                    continue
                moved += 1
                beside = f"{root}.{moved}"
                os.chmod(entry.path, 0o700)  # noqa: PTH101  renaming writes into the folder
                os.rename(entry.path, beside)  # noqa: PTH104
                waiting.append(beside)
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106
