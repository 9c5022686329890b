"""One worker as the trusted side sees it: requests out, plain data or an incident back."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from grader.errors import GraderFault
from grader.records.evidence import Incident, IncidentKind, LimitName
from grader.records.spec import Isolation, Limits
from grader.records.text import clean_text
from grader.records.wire import (
    HEADER,
    PutFile,
    Request,
    StudentFailure,
    WireError,
    decode_reply,
    encode_request,
)
from grader.sandbox import watch
from grader.sandbox.incident import WorkerIncident

_WATCH_INTERVAL_S: Final = 0.1
_KEPT_OUTPUT_BYTES: Final = 64 << 10
_MEBIBYTE: Final = 1 << 20
_READ_BYTES: Final = 1 << 20


class Worker:
    """A worker process and the channel to it.

    Not for use by several threads. Every request has a deadline; after an incident other than an
    exception in the student's code the process is gone and every further request repeats it.
    """

    def __init__(
        self,
        *,
        pid: int,
        server_pid: int | None,
        siblings: Callable[[], frozenset[int]],
        channel: socket.socket,
        output: int,
        scratch: Path,
        limits: Limits,
        reap: Callable[[int], int | None],
        server_alive: Callable[[], bool],
    ) -> None:
        self.pid = pid
        self.isolation = Isolation.PROCESS
        self.barriers: tuple[str, ...] = ()
        self.calls = 0
        self._server_pid = server_pid
        self._siblings = siblings
        self._channel = channel
        self._output = output
        self._scratch = scratch
        self._limits = limits
        self._reap = reap
        self._server_alive = server_alive
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._poll.register(output, select.POLLIN)
        self._output_open = True
        self._printed = bytearray()
        self._printed_bytes = 0
        self._waited_s = 0.0
        self._buffer = bytearray()
        self._number = 0
        self._dead: Incident | None = None
        self._closed = False
        self._channel.setblocking(False)

    # --- asking -------------------------------------------------------------------------------

    def put_files(self, files: tuple[tuple[str, bytes], ...]) -> None:
        """Gives the worker the submission's files.

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
        self._number += 1
        self.calls += 1
        begun = time.monotonic()
        try:
            self._send(encode_request(self._number, request), stage)
            body = self._receive(stage)
        finally:
            self._waited_s += time.monotonic() - begun
        try:
            answer = decode_reply(body, self._number)
        except WireError as error:
            self._end(Incident(kind=IncidentKind.PROTOCOL, stage=stage, message=str(error)))
        if isinstance(answer, StudentFailure):
            self._student_failure(answer, stage)
        return answer

    def _student_failure(self, failure: StudentFailure, stage: str) -> None:
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
            self._end(self._limit(failure.limit, stage, failure))
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

    def _send(self, data: bytes, stage: str) -> None:
        view = memoryview(data)
        deadline = time.monotonic() + self._limits.call_wall_s
        while view:
            try:
                view = view[self._channel.send(view[:_READ_BYTES]) :]
            except BlockingIOError:
                select.select([], [self._channel], [], _WATCH_INTERVAL_S)
                self._drain()
                if time.monotonic() > deadline:
                    self._end(self._limit(LimitName.CALL_WALL, stage))
            except OSError:
                self._vanished(stage)

    def _receive(self, stage: str) -> bytes:
        """The next frame's body; the size is checked before anything is allocated for it."""
        begun = time.monotonic()
        cpu_begun: float | None = None
        watched = begun
        size: int | None = None
        while True:
            if size is None and len(self._buffer) >= HEADER.size:
                (size,) = HEADER.unpack_from(self._buffer)
                if size > self._limits.reply_mb * _MEBIBYTE:
                    self._end(self._limit(LimitName.REPLY, stage))
            if size is not None and len(self._buffer) >= HEADER.size + size:
                body = bytes(memoryview(self._buffer)[HEADER.size : HEADER.size + size])
                if len(self._buffer) > HEADER.size + size:
                    self._end(
                        Incident(
                            kind=IncidentKind.PROTOCOL,
                            stage=stage,
                            message="more than one answer came back",
                        )
                    )
                self._buffer.clear()
                return body
            ready = self._poll.poll(int(_WATCH_INTERVAL_S * 1000))
            for descriptor, _ in ready:
                if descriptor == self._output:
                    self._drain()
                elif not self._read():
                    self._vanished(stage)
            now = time.monotonic()
            if now - watched >= _WATCH_INTERVAL_S:
                watched = now
                cpu_begun = self._watch(stage, now - begun, cpu_begun)

    def _read(self) -> bool:
        try:
            data = self._channel.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._buffer += data
        return bool(data)

    def _drain(self) -> None:
        """Reads what was printed, keeps its beginning, and minds the limit."""
        if not self._output_open:
            return
        if not select.select([self._output], [], [], 0)[0]:
            return
        data = os.read(self._output, 65536)
        if not data:
            self._output_open = False
            self._poll.unregister(self._output)
            return
        self._printed_bytes += len(data)
        self._printed += data[: max(0, _KEPT_OUTPUT_BYTES - len(self._printed))]
        if self._printed_bytes > self._limits.output_kb << 10:
            self._end(self._limit(LimitName.OUTPUT, "printing"))

    # --- limits -------------------------------------------------------------------------------

    def _watch(self, stage: str, call_wall_s: float, cpu_begun: float | None) -> float | None:
        """Compares what is used with the limits; returns the processor time at the call's start."""
        limits = self._limits
        if call_wall_s > limits.call_wall_s:
            self._end(self._limit(LimitName.CALL_WALL, stage))
        if self._waited_s + call_wall_s > limits.part_wall_s:
            self._end(self._limit(LimitName.PART_WALL, stage))
        if not watch.READABLE:
            return None
        used = watch.usage(self.pid, self._server_pid, self._siblings())
        if used.processes > limits.processes:
            self._end(self._limit(LimitName.PROCESSES, stage))
        if used.resident_bytes > limits.resident_mb * _MEBIBYTE:
            self._end(self._limit(LimitName.RESIDENT, stage))
        if used.cpu_s > limits.part_cpu_s:
            self._end(self._limit(LimitName.PART_CPU, stage))
        if cpu_begun is None:
            return used.cpu_s - min(call_wall_s, used.cpu_s)
        if used.cpu_s - cpu_begun > limits.call_cpu_s:
            self._end(self._limit(LimitName.CALL_CPU, stage))
        return cpu_begun

    def _limit(
        self, limit: LimitName, stage: str, failure: StudentFailure | None = None
    ) -> Incident:
        value = getattr(self._limits, limit.value)
        unit = limit.value.rpartition("_")[2]
        number = f"{value:g}"
        text = {"mb": f"{number} MiB", "kb": f"{number} KiB", "s": f"{number} s"}.get(unit, number)
        return Incident(
            kind=IncidentKind.LIMIT,
            stage=stage,
            error_type=failure.error_type if failure else "",
            message=failure.message if failure else "",
            frames=failure.frames if failure else (),
            limit=limit,
            limit_value=text,
        )

    def _vanished(self, stage: str) -> None:
        if not self._server_alive():
            raise GraderFault("the fork server ended unexpectedly")
        status = self._finish()
        if status is not None and status < 0:
            try:
                name = signal.Signals(-status).name
            except ValueError:
                name = f"signal {-status}"
            message = f"it was ended by {name}"
            if -status == signal.SIGXCPU:
                self._dead = self._limit(LimitName.PART_CPU, stage)
                raise WorkerIncident(self._dead)
        else:
            message = f"it exited with code {status}"
        self._dead = Incident(kind=IncidentKind.EXITED, stage=stage, message=message)
        raise WorkerIncident(self._dead)

    def _end(self, incident: Incident) -> None:
        """Ends the worker because of an incident and raises it."""
        self._dead = incident
        self._finish()
        raise WorkerIncident(incident)

    # --- the end ------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._closed or self._dead is not None

    @property
    def cpu_s(self) -> float:
        """Processor time used so far."""
        return watch.cpu_seconds(self.pid) if watch.READABLE else 0.0

    def printed(self) -> str:
        """What the student's code printed, its first 64 KiB, cleaned."""
        text = self._printed.decode("utf-8", "replace").replace(str(self._scratch), "")
        return clean_text(text, _KEPT_OUTPUT_BYTES)

    def _finish(self) -> int | None:
        """Ends the process and everything it started; returns how the process had ended."""
        if self._closed:
            return None
        self._closed = True
        self._poll.unregister(self._channel)
        with contextlib.suppress(OSError):
            self._channel.close()
        status = self._reap(self.pid)
        with contextlib.suppress(OSError, WorkerIncident):
            self._drain()
        with contextlib.suppress(OSError):
            os.close(self._output)
        shutil.rmtree(self._scratch, ignore_errors=True)
        return status

    def close(self) -> None:
        """Ends the worker and everything it started, and removes its scratch folder."""
        self._finish()

    def __enter__(self) -> Self:
        """The worker itself; it is closed on leaving."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
