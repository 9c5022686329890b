"""The handle of a fork server: starts it, has it fork workers, ends it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any, Final

from grader.errors import GraderFault
from grader.records.spec import Isolation
from grader.records.text import clean_text
from grader.sandbox import watch
from grader.sandbox.cold import ColdStart
from grader.sandbox.source import START_S, Source, Started, WorkerSource, worker_environment
from grader.sandbox.watch import Kin

__all__ = ["ColdStart", "ForkServer", "WorkerSource", "best_source", "worker_environment"]

_ANSWER_S: Final = 60.0
_END_S: Final = 20.0
_MESSAGE_BYTES: Final = 65536


class ForkServer(Source):
    """A process that has imported TensorFlow, Keras and Gymnasium and forks workers.

    One fork server serves one grading slot: one student worker and one inspector at a time, or a
    few student workers side by side as long as none of them is ended by what another one starts.
    Several threads may start and end workers; each worker is for one thread.

    Args:
        wanted: the level of isolation; the strongest that this machine has when left out.
        on_start: called when the server has been started, before its imports are done.
    """

    def __init__(
        self, wanted: Isolation | None = None, on_start: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__()
        home = self._empty_folder("home-")
        home.chmod(0o755)  # read by workers of another user
        order = {
            "isolation": wanted,
            "user": self._user,
            "folder": str(self._folder.path),
            "mount_point": str(self._empty_folder("cage-")),
        }
        # A pipe that nobody reads would stop the server once it is full.
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed in `close`
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-s", "-P", "-m", "grader.worker", "--server",
                 str(theirs.fileno())],
                env=worker_environment(home),
                cwd="/",
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._messages,
                start_new_session=True,
            )  # fmt: skip
        self._control = ours
        # Not as an argument: workers can read those, and paths tell of this machine.
        ours.send(json.dumps(order).encode())
        self._lost = False
        # One question at a time; workers may be started and ended by several threads.
        self._turn = threading.RLock()
        self._pids: set[int] = set()
        self.refused: dict[Isolation, str] = {}
        """Stronger levels than the one in force, and why this machine refuses them."""
        on_start()

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Waits until the server's imports are done.

        Raises:
            GraderFault: it did not come up; its operator must act.
        """
        if self.versions:
            return
        answer = self._answer(START_S)
        self.isolation = Isolation(answer["isolation"])
        self.refused = {Isolation(level): str(why) for level, why in answer["refused"].items()}
        self.versions = dict(answer["versions"])

    def alive(self) -> bool:
        """Whether the server still runs."""
        # A killed process closes its sockets a moment before it can be waited for.
        return not self._lost and self._process.poll() is None

    def _answer(self, timeout_s: float = _ANSWER_S) -> dict[str, Any]:
        return self._message(timeout_s)[0]

    def _message(self, timeout_s: float) -> tuple[dict[str, Any], list[int]]:
        try:
            self._control.settimeout(timeout_s)
            data, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 1)
        except OSError as error:
            # An answer that comes later would be taken for that to another request.
            self.kill()
            self._lost = True
            raise GraderFault(f"the fork server does not answer: {error}") from error
        if not data:
            self._lost = True
            raise GraderFault(f"the fork server ended: {self._last_words()}")
        answer: dict[str, Any] = json.loads(data)
        if answer.get("error"):
            raise GraderFault(str(answer["error"]))
        return answer, descriptors

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        if self._messages.closed:
            return "no message"
        self._messages.seek(0)
        text = self._messages.read().decode("utf-8", "replace")
        return clean_text(text[-2000:]).strip() or "no message"

    def _start(self, request: dict[str, Any], channel: int, output: int) -> Started:
        message = json.dumps({"op": "spawn", **request}).encode()
        with self._turn:
            try:
                socket.send_fds(self._control, [message], [channel, output])
            except OSError as error:
                self._lost = True
                raise GraderFault(f"the fork server does not listen: {error}") from error
            try:
                answer, descriptors = self._message(_ANSWER_S)
            except GraderFault:
                # What it could not do once it may not be able to do again: another one is started.
                self.kill()
                self._lost = True
                raise
            started = Started(key=int(answer["worker"]), keeper=next(iter(descriptors), None))
            if started.keeper is None:
                self._pids.add(started.key)
        return started

    def _kin(self, pid: int, started: Started) -> Kin:
        if started.keeper is not None:
            return Kin(pid, keeper=watch.process_of(started.keeper))
        return Kin(pid, server=self.pid, siblings=lambda: frozenset(self._pids), still=self._turn)

    def _reap(self, key: int, grace_s: float) -> int | None:
        try:
            request = {"op": "reap", "worker": key, "grace_s": grace_s}
            with self._turn:
                self._control.send(json.dumps(request).encode())
                status = self._answer().get("status")
                self._pids.discard(key)
        except (OSError, GraderFault) as error:
            # Whatever of the worker is left, no other worker may run beside it.
            self.kill()
            self._lost = True
            raise GraderFault(f"a worker was not ended by its fork server: {error}") from error
        return None if status is None else int(status)

    def kill(self) -> None:
        """Ends the server at once, and by that the workers that it still has."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """Ends the server and its workers and removes their folder.

        Another thread may be waiting for an answer; it gets a fault.
        """
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # closing alone would wake nobody
        if not self.versions:
            self.kill()  # it would not listen before its imports are done
        try:
            self._process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        if self._inspector is not None:
            self._inspector.close()
            self._inspector = None
        self._control.close()
        self._messages.close()
        self._folder.close()


def best_source(wanted: Isolation | None = None) -> WorkerSource:
    """The fastest way of starting workers that this platform has.

    Args:
        wanted: the level of isolation; the strongest that this machine has when left out.

    Raises:
        GraderFault: this platform does not have that level.
    """
    if sys.platform == "linux":
        return ForkServer(wanted)
    if wanted not in (None, Isolation.PROCESS):
        raise GraderFault(f"{wanted} isolation needs Linux; this platform has none but process")
    return ColdStart()
