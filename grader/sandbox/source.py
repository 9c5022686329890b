"""What both ways of starting workers share: environment, pipes, the first message."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from grader.errors import GraderFault
from grader.records.barriers import REQUIRED, UNPRIVILEGED_IDS, Barrier
from grader.records.messages import Ready
from grader.records.spec import Isolation, Limits
from grader.records.wire import HEADER, WireError, decode
from grader.sandbox import watch
from grader.sandbox.meter import NOTHING, Spent
from grader.sandbox.output import Output
from grader.sandbox.scratch import Scratch, WorkFolder, remove_tree
from grader.sandbox.watch import Kin
from grader.sandbox.worker import Worker

START_S: Final = 180.0
"""Seconds that a start may take, on a machine that is busy with others."""
_READY_BYTES: Final = 65536
INSIDE: Final = Path("/student")
"""Scratch of a worker at full isolation, as the worker sees it."""
_CREDENTIALS: Final = sys.platform == "linux"
_SO_PASSCRED: Final = getattr(socket, "SO_PASSCRED", 16)
_SCM_CREDENTIALS: Final = getattr(socket, "SCM_CREDENTIALS", 2)
_CREDENTIALS_FORMAT: Final = struct.Struct("3i")
"""`struct ucred` of unix(7): process, user, group."""
_users: Final = itertools.cycle(
    (*UNPRIVILEGED_IDS[os.getpid() % len(UNPRIVILEGED_IDS):],
     *UNPRIVILEGED_IDS[: os.getpid() % len(UNPRIVILEGED_IDS)])
)  # fmt: skip
"""Users of the sources of this process, where it is root, in turn; other graders that run at the
same time begin elsewhere."""
_PATH_VARIABLES: Final = (
    ("LD_LIBRARY_PATH",) if sys.platform == "linux" else ("PATH", "SYSTEMROOT", "VIRTUAL_ENV")
)
"""Where libraries are found; on Linux nothing is executed, and other paths tell of the host."""


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
        "TMPDIR": str(keras_home),
        "MPLCONFIGDIR": str(keras_home),
    }


class WorkerSource(Protocol):
    """Something that starts workers: a fork server, or one process per worker."""

    versions: dict[str, str]
    isolation: Isolation
    """The level that its workers are held at; known after `wait_ready`."""

    def student(self, limits: Limits, seed: int, spent: Spent = NOTHING) -> Worker:
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
    with contextlib.ExitStack() as theirs_open, contextlib.ExitStack() as ours_open:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        theirs_open.callback(theirs.close)
        ours_open.callback(ours.close)
        read, write = os.pipe()
        theirs_open.callback(os.close, write)
        ours_open.callback(os.close, read)
        yield _Ends(ours, theirs, read, write)
        ours_open.pop_all()


@dataclass(frozen=True)
class Started:
    """A process that is on its way to being a worker."""

    key: int
    """What its source knows it by."""
    pid: int | None = None
    """Its number on this machine, where the worker itself is not asked for it."""
    keeper: int | None = None
    """Descriptor of the first process of its namespace, if it has one."""


class Source(ABC):
    """The folder, the inspector and the hand-shake of a source of workers."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.isolation = Isolation.PROCESS
        """The level that its workers are held at; known when it is ready."""
        self._user = next(_users)
        self._folder = WorkFolder()
        give_away(self._folder.path, 0o711, self._user)
        self._inspector: Worker | None = None
        self._inspector_limits = Limits(call_wall_s=60, call_cpu_s=30, part_wall_s=36000,
                                        part_cpu_s=36000)  # fmt: skip

    def student(self, limits: Limits, seed: int, spent: Spent = NOTHING) -> Worker:
        """A fresh worker for student code.

        Args:
            limits: what it may use.
            seed: start of all its random generators.
            spent: what counts for the part's limits beside.

        Raises:
            GraderFault: it could not be started; the operator must act.
        """
        return self._spawn("student", limits, seed, spent)

    def inspector(self) -> Worker:
        """The slot's inspector; started when first asked for, and again when it has ended.

        Raises:
            GraderFault: it could not be started; the operator must act.
        """
        if self._inspector is None or self._inspector.ended:
            self._inspector = None
            self._inspector = self._spawn("inspector", self._inspector_limits, 0)
        return self._inspector

    @abstractmethod
    def wait_ready(self) -> None:
        """Waits until workers can be started.

        Raises:
            GraderFault: there will be none; the operator must act.
        """

    def _spawn(self, role: str, limits: Limits, seed: int, spent: Spent = NOTHING) -> Worker:
        self.wait_ready()
        scratch = self._scratch()
        try:
            with _pipes() as ends:
                request = {
                    "role": role, "limits": limits.plain(), "seed": seed, "user": self._user,
                }  # fmt: skip
                if scratch.outside is not None:
                    request["scratch"] = str(scratch.outside)
                _ask_for_credentials(ends.ours)
                started = self._start(request, ends.theirs.fileno(), ends.write)
                output = Output(ends.read)
                try:
                    ends.theirs.close()  # its end must show when the worker ends
                    kin, barriers = self._greet(started, ends.ours)
                except (OSError, ValueError, TypeError) as error:
                    raise self._not_started(error, started, output, scratch) from error
        except BaseException:
            if scratch.outside is not None:
                remove_tree(scratch.outside)
            raise
        handle = watch.handle_of(kin.pid) if started.keeper is None else started.keeper
        return Worker(
            kin=kin, handle=handle, barriers=barriers, isolation=self.isolation, channel=ends.ours,
            output=output, scratch=scratch, limits=limits, spent=spent,
            reap=lambda grace_s: self._reap(started.key, grace_s), server_alive=self.alive,
        )  # fmt: skip

    def _not_started(
        self, error: Exception, started: Started, output: Output, scratch: Scratch
    ) -> GraderFault:
        with contextlib.suppress(GraderFault):
            self._reap(started.key, 0.0)
        if started.keeper is not None:
            os.close(started.keeper)
        output.read()
        said = output.text(scratch.inside).strip()
        return GraderFault(f"a worker did not start: {error}. {said[-2000:]}".strip())

    def _scratch(self) -> Scratch:
        """A folder for one worker; at full isolation the kernel makes it with the worker."""
        if self.isolation is Isolation.FULL:
            return Scratch(inside=INSIDE, outside=None)
        folder = self._empty_folder("worker-")
        return Scratch(inside=folder, outside=folder)

    @abstractmethod
    def _start(self, request: dict[str, Any], channel: int, output: int) -> Started:
        """Starts a process; the two descriptors are the worker's."""

    @abstractmethod
    def _reap(self, key: int, grace_s: float) -> int | None:
        """Ends a worker and all it started; see `Reap`."""

    @abstractmethod
    def alive(self) -> bool:
        """Whether it can still start workers."""

    def _kin(self, pid: int, started: Started) -> Kin:  # noqa: ARG002  others need it
        """How a worker is related to the processes around it."""
        return Kin(pid)

    def _empty_folder(self, prefix: str) -> Path:
        folder = self._folder.new(prefix)
        give_away(folder, 0o700, self._user)
        return folder

    def _greet(self, started: Started, channel: socket.socket) -> tuple[Kin, tuple[Barrier, ...]]:
        """Takes the report a worker makes before it loads any student code.

        Raises:
            OSError, ValueError, TypeError: it is none, or it misses a barrier.
        """
        channel.settimeout(START_S)
        header, pid = _with_credentials(channel, HEADER.size)
        (size,) = HEADER.unpack(header)
        if size > _READY_BYTES:
            raise WireError("the first message is too long")
        ready = Ready.parse(decode(_exactly(channel, size)))
        _ask_for_credentials(channel, wanted=False)
        if missing := REQUIRED[self.isolation] - set(ready.barriers):
            raise WireError(f"these barriers are not in force: {', '.join(sorted(missing))}")
        number = started.pid or pid
        if number is None:
            raise WireError("the worker's process is not known")
        return self._kin(number, started), ready.barriers


