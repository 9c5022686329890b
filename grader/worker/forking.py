"""The fork server's loop: forks a worker on request, and ends it with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from grader.records.spec import Isolation, Limits
from grader.worker.becoming import Birth, become_worker, ending
from grader.worker.confinement import levels
from grader.worker.confinement.places import Places
from grader.worker.confinement.rooms import Room, Rooms, walk_in

_END_S: Final = 10.0
_MESSAGE_BYTES: Final = 65536


def _safe_to_fork() -> str | None:
    """Why forking would be unsafe, or None."""
    from tensorflow.python.eager import context

    if context.context()._initialized:  # noqa: SLF001  no public way to ask
        return "TensorFlow has run an operation in the fork server"
    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    if threads != 1:
        return f"the fork server has {threads} threads"
    return None


def _children() -> list[int]:
    text = Path("/proc/self/task").joinpath(str(os.getpid()), "children").read_text()
    return [int(pid) for pid in text.split()]


@dataclass
class Server:
    """What serves the grader's requests until the grader is gone."""

    control: socket.socket
    isolation: Isolation
    places: Places
    rooms: Rooms | None = None
    """At full isolation, where workers are put."""
    _workers: dict[int, Room | None] = field(default_factory=dict)

    def serve(self) -> None:
        """Answers requests until the grader is gone, then ends whatever is left."""
        levels.prepare()
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self.control, _MESSAGE_BYTES, 2)
            except OSError:
                message, descriptors = b"", []
            if not message:
                break
            request = json.loads(message)
            if request["op"] == "spawn":
                self._spawn(request, descriptors)
            elif request["op"] == "reap":
                self._answer(self._reap(request["worker"], request["grace_s"]))
        for worker in tuple(self._workers):
            self._reap(worker, 0.0)

    def _answer(self, answer: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        with contextlib.suppress(OSError):  # the grader is gone; the next receive tells
            socket.send_fds(self.control, [json.dumps(answer).encode()], descriptors)

    def _spawn(self, request: dict[str, Any], descriptors: list[int]) -> None:
        try:
            if reason := _safe_to_fork():
                self._answer({"error": reason})
                return
            room = None
            if self.rooms is not None:
                room = self.rooms.open(Limits.parse(request["limits"]))
            worker = self._fork(request, room, descriptors)
        except (OSError, ValueError) as error:
            self._answer({"error": f"the fork server cannot start a worker: {error}"})
            return
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._workers[worker] = room
        self._answer({"worker": worker}, () if room is None else (room.handle,))

    def _fork(self, request: dict[str, Any], room: Room | None, descriptors: list[int]) -> int:
        if self.rooms is None or room is None:
            worker = os.fork()
        else:
            try:
                worker = self.rooms.fork_into(room)
            except OSError:
                room.end()
                os.close(room.handle)
                raise
        if worker == 0:
            ending(lambda: self._become_worker(request, room, descriptors))
        return worker

    def _become_worker(
        self, request: dict[str, Any], room: Room | None, descriptors: list[int]
    ) -> None:
        self.control.close()
        if room is not None:
            walk_in(room)
        become_worker(Birth.of(request, self.isolation, self.places), *descriptors)

    def _reap(self, worker: int, grace_s: float) -> dict[str, Any]:
        """Ends a worker and everything it started.

        In a room the kernel does that when its keeper ends. Elsewhere orphans of a worker become
        children of this process (it is their sub-reaper), so that a daemon is found however often
        it forked.

        Returns:
            `status`: how the worker had ended by itself, within `grace_s` seconds; None if not.
        """
        room = self._workers.pop(worker, None)
        status = _own_end(worker, grace_s)
        deadline = time.monotonic() + _END_S
        if room is not None:
            room.end()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(worker, 0)
            over = _is_over(room.handle, _END_S)  # when nothing is left in the room
            os.close(room.handle)
            return {"status": status} if over else {"error": "a room could not be emptied"}
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker, signal.SIGKILL)  # all at once: those that fork meanwhile as well
        while remaining := [child for child in _children() if child not in self._workers]:
            for child in remaining:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            for child in remaining:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child, 0)
            if time.monotonic() > deadline:
                return {"error": "processes of a worker could not be ended"}
        return {"status": status}


def _is_over(handle: int, wait_s: float) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(wait_s * 1000))


def _own_end(pid: int, grace_s: float) -> int | None:
    """Exit status of a worker that ends by itself, negative for a signal; leaves it to be reaped.

    A process closes its channel a moment before it counts as ended, hence the grace.
    """
    deadline = time.monotonic() + grace_s
    while True:
        try:
            how = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if how is not None:
            return how.si_status if how.si_code == os.CLD_EXITED else -how.si_status
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.002)
