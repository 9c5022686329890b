"""What student code prints: read as it comes, its beginning kept."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from grader.records.text import clean_text

KEPT_BYTES: Final = 64 << 10
_READ_BYTES: Final = 64 << 10
_LARGEST_PIPE_BYTES: Final = 1 << 20


class Output:
    """The trusted end of a worker's output pipe.

    Args:
        descriptor: the pipe's reading end; owned by this object from now on.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._kept = bytearray()
        self._closed = False
        self.size_bytes = 0
        """Bytes printed so far."""
        self.ended = False
        """Whether nobody is left who could print."""

    def fileno(self) -> int:
        """The descriptor, for `poll`."""
        return self._descriptor

    def read(self) -> None:
        """Takes some of what is there, without waiting."""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        self.ended = not data
        self.size_bytes += len(data)
        self._kept += data[: max(0, KEPT_BYTES - len(self._kept))]

    def forget(self) -> None:
        """Drops what has been printed so far; that was none of the student's."""
        self._read_all()
        self._kept.clear()
        self.size_bytes = 0

    def finish(self) -> None:
        """Takes what an ended worker left in the pipe, and closes it."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._read_all()
        os.close(self._descriptor)

    def _read_all(self) -> None:
        # Whoever escaped and prints on must not keep this going.
        most = self.size_bytes + _LARGEST_PIPE_BYTES
        before = -1
        while before != self.size_bytes <= most:
            before = self.size_bytes
            self.read()

    def text(self, folder: Path) -> str:
        """The first 64 KiB, cleaned, with a folder's path left out."""
        text = self._kept.decode("utf-8", "replace").replace(str(folder), "")
        return clean_text(text, KEPT_BYTES)
