"""The worker's end of the channel: blocking, one request at a time."""

from __future__ import annotations

import socket
from typing import Any

from grader.records.wire import HEADER, decode


class Closed(Exception):
    """The grader has closed the channel."""


class WorkerChannel:
    """Frames over a stream socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def receive(self) -> Any:
        """The next frame's value.

        Raises:
            Closed: there will be none.
        """
        (size,) = HEADER.unpack(self._exactly(HEADER.size))
        return decode(self._exactly(size))

    def send(self, data: bytes) -> None:
        """Sends one frame, header included."""
        self._connection.sendall(data)

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._connection.recv(min(size, 1 << 20))
            if not part:
                raise Closed
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
