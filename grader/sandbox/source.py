"""What both ways of starting workers share: environment, pipes, the first message."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from grader.errors import GraderFault
from grader.records.messages import Ready
from grader.records.spec import Limits
from grader.records.wire import HEADER, WireError, decode
from grader.sandbox.scratch import remove_tree
from grader.sandbox.worker import Worker

START_S: Final = 180.0
"""Seconds that a start may take, on a machine that is busy with others."""
_READY_BYTES: Final = 65536
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


@dataclass
class _Ends:
    """The ends of a new worker's channel and output pipe."""

    ours: socket.socket
    theirs: socket.socket
    read: int
    write: int


@contextlib.contextmanager
def _pipes() -> Iterator[_Ends]:
    """Makes both; on leaving, the worker's ends are closed, and after an error ours as well."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    read, write = os.pipe()
    try:
        yield _Ends(ours, theirs, read, write)
    except BaseException:
        ours.close()
        os.close(read)
        raise
    finally:
        theirs.close()
        os.close(write)


class Source(ABC):
    """The folder, the inspector and the hand-shake of a source of workers."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        # What cannot be removed (a file made immutable) is left to the machine's own clean-up.
        self._folder = tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True)
        self._inspector: Worker | None = None
        self._inspector_limits = Limits(call_wall_s=300, call_cpu_s=120, part_wall_s=36000,
                                        part_cpu_s=36000, processes=1000)  # fmt: skip

    def student(self, limits: Limits, seed: int) -> Worker:
        """A fresh worker for student code.

        Args:
            limits: what it may use.
            seed: start of all its random generators.

        Raises:
            GraderFault: it could not be started; the operator must act.
        """
        return self._spawn("student", limits, seed)

    def inspector(self) -> Worker:
        """The slot's inspector; started when first asked for, and again when it has ended.

        Raises:
            GraderFault: it could not be started; the operator must act.
        """
        if self._inspector is None or self._inspector.ended:
            self._inspector = None
            self._inspector = self._spawn("inspector", self._inspector_limits, 0)
        return self._inspector

    def _spawn(self, role: str, limits: Limits, seed: int) -> Worker:
        scratch = self._empty_folder("worker-")
        try:
            with _pipes() as ends:
                pid = self._start(
                    {"role": role, "limits": limits.plain(), "seed": seed, "scratch": str(scratch)},
                    ends.theirs.fileno(),
                    ends.write,
                )
                worker = self._worker(pid, ends.ours, ends.read, scratch, limits)
        except BaseException:
            remove_tree(scratch)
            raise
        self._await_ready(worker, ends.ours)
        return worker

    @abstractmethod
    def _start(self, request: dict[str, Any], channel: int, output: int) -> int:
        """Starts the process and answers its id; the two descriptors are the worker's."""

    @abstractmethod
    def _worker(
        self, pid: int, channel: socket.socket, output: int, scratch: Path, limits: Limits
    ) -> Worker:
        """The handle of a process that was started."""

    def _empty_folder(self, prefix: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self._folder.name))

    def _await_ready(self, worker: Worker, channel: socket.socket) -> None:
        """Waits for the report a worker makes before it loads any student code."""
        channel.settimeout(START_S)
        try:
            (size,) = HEADER.unpack(_exactly(channel, HEADER.size))
            if size > _READY_BYTES:
                raise WireError("the first message is too long")
            ready = Ready.parse(decode(_exactly(channel, size)))
        except (OSError, ValueError, TypeError) as error:
            worker.close()
            raise GraderFault(
                f"a worker did not start: {error} {worker.printed()}".strip()
            ) from error
        worker.started(ready.layers)

    def _remove_folder(self) -> None:
        for left in Path(self._folder.name).glob("*"):
            remove_tree(left)
        self._folder.cleanup()


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            raise OSError("the channel closed")
        data += part
    return data
