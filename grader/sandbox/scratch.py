"""The folders that workers write to, and how to remove what hostile code has filled."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Scratch:
    """The one folder that a worker writes to."""

    inside: Path
    """Where the worker sees it."""
    outside: Path | None
    """Where it lies on this machine; None when it goes away together with the worker."""


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
