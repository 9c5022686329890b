"""The handle of a fork server: starts it, has it fork workers, ends it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from grader.errors import GraderFault
from grader.records.spec import Limits
from grader.records.wire import HEADER, Ready, WireError, decode
from grader.sandbox.worker import Worker

_START_S: Final = 180.0
_ANSWER_S: Final = 60.0
_MESSAGE_BYTES: Final = 65536
_PATH_VARIABLES: Final = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")


def worker_environment(keras_home: Path) -> dict[str, str]:
    """Environment variables of the fork server: nothing of the host's but where to find libraries.

    Args:
        keras_home: an empty folder, so that no `keras.json` of anybody's is read.
    """
    kept = {name: os.environ[name] for name in _PATH_VARIABLES if name in os.environ}
    return kept | {
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",  # sets iterate in the same order in every run
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(keras_home),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_DETERMINISTIC_OPS": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
        "OPENBLAS_NUM_THREADS": "1",  # a second thread would make forking unsafe
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "SDL_VIDEODRIVER": "dummy",
        "HOME": str(keras_home),
    }


class WorkerSource(Protocol):
    """Something that starts workers: a fork server, or one process per worker."""

    versions: dict[str, str]

    def student(self, limits: Limits, seed: int) -> Worker:
        """A worker for student code."""

    def inspector(self) -> Worker:
        """A worker that never runs student code; kept until `close`."""

    def wait_ready(self) -> None:
        """Waits until workers can be started."""

    def alive(self) -> bool:
        """Whether it can still start workers."""

    def close(self) -> None:
        """Ends all workers."""


class _Source:
    """What both ways of starting workers share."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="grader-")
        self._inspector: Worker | None = None
        self._inspector_limits = Limits(call_wall_s=300, call_cpu_s=120, part_wall_s=36000,
                                        part_cpu_s=36000, processes=1000)  # fmt: skip

    def _scratch(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="worker-", dir=self._folder.name))

    def _pair(self) -> tuple[socket.socket, socket.socket, int, int]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        read, write = os.pipe()
        return ours, theirs, read, write

    def _ready(self, worker: Worker, channel: socket.socket) -> None:
        """Waits for the report a worker makes before it loads any student code."""
        channel.setblocking(True)
        channel.settimeout(_START_S)
        try:
            (size,) = HEADER.unpack(_exactly(channel, HEADER.size))
            if size > _MESSAGE_BYTES:
                raise WireError("the first message is too long")
            ready = Ready.parse(decode(_exactly(channel, size)))
        except (OSError, ValueError) as error:
            printed = worker.printed()
            worker.close()
            raise GraderFault(f"a worker did not start: {error} {printed}".strip()) from error
        worker.barriers = ready.layers
        channel.settimeout(None)
        channel.setblocking(False)


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            raise OSError("the channel closed")
        data += part
    return data


