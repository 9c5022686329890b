"""Sockets that listen outside and note whoever comes."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path
from typing import Final

_HAS_ABSTRACT: Final = sys.platform == "linux"


class Listeners:
    """TCP and UDP on the loopback interface; Unix sockets by path and by abstract name.

    Args:
        folder: where the Unix sockets' paths are.
        name: a name that nobody else uses.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._sockets: dict[str, socket.socket] = {}
        self.unix_path = folder / "listener"
        self.abstract_name = f"{name}-stream"
        self.abstract_datagram_name = f"{name}-datagram"
        tcp = self._open("TCP", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        udp = self._open("UDP", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self._open("Unix socket", socket.AF_UNIX, socket.SOCK_STREAM, str(self.unix_path))
        self.tcp_port = int(tcp.getsockname()[1])
        self.udp_port = int(udp.getsockname()[1])
        if _HAS_ABSTRACT:
            self._open(
                "abstract socket", socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.abstract_name}"
            )
            self._open(
                "abstract datagram socket", socket.AF_UNIX, socket.SOCK_DGRAM,
                f"\0{self.abstract_datagram_name}",
            )  # fmt: skip

    def _open(
        self, what: str, family: int, kind: int, address: str | tuple[str, int]
    ) -> socket.socket:
        opened = socket.socket(family, kind)
        self._sockets[what] = opened
        opened.bind(address)
        if kind == socket.SOCK_STREAM:
            opened.listen(16)
        opened.setblocking(False)
        return opened

    def contacts(self) -> list[str]:
        """The listeners that somebody came to since they were asked last."""
        found = []
        for what, listener in self._sockets.items():
            with contextlib.suppress(BlockingIOError):
                while True:
                    if listener.type == socket.SOCK_STREAM:
                        listener.accept()[0].close()
                    else:
                        listener.recv(4096)
                    if what not in found:
                        found.append(what)
        return found

    def close(self) -> None:
        """Closes them all."""
        for listener in self._sockets.values():
            listener.close()
