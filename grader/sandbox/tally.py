"""Adds up what a worker has written, where the kernel does not limit its scratch."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from grader.errors import GraderFault

_DEEPEST: Final = 64
"""Folders inside one another; more of them would cost this process a descriptor each."""
_BLOCK_BYTES: Final = 512
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESRCH})
_OUR_TROUBLE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_DELETED: Final = " (deleted)"


class Uncountable(Exception):
    """A folder is too deep, or keeps from being looked at; no honest one does."""


@dataclass
class Tally:
    """What lies in a worker's scratch, and what it holds that has no name any more.

    Args:
        folder: the scratch; links are not followed.
        processes: the worker and what it has started.
        most_files: where to stop counting.
        largest_bytes: the most that one file can hold.
    """

    folder: Path
    processes: tuple[int, ...]
    most_files: int
    largest_bytes: int
    size_bytes: int = 0
    files: int = 0
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def take(self, *, mapped: bool) -> None:
        """Counts everything.

        Args:
            mapped: whether to look also for deleted files that are mapped, which takes longer.

        Raises:
            Uncountable: the worker has made what cannot be counted.
            GraderFault: this process lacks what it needs for counting.
        """
        try:
            top = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            self._unless_gone(error)
            return
        try:
            self._count(top, 0)
        finally:
            os.close(top)
        for pid in self.processes:
            self._count_nameless(f"/proc/{pid}/fd")
            if mapped:
                self._count_mapped(pid)

    @staticmethod
    def _unless_gone(error: OSError) -> None:
        if error.errno in _OUR_TROUBLE:
            raise GraderFault(f"a worker's folder cannot be looked at: {error.strerror}")
        if error.errno not in _GONE:
            raise Uncountable(error.strerror)

    def _count(self, folder: int, depth: int) -> None:
        if depth > _DEEPEST:
            raise Uncountable(f"more than {_DEEPEST} folders inside one another")
        try:
            names = os.listdir(folder)
        except OSError as error:
            self._unless_gone(error)
            return
        for name in names:
            self.files += 1
            if self.files > self.most_files:
                return
            try:
                about = os.stat(name, dir_fd=folder, follow_symlinks=False)
                self._add(about)
                if not stat.S_ISDIR(about.st_mode):
                    continue
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            except OSError as error:
                self._unless_gone(error)
                continue
            try:
                self._count(inner, depth + 1)
            finally:
                os.close(inner)

    def _add(self, about: os.stat_result) -> None:
        """Adds a file once, however many names it has."""
        if (about.st_dev, about.st_ino) not in self._seen:
            self._seen.add((about.st_dev, about.st_ino))
            self.size_bytes += about.st_blocks * _BLOCK_BYTES

    def _count_nameless(self, links: str) -> None:
        """Counts deleted files behind the links of a folder of `/proc`."""
        with contextlib.suppress(OSError):
            for name in os.listdir(links):  # noqa: PTH208  names are enough
                with contextlib.suppress(OSError):
                    about = os.stat(f"{links}/{name}")  # noqa: PTH116  a magic link
                    if stat.S_ISREG(about.st_mode) and about.st_nlink == 0:
                        self._add(about)

    def _count_mapped(self, pid: int) -> None:
        """Counts deleted files of the scratch that are mapped into memory.

        Only root may ask how large they are; for others each counts as the largest there can be.
        """
        try:
            lines = Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines()
        except OSError:
            return
        for line in lines:
            if not line.endswith(_DELETED) or str(self.folder) not in line:
                continue
            where, _, _, device, number = line.split()[:5]
            try:
                self._add(os.stat(f"/proc/{pid}/map_files/{where}"))  # noqa: PTH116
            except OSError:
                major, _, minor = device.partition(":")
                key = os.makedev(int(major, 16), int(minor, 16)), int(number)
                if key not in self._seen:
                    self._seen.add(key)
                    self.size_bytes += self.largest_bytes