class ForkServer(_Source):
    """A process that has imported TensorFlow, Keras and Gymnasium and forks workers.

    One fork server serves one grading slot: one student worker and one inspector at a time.

    Args:
        on_start: called when the server has been started, before its imports are done.
    """

    def __init__(self, on_start: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        keras_home = Path(self._folder.name) / "home"
        keras_home.mkdir(mode=0o755)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-s", "-P", "-m", "grader.worker", "--server",
                 str(theirs.fileno())],
                env=worker_environment(keras_home),
                cwd="/",
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        self._control = ours
        self._pids: set[int] = set()
        self._broken = False
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
        answer = self._answer(_START_S)
        self.versions = dict(answer["versions"])

    def alive(self) -> bool:
        """Whether the server still runs."""
        # A killed process closes its sockets a moment before it can be waited for.
        return not self._broken and self._process.poll() is None

    def _answer(self, timeout_s: float = _ANSWER_S) -> dict[str, Any]:
        self._control.settimeout(timeout_s)
        try:
            data = self._control.recv(_MESSAGE_BYTES)
        except OSError as error:
            self._broken = True
            raise GraderFault(f"the fork server does not answer: {error}") from error
        if not data:
            self._broken = True
            raise GraderFault(f"the fork server ended: {self._last_words()}")
        answer: dict[str, Any] = json.loads(data)
        if answer.get("error"):
            raise GraderFault(str(answer["error"]))
        return answer

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        stream = self._process.stderr
        if stream is None or stream.closed:
            return "no message"
        os.set_blocking(stream.fileno(), False)
        return (stream.read() or b"").decode("utf-8", "replace")[-2000:]

    def _spawn(self, role: str, limits: Limits, seed: int) -> Worker:
        self.wait_ready()
        scratch = self._scratch()
        ours, theirs, read, write = self._pair()
        request = {
            "op": "spawn", "role": role, "limits": limits.plain(), "seed": seed,
            "scratch": str(scratch),
        }  # fmt: skip
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], [theirs.fileno(), write])
            pid = int(self._answer()["pid"])
        except (OSError, GraderFault) as error:
            ours.close()
            os.close(read)
            raise GraderFault(f"the fork server does not listen: {error}") from error
        finally:
            theirs.close()
            os.close(write)
        self._pids.add(pid)
        worker = Worker(
            pid=pid, server_pid=self.pid, siblings=self._living, channel=ours, output=read,
            scratch=scratch, limits=limits, reap=self._reap, server_alive=self.alive,
        )  # fmt: skip
        self._ready(worker, ours)
        return worker

    def _living(self) -> frozenset[int]:
        return frozenset(self._pids)

    def _reap(self, pid: int) -> int | None:
        self._pids.discard(pid)
        try:
            self._control.send(json.dumps({"op": "reap", "pid": pid}).encode())
            status = self._answer().get("status")
        except (OSError, GraderFault):
            # Only the server can find a worker's orphans; without it at least the worker is ended.
            self._broken = True
            self.kill()
            for end in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    end(pid, signal.SIGKILL)
            return None
        return None if status is None else int(status)

    def student(self, limits: Limits, seed: int) -> Worker:
        """Forks a worker for student code.

        Raises:
            GraderFault: it could not be forked.
        """
        return self._spawn("student", limits, seed)

    def inspector(self) -> Worker:
        """The slot's inspector; forked when first asked for, and again when it has failed."""
        if self._inspector is None or self._inspector.ended:
            self._inspector = None
            self._inspector = self._spawn("inspector", self._inspector_limits, 0)
        return self._inspector

    def kill(self) -> None:
        """Ends the server at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Ends the server and its workers and removes their folder."""
        if self._inspector is not None:
            self._inspector.close()
            self._inspector = None
        self._control.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._folder.cleanup()


class ColdStart(_Source):
    """Starts a whole process per worker, where forking is not to be had. Slow, same protocol."""

    def __init__(self) -> None:
        super().__init__()
        self._home = Path(self._folder.name) / "home"
        self._home.mkdir(mode=0o755)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def wait_ready(self) -> None:
        """There is nothing to wait for."""

    def alive(self) -> bool:
        """A process per worker: there is nothing that could have ended."""
        return True

    def _spawn(self, role: str, limits: Limits, seed: int) -> Worker:
        scratch = self._scratch()
        ours, theirs, read, write = self._pair()
        request = {
            "role": role, "limits": limits.plain(), "seed": seed, "scratch": str(scratch),
        }  # fmt: skip
        with theirs:
            process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-s", "-P", "-m", "grader.worker", "--cold",
                 str(theirs.fileno()), str(write), json.dumps(request)],
                env=worker_environment(self._home),
                cwd="/",
                pass_fds=(theirs.fileno(), write),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
        os.close(write)
        self._processes[process.pid] = process
        worker = Worker(
            pid=process.pid, server_pid=None, siblings=frozenset, channel=ours, output=read,
            scratch=scratch, limits=limits, reap=self._reap, server_alive=lambda: True,
        )  # fmt: skip
        self._ready(worker, ours)
        return worker

    def _reap(self, pid: int) -> int | None:
        process = self._processes.pop(pid)
        had_ended = process.poll()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        process.kill()
        process.wait()
        return had_ended

    def student(self, limits: Limits, seed: int) -> Worker:
        """Starts a worker for student code."""
        return self._spawn("student", limits, seed)

    def inspector(self) -> Worker:
        """The slot's inspector."""
        if self._inspector is None or self._inspector.ended:
            self._inspector = self._spawn("inspector", self._inspector_limits, 0)
        return self._inspector

    def close(self) -> None:
        """Ends all workers and removes their folder."""
        if self._inspector is not None:
            self._inspector.close()
        self._folder.cleanup()


def best_source() -> WorkerSource:
    """The fastest way of starting workers that this platform has."""
    if sys.platform == "linux":
        return ForkServer()
    return ColdStart()
