"""The fork server's loop: forks a worker on request, and ends it with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from grader.records.spec import Isolation
from grader.worker.becoming import Birth, become_init, become_worker, ending
from grader.worker.confinement import system_calls as calls
from grader.worker.confinement.places import Places

_END_S: Final = 10.0
_MESSAGE_BYTES: Final = 65536
_STATUS_BYTES: Final = 16


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
    folder: str
    """The grader's temporary folder, removed when the grader is gone without having done so."""
    _workers: dict[int, int | None] = field(default_factory=dict)
    """For each worker (its init, where it has one) the descriptor that tells how it ended."""
    _own_namespace: int = -1

    def serve(self) -> None:
        """Answers requests until the grader is gone, then ends whatever is left."""
        if self.isolation is Isolation.FULL:
            self._own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self.control, _MESSAGE_BYTES, 2)
            except OSError:
                message, descriptors = b"", []
            if not message:
                break
            request = json.loads(message)
            if request["op"] == "spawn":
                self._answer(self._spawn(request, descriptors))
            elif request["op"] == "reap":
                self._answer(self._reap(request["worker"], request["grace_s"]))
        for worker in tuple(self._workers):
            self._reap(worker, 0.0)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answer(self, answer: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the grader is gone; the next receive tells
            self.control.send(json.dumps(answer).encode())

    def _spawn(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        try:
            if reason := _safe_to_fork():
                return {"error": reason}
            if self.isolation is Isolation.FULL:
                worker, report = self._fork_namespace(request, *descriptors)
            else:
                worker, report = os.fork(), None
                if worker == 0:
                    self.control.close()
                    ending(lambda: become_worker(self._birth(request), *descriptors))
        except OSError as error:
            return {"error": f"the fork server cannot start a worker: {error}"}
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._workers[worker] = report
        return {"worker": worker}

    def _birth(self, request: dict[str, Any]) -> Birth:
        return Birth.of(request, self.isolation, self.places)

    def _fork_namespace(
        self, request: dict[str, Any], channel: int, output: int
    ) -> tuple[int, int]:
        """Forks the init of a new process namespace; this process stays in its own."""
        reading, writing = os.pipe()
        try:
            # Only children are moved by it; without the way back the next one would be refused.
            calls.unshare(calls.CLONE_NEWPID, "a process namespace")
            try:
                init = os.fork()
                if init == 0:
                    self.control.close()
                    ending(lambda: become_init(self._birth(request), channel, output, writing))
            finally:
                calls.enter_namespace(
                    self._own_namespace, calls.CLONE_NEWPID, "leaving a process namespace"
                )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return init, reading

    def _reap(self, worker: int, grace_s: float) -> dict[str, Any]:
        """Ends a worker and everything it started.

        With a namespace of its own the kernel does that when its init ends. Elsewhere orphans of a
        worker become children of this process (it is their sub-reaper), so that a daemon is found
        however often it forked.

        Returns:
            `status`: how the worker had ended by itself, within `grace_s` seconds; None if not.
        """
        report = self._workers.pop(worker, None)
        status = _own_end(worker, grace_s)
        deadline = time.monotonic() + _END_S
        if report is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(worker, 0)  # returns when nothing is left in the namespace
            if status is not None:
                status = int(os.read(report, _STATUS_BYTES) or status)
            os.close(report)
            return {"status": status}
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