def give_away(folder: Path, mode: int, user: int) -> None:
    """Gives a folder to the workers' user, where the grader is root and its workers are not."""
    if sys.platform == "linux" and os.geteuid() == 0:
        # Refused where this root has no other users; its workers stay root, and the level says so.
        with contextlib.suppress(OSError):
            os.chown(folder, user, user)
        folder.chmod(mode)


def _ask_for_credentials(channel: socket.socket, *, wanted: bool = True) -> None:
    if _CREDENTIALS:
        channel.setsockopt(socket.SOL_SOCKET, _SO_PASSCRED, int(wanted))


def _with_credentials(channel: socket.socket, size: int) -> tuple[bytes, int | None]:
    """Reads, and answers the sender's process id as the kernel vouches for it.

    In a process namespace a process knows itself by another number than this machine does.
    """
    if not _CREDENTIALS:
        return _exactly(channel, size), None
    data, ancillary, _, _ = channel.recvmsg(size, socket.CMSG_SPACE(_CREDENTIALS_FORMAT.size))
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == _SCM_CREDENTIALS:
            pid, _, _ = _CREDENTIALS_FORMAT.unpack(content[: _CREDENTIALS_FORMAT.size])
            return data + _exactly(channel, size - len(data)), int(pid)
    raise OSError("the channel closed")


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            raise OSError("the channel closed")
        data += part
    return data
