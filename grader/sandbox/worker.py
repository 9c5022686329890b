"""One worker as the trusted side sees it: requests out, plain data or an incident back."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable
from typing import Any, Final, NoReturn, Self

from grader.errors import GraderFault
from grader.records.barriers import Barrier
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.messages import PutFile, Request, StudentFailure, decode_reply, encode_request
from grader.records.spec import Isolation, Limits
from grader.records.wire import HEADER, WireError
from grader.sandbox import meter, watch
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.meter import Meter, Spent
from grader.sandbox.output import Output
from grader.sandbox.scratch import Scratch, remove_tree
from grader.sandbox.watch import Kin

_MEBIBYTE: Final = 1 << 20
_CHUNK_BYTES: Final = 1 << 20
_GRACE_S: Final = 2.0
# A worker that is gone must show as an error, whatever the host program does about SIGPIPE.
_NO_SIGNAL: Final = getattr(socket, "MSG_NOSIGNAL", 0)

Reap = Callable[[float], int | None]
"""Ends the worker and all it started, after giving it some seconds to end by itself.

Answers the exit status (negative for a signal) if it had ended by itself, and None if not. Raises
`GraderFault` where it could not do that, or something was left."""


class Worker:
    """A worker process and the channel to it.

    Not for use by several threads. Every request has a deadline; after an incident other than an
    exception in the student's code the process is gone and every further request repeats it.
    """

    def __init__(
        self,
        *,
        kin: Kin,
        handle: int | None,
        barriers: tuple[Barrier, ...],
        isolation: Isolation,
        channel: socket.socket,
        output: Output,
        scratch: Scratch,
        limits: Limits,
        spent: Spent,
        reap: Reap,
        server_alive: Callable[[], bool],
    ) -> None:
        self.pid = kin.pid
        self.isolation = isolation
        self.barriers = barriers
        self.calls = 0
        self._kin = kin
        # Of the last process to go: of its room's keeper, where it has one.
        self._handle = handle
        self._channel = channel
        self._output = output
        self._scratch = scratch
        self._limits = limits
        watched = None if Barrier.SIZED_SCRATCH in barriers else scratch.outside
        self._meter = Meter(kin, limits, watched, spent)
        self._reap = reap
        self._server_alive = server_alive
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._poll.register(self._output, select.POLLIN)
        self._buffer = bytearray()
        self._number = 0
        self._dead: Incident | None = None
        self._closed = False
        self._cpu_s = 0.0
        self._channel.setblocking(False)
        self._output.forget()  # libraries have their say when they are imported

    # --- asking -------------------------------------------------------------------------------

    def put_files(self, files: tuple[tuple[str, bytes], ...]) -> None:
        """Gives the worker the submission's files, before it runs any of them.

        Raises:
            GraderFault: they could not be written.
        """
        for path, content in files:
            try:
                self.ask(PutFile(path=path, content=content), "writing the submitted files")
            except WorkerIncident as incident:
                raise GraderFault(f"a submitted file could not be written: {incident}") from None

    def ask(self, request: Request, stage: str) -> Any:
        """Sends a request and waits for its answer.

        Args:
            request: what to do.
            stage: what that is for the student, such as `calling act (step 31)`.

        Raises:
            WorkerIncident: the student's code raised, hit a limit, vanished or answered badly.
            GraderFault: the machinery around it failed.
        """
        if self._dead is not None:
            raise WorkerIncident(self._dead)
        if self._closed:
            raise GraderFault("a worker was asked after it had been closed")
        self._number += 1
        self.calls += 1
        data = encode_request(self._number, request)
        self._meter.begin()
        try:
            self._nothing_pending(stage)
            self._send(data, stage)
            body = self._receive(stage)
        finally:
            self._meter.end()
        try:
            answer = decode_reply(body, self._number)
        except WireError as error:
            self._protocol(stage, str(error))
        if isinstance(answer, StudentFailure):
            self._student_failure(answer, stage)
        return answer

    def _student_failure(self, failure: StudentFailure, stage: str) -> NoReturn:
        if failure.exited:
            self._end(
                Incident(
                    kind=IncidentKind.EXITED,
                    stage=stage,
                    message=failure.message,
                    frames=failure.frames,
                )
            )
        if failure.limit is not None:
            self._limit(failure.limit, stage, failure)
        raise WorkerIncident(
            Incident(
                kind=IncidentKind.RAISED,
                stage=stage,
                error_type=failure.error_type,
                message=failure.message,
                frames=failure.frames,
            ),
            failure.at,
        )

    # --- frames -------------------------------------------------------------------------------

    def _nothing_pending(self, stage: str) -> None:
        """An answer to a question that has not been asked is none."""
        if not self._read():
            self._vanished(stage)
        if self._buffer:
            self._protocol(stage, "an answer came before the question")

    def _send(self, data: bytes, stage: str) -> None:
        view = memoryview(data)
        while view:
            try:
                sent = self._channel.send(view[:_CHUNK_BYTES], _NO_SIGNAL)
            except BlockingIOError:
                # A worker that does not read is watched like one that does not answer.
                self._poll.modify(self._channel, select.POLLOUT)
                self._wait(stage)
                self._poll.modify(self._channel, select.POLLIN)
            except OSError:
                self._vanished(stage)
            else:
                view = view[sent:]

    def _receive(self, stage: str) -> bytes:
        """The next frame's body; the size is checked before anything is allocated for it."""
        size: int | None = None
        while True:
            if size is None and len(self._buffer) >= HEADER.size:
                (size,) = HEADER.unpack_from(self._buffer)
                if size > self._limits.reply_mb * _MEBIBYTE:
                    self._limit(LimitName.REPLY, stage)
            if size is not None and len(self._buffer) >= HEADER.size + size:
                if len(self._buffer) > HEADER.size + size:
                    self._protocol(stage, "more than one answer came back")
                body = bytes(memoryview(self._buffer)[HEADER.size :])
                self._buffer.clear()
                return body
            if self._wait(stage) and not self._read():
                self._vanished(stage)

    def _wait(self, stage: str) -> bool:
        """Waits a moment for the channel, minding output and limits; whether it is ready."""
        ready = False
        for descriptor, _ in self._poll.poll(int(meter.INTERVAL_S * 1000)):
            if descriptor == self._output.fileno():
                self._output.read()
                if self._output.ended:
                    self._poll.unregister(self._output)
                if self._output.size_bytes > self._limits.output_kb << 10:
                    self._limit(LimitName.OUTPUT, stage)
            else:
                ready = True
        if limit := self._meter.exceeded():
            self._limit(limit, stage)
        if self._meter.headless:
            self._protocol(stage, "it ended its first thread and went on with others")
        return ready

    def _read(self) -> bool:
        """Takes what has arrived; False when the channel is closed."""
        try:
            data = self._channel.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._buffer += data
        return bool(data)

    # --- incidents ----------------------------------------------------------------------------

    def _limit(
        self, limit: LimitName, stage: str, failure: StudentFailure | None = None
    ) -> NoReturn:
        value = getattr(self._limits, limit.value)
        unit = limit.value.rpartition("_")[2]
        number = f"{value:g}"
        text = {"mb": f"{number} MiB", "kb": f"{number} KiB", "s": f"{number} s"}.get(unit, number)
        self._end(
            Incident(
                kind=IncidentKind.LIMIT,
                stage=stage,
                error_type=failure.error_type if failure else "",
                message=failure.message if failure else "",
                frames=failure.frames if failure else (),
                limit=limit,
                limit_value=text,
            )
        )

    def _protocol(self, stage: str, message: str) -> NoReturn:
        self._end(Incident(kind=IncidentKind.PROTOCOL, stage=stage, message=message))

    def _vanished(self, stage: str) -> NoReturn:
        """The channel is closed: tells whose doing that was.

        Raises:
            GraderFault: the fork server is gone too, or somebody else killed the worker.
            WorkerIncident: the student's process ended or closed the channel.
        """
        server_was_alive = self._server_alive()
        try:
            status = self._finish(_GRACE_S)
        except GraderFault:
            raise GraderFault("the fork server ended unexpectedly") from None
        if not server_was_alive:
            raise GraderFault("the fork server ended unexpectedly")
        if status is None:
            self._protocol(stage, "it closed the channel to the grader")
        killed = signal.SIGXCPU, signal.SIGKILL
        if -status in killed and self._cpu_s >= self._limits.part_cpu_s:
            self._limit(LimitName.PART_CPU, stage)  # the kernel's own limit, where it came first
        if -status == signal.SIGKILL and Barrier.SYSTEM_CALLS in self.barriers:
            # The filter keeps student code from sending it; memory ran out, or someone did it.
            raise GraderFault(
                f"a worker was killed from outside while {stage}; perhaps the machine ran "
                "out of memory"
            )
        self._end(Incident(kind=IncidentKind.EXITED, stage=stage, message=_ending(status)))

    def _end(self, incident: Incident) -> NoReturn:
        """Ends the worker because of an incident and raises it."""
        self._dead = incident
        with contextlib.suppress(GraderFault):  # what the student did happened all the same
            self._finish()
        raise WorkerIncident(incident)

    # --- the end ------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._closed or self._dead is not None

    @property
    def cpu_s(self) -> float:
        """Processor time used so far, by the worker and what it started."""
        return self._cpu_s if self._closed else self._meter.cpu_s

    @property
    def wall_s(self) -> float:
        """Seconds it was waited for, in all calls that are over."""
        return self._meter.wall_s

    def printed(self) -> str:
        """What the student's code printed, its first 64 KiB, cleaned."""
        return self._output.text(self._scratch.inside)

    def _finish(self, grace_s: float = 0.0) -> int | None:
        """Ends the process and everything it started.

        Returns:
            How it had ended by itself; None if it had not, or was ended before.

        Raises:
            GraderFault: its fork server did not do its part; the process is ended all the same.
        """
        if self._closed:
            return None
        self._cpu_s = self._meter.cpu_s
        self._closed = True
        self._poll.unregister(self._channel)
        self._channel.close()
        try:
            status = self._reap(grace_s)
            self._verify_gone()
        except GraderFault:
            watch.end_tree(self._kin, self._handle)
            raise
        finally:
            if self._handle is not None:
                os.close(self._handle)
            self._output.finish()
            if self._scratch.outside is not None:
                remove_tree(self._scratch.outside)
        return status

    def _verify_gone(self) -> None:
        """Looks whether the part has left anything running.

        Raises:
            GraderFault: it has, though its end was reported.
        """
        if self._handle is not None and not watch.is_over(self._handle):
            raise GraderFault("a worker still runs after it was ended")

    def close(self) -> None:
        """Ends the worker and everything it started, and removes its scratch folder."""
        with contextlib.suppress(GraderFault):  # the next worker's start will tell
            self._finish()

    def __enter__(self) -> Self:
        """The worker itself; it is closed on leaving."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _ending(status: int) -> str:
    if status >= 0:
        return f"it exited with code {status}"
    try:
        return f"it was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was ended by signal {-status}"
