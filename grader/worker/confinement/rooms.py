"""Rooms for workers: namespaces that are furnished before a worker is forked into them.

A room is kept by a small process, the first of its process namespace. It is not forked from the
fork server, whose hundreds of megabytes would have to be copied and taken down once more for each
worker, but from the cage's init, which was there before anything was imported. When the keeper
ends, the kernel ends everything in the room, however often it forked and whatever it ignores.

Sources: pid_namespaces(7), setns(2) with a process descriptor.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from grader.records.spec import Limits
from grader.worker.confinement import mounts, namespaces
from grader.worker.confinement import system_calls as calls
from grader.worker.confinement.capabilities import drop_capabilities, no_new_privileges

SCRATCH: Final = "/student"
"""Where a worker's scratch is mounted."""
_BORROWED: Final = (("tmp", "/tmp"), ("shm", "/dev/shm"))  # noqa: S108  where programs look
"""Folders that programs write to by habit; each is one of the scratch."""
_MESSAGE_BYTES: Final = 4096


@dataclass(frozen=True)
class Room:
    """A room that is ready."""

    keeper: int
    """Process id of its keeper, as the fork server sees it."""
    handle: int
    """Descriptor of the keeper."""

    def end(self) -> None:
        """Ends everything in the room."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)


class Rooms:
    """The fork server's way of getting rooms and forking into them.

    Args:
        service: a socket to the process that runs `keep_rooms`.
    """

    def __init__(self, service: socket.socket) -> None:
        self._service = service
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def open(self, limits: Limits) -> Room:
        """Has a room made.

        Raises:
            OSError: the machine refuses it.
        """
        order = {"size_mb": limits.scratch_mb, "files": limits.scratch_files}
        self._service.send(json.dumps(order).encode())
        answer = json.loads(self._service.recv(_MESSAGE_BYTES) or b"{}")
        if "keeper" not in answer:
            raise OSError(answer.get("error", "the cage's init has ended"))
        return Room(answer["keeper"], os.pidfd_open(answer["keeper"]))

    def fork_into(self, room: Room) -> int:
        """`os.fork`, with the child in the process namespace of a room; see `walk_in`.

        Raises:
            OSError: the machine refuses it.
        """
        # Only children are moved by it; this process stays where it is, and must say so again.
        calls.enter_namespace(room.handle, calls.CLONE_NEWPID, "entering a process namespace")
        try:
            child = os.fork()
        except OSError:
            self._return()
            raise
        if child != 0:
            self._return()
        return child

    def _return(self) -> None:
        calls.enter_namespace(self._own, calls.CLONE_NEWPID, "leaving a process namespace")


def walk_in(room: Room) -> None:
    """Enters a room with all but the process's number, which forking gave it.

    Raises:
        OSError: the machine refuses it.
    """
    kinds = sum(flag for flag, _ in namespaces.SEPARATE)
    calls.enter_namespace(room.handle, kinds, "entering a room")
    os.chdir("/")


def keep_rooms(service: socket.socket) -> NoReturn:
    """Makes rooms until nobody asks any more, then ends the process.

    Needs the capabilities that the cage's user namespace gives.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for keepers
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    while message := service.recv(_MESSAGE_BYTES):
        order = json.loads(message)
        try:
            answer: dict[str, Any] = {"keeper": _make(order, own)}
        except OSError as error:
            answer = {"error": str(error)}
        service.send(json.dumps(answer).encode())
    os._exit(0)


def _make(order: dict[str, int], own: int) -> int:
    """Forks a keeper and waits until its room is furnished."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        try:
            calls.unshare(calls.CLONE_NEWPID, "a process namespace inside another")
            try:
                keeper = os.fork()
                if keeper == 0:
                    _become_keeper(order, writing)
            finally:
                # Also where forking failed: the next room could not be made otherwise.
                calls.enter_namespace(own, calls.CLONE_NEWPID, "leaving a process namespace")
        finally:
            os.close(writing)
        said = pipe.read()
    if said != b"ok":
        raise OSError(said.decode("utf-8", "replace") or "a room's keeper ended at once")
    return keeper


def _become_keeper(order: dict[str, int], writing: int) -> NoReturn:
    try:
        namespaces.end_with_parent()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        furnish(order["size_mb"], order["files"])
        drop_capabilities()
        no_new_privileges()
        os.write(writing, b"ok")
        os.closerange(0, 1 << 20)
        while True:
            signal.pause()
    except BaseException as error:  # noqa: BLE001  a forked process must end here
        os.write(writing, str(error).encode()[:_MESSAGE_BYTES])
    finally:
        os._exit(1)


def furnish(size_mb: int, files: int) -> None:
    """Separates this process from all others and mounts a scratch and a view of processes.

    Of the cage only what is read-only remains visible.

    Args:
        size_mb: MiB that the scratch holds.
        files: files and folders that it holds.

    Raises:
        OSError: the machine refuses it.
    """
    namespaces.separate()
    mounts.make_private()
    calls.mount(
        "tmpfs", SCRATCH, "tmpfs", calls.MS_NOSUID | calls.MS_NODEV,
        f"mode=700,size={size_mb}m,nr_inodes={files}",
    )  # fmt: skip
    for name, place in _BORROWED:
        Path(SCRATCH, name).mkdir(mode=0o700)
        mounts.bind(f"{SCRATCH}/{name}", place)
    calls.mount("proc", "/proc", "proc", calls.MS_NOSUID | calls.MS_NODEV | calls.MS_NOEXEC)
