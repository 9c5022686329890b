"""A worker that does not keep to the protocol ends in an incident: no fault, no hang, no answer."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.messages import ImportFile, ModelFacts, PutFile
from grader.records.spec import Isolation, Limits
from grader.records.wire import HEADER, WireError, frame
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.meter import NOTHING
from grader.sandbox.output import Output
from grader.sandbox.scratch import Scratch
from grader.sandbox.watch import Kin
from grader.sandbox.worker import Worker

Student = Callable[..., Any]

# --- student code that writes to the channel ------------------------------------------------------

FORGE = """
import msgpack, os, socket, sys, threading, time
def forged(number, value="forged"):
    body = msgpack.packb([number, "ok", value])
    return len(body).to_bytes(4, "big") + body
"""
# The file is written by request 1 and imported by 2; `run` is looked up by 3 and called by 4.


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("os.write(3, forged(4) + forged(4))", IncidentKind.PROTOCOL),
        ("os.write(3, forged(99))", IncidentKind.PROTOCOL),
        ("os.write(3, forged(5))", IncidentKind.PROTOCOL),
        ("os.write(3, bytes(4))", IncidentKind.PROTOCOL),
        ("os.write(3, (3).to_bytes(4, 'big') + b'\\xc1\\xc1\\xc1')", IncidentKind.PROTOCOL),
        ("os.write(3, b'hello, this is no frame')", IncidentKind.LIMIT),
        ("os.close(3)", IncidentKind.EXITED),
        ("os.close(3); time.sleep(30)", IncidentKind.PROTOCOL),
        ("socket.socket(fileno=3).shutdown(socket.SHUT_WR); time.sleep(30)", IncidentKind.PROTOCOL),
        ("os.dup2(os.open('/dev/null', os.O_RDWR), 3)", IncidentKind.EXITED),
        ("os.write(3, forged(99)); os._exit(0)", IncidentKind.PROTOCOL),
        ("os.write(3, b'\\0\\0'); os._exit(4)", IncidentKind.EXITED),
        ("os.write(3, b'\\0\\0'); time.sleep(30)", IncidentKind.LIMIT),
        ("os.read(3, 1000); time.sleep(30)", IncidentKind.LIMIT),
    ],
)
def test_student_code_that_uses_the_channel_itself(
    body: str, kind: IncidentKind, student: Student
) -> None:
    running = student(f"{FORGE}\ndef run():\n    {body}\n", call_wall_s=1.0)
    begun = time.monotonic()
    incident = running.incident()
    assert incident.kind is kind, incident
    assert time.monotonic() - begun < 6
    assert running.worker.ended


def test_answer_of_the_students_own_making_ends_with_the_next_question(student: Student) -> None:
    """Student code can answer for itself; the worker's own answer then betrays it."""
    running = student(
        f"""{FORGE}
def run():
    os.write(3, forged(4))
    time.sleep(0.1)
    return "from the worker"
"""
    )
    assert running.run() == "forged"
    time.sleep(0.2)
    incident = running.incident()
    assert incident.kind is IncidentKind.PROTOCOL
    assert incident.message == "an answer came before the question"


def test_answers_from_a_thread_at_all_times(student: Student) -> None:
    running = student(
        f"""{FORGE}
def flood():
    while True:
        os.write(3, forged(4))
def run():
    threading.Thread(target=flood, daemon=True).start()
    time.sleep(0.2)
    return 1
"""
    )
    with contextlib.suppress(WorkerIncident):
        running.run()
    assert running.incident().kind is IncidentKind.PROTOCOL


def test_printing_while_answering_disturbs_nothing(student: Student) -> None:
    running = student(
        f"""{FORGE}
def chatter():
    while True:
        print("noise " * 100)
        print("more", file=sys.stderr)
        time.sleep(0.001)
threading.Thread(target=chatter, daemon=True).start()
def run():
    return bytes(3 << 20)
"""
    )
    for _ in range(5):
        assert running.run() == bytes(3 << 20)


# --- a peer under the test's control --------------------------------------------------------------


class Peer:
    """The other end of a worker's channel, with a process that only sleeps behind it."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.process = subprocess.Popen(["sleep", "300"], stdin=subprocess.DEVNULL)
        ours, self.socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        read, self.output = os.pipe()
        self.worker = Worker(
            kin=Kin(self.process.pid), handle=None, barriers=(), isolation=Isolation.PROCESS,
            channel=ours, output=Output(read),
            scratch=Scratch(folder / "scratch", folder / "scratch"),
            limits=Limits(**{"call_wall_s": 1.0, **limits}), spent=NOTHING,
            reap=self._reap, server_alive=lambda: True,
        )  # fmt: skip
        self.threads: list[threading.Thread] = []

    def _reap(self, _grace_s: float) -> int | None:
        ended = self.process.poll()
        self.process.kill()
        self.process.wait()
        return ended

    def answers(self, data: bytes) -> None:
        """Answers the next question with these bytes."""

        def answer() -> None:
            self.socket.recv(1 << 20)
            self.socket.sendall(data)

        self.threads.append(threading.Thread(target=answer))
        self.threads[-1].start()

    def incident(self) -> Incident:
        with pytest.raises(WorkerIncident) as caught:
            self.worker.ask(ModelFacts(target="x"), "asking")
        return caught.value.incident

    def close(self) -> None:
        self.worker.close()
        for thread in self.threads:
            thread.join(5)
        self.socket.close()
        os.close(self.output)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Callable[..., Peer]]:
    made: list[Peer] = []

    def make(**limits: Any) -> Peer:
        made.append(Peer(tmp_path, **limits))
        return made[-1]

    yield make
    for one in made:
        one.close()


def framed(body: bytes) -> bytes:
    return HEADER.pack(len(body)) + body


FAILURE: dict[str, Any] = {
    "error_type": "ValueError", "message": "no", "frames": [], "limit": None, "exited": False,
    "at": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        frame([2, "ok", 1]),
        frame([0, "ok", 1]),
        frame([-1, "ok", 1]),
        frame([True, "ok", 1]),
        frame([1.0, "ok", 1]),
        frame(["1", "ok", 1]),
        frame([1, "fine", 1]),
        frame([1, "ok"]),
        frame([1, "ok", 1, 1]),
        frame([1, "error", "no"]),
        frame([1, "error", {}]),
        frame([1, "error", {**FAILURE, "limit": "patience"}]),
        frame([1, "error", {**FAILURE, "frames": [{"file": 3}]}]),
        frame([1, "error", {**FAILURE, "frames": [np.zeros(3)]}]),
        frame([1, "error", {**FAILURE, "message": "x" * 5000 + "y" * 5000, "more": 1}]),
        frame({"1": "ok"}),
        frame(None),
        frame((1, "ok", 1)) + frame([1, "ok", 1]),
        frame([1, "ok", 1]) + b"\0",
        framed(b""),
        framed(b"\xc1"),
        framed(frame([1, "ok", 1])[4:] + b"\0"),
        framed(b"\x91" * 400 + b"\xc0"),
        framed(msgpack.packb([1, "ok", msgpack.Timestamp(1)])),
        framed(msgpack.packb([1, "ok", 2**64 - 1])),
        framed(msgpack.packb([1, "ok", {b"key": 1}])),
    ],
)
def test_answer_of_another_form_is_an_incident(data: bytes, peer: Callable[..., Peer]) -> None:
    talking = peer()
    talking.answers(data)
    assert talking.incident().kind is IncidentKind.PROTOCOL
    assert talking.process.poll() is not None


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x80000000, (256 << 20) + 1])
def test_announced_length_is_checked_before_anything_is_taken(
    size: int, peer: Callable[..., Peer]
) -> None:
    talking = peer()
    talking.answers(HEADER.pack(size))
    begun = time.monotonic()
    incident = talking.incident()
    assert (incident.kind, incident.limit) == (IncidentKind.LIMIT, LimitName.REPLY)
    assert time.monotonic() - begun < 0.9
    assert len(talking.worker._buffer) <= HEADER.size


def test_early_answer_is_an_incident(peer: Callable[..., Peer]) -> None:
    talking = peer()
    talking.socket.sendall(frame([1, "ok", 1]))
    incident = talking.incident()
    assert incident.kind is IncidentKind.PROTOCOL
    assert incident.message == "an answer came before the question"


def test_late_answer_is_an_incident(peer: Callable[..., Peer]) -> None:
    talking = peer()
    talking.answers(frame([1, "ok", "in time"]))
    assert talking.worker.ask(ModelFacts(target="x"), "asking") == "in time"
    talking.socket.sendall(frame([1, "ok", "late"]))
    assert talking.incident().kind is IncidentKind.PROTOCOL


def test_trickled_answer_arrives_whole(peer: Callable[..., Peer]) -> None:
    talking = peer(call_wall_s=10)

    def trickle() -> None:
        talking.socket.recv(1 << 20)
        for byte in frame([1, "ok", list(range(20))]):
            talking.socket.sendall(bytes([byte]))
            time.sleep(0.003)

    talking.threads.append(threading.Thread(target=trickle))
    talking.threads[0].start()
    assert talking.worker.ask(ModelFacts(target="x"), "asking") == list(range(20))


def test_trickling_does_not_put_the_deadline_off(peer: Callable[..., Peer]) -> None:
    talking = peer(call_wall_s=0.5)

    def trickle() -> None:
        talking.socket.recv(1 << 20)
        try:
            for byte in frame([1, "ok", bytes(1000)]):
                talking.socket.sendall(bytes([byte]))
                time.sleep(0.02)
        except OSError:
            return

    talking.threads.append(threading.Thread(target=trickle))
    talking.threads[0].start()
    begun = time.monotonic()
    assert talking.incident().limit is LimitName.CALL_WALL
    assert time.monotonic() - begun < 3


def test_worker_that_does_not_read_runs_into_the_deadline(peer: Callable[..., Peer]) -> None:
    talking = peer(call_wall_s=0.5)
    begun = time.monotonic()
    with pytest.raises(WorkerIncident) as caught:
        talking.worker.ask(PutFile(path="large", content=bytes(16 << 20)), "sending")
    assert caught.value.incident.limit is LimitName.CALL_WALL
    assert time.monotonic() - begun < 3


def test_worker_that_prints_and_does_not_read_runs_into_the_limit(
    peer: Callable[..., Peer],
) -> None:
    talking = peer(call_wall_s=20, output_kb=100)

    def chatter() -> None:
        with contextlib.suppress(OSError):
            for _ in range(150):
                os.write(talking.output, bytes(1000))

    talking.threads.append(threading.Thread(target=chatter))
    talking.threads[0].start()
    with pytest.raises(WorkerIncident) as caught:
        talking.worker.ask(PutFile(path="large", content=bytes(16 << 20)), "sending")
    assert caught.value.incident.limit is LimitName.OUTPUT


def test_worker_that_ends_while_it_is_sent_to(peer: Callable[..., Peer]) -> None:
    """Neither a broken pipe nor its signal reaches the program."""
    talking = peer(call_wall_s=20)

    def leave() -> None:
        talking.socket.recv(1 << 20)
        talking.process.send_signal(signal.SIGSEGV)
        talking.process.wait()
        talking.socket.close()

    talking.threads.append(threading.Thread(target=leave))
    talking.threads[0].start()
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        with pytest.raises(WorkerIncident) as caught:
            talking.worker.ask(PutFile(path="large", content=bytes(16 << 20)), "sending")
    finally:
        signal.signal(signal.SIGPIPE, before)
    incident = caught.value.incident
    assert (incident.kind, incident.message) == (IncidentKind.EXITED, "it was ended by SIGSEGV")


def test_closing_the_channel_without_ending_is_told_as_that(peer: Callable[..., Peer]) -> None:
    talking = peer()
    talking.socket.close()
    incident = talking.incident()
    assert incident.kind is IncidentKind.PROTOCOL
    assert incident.message == "it closed the channel to the grader"


def test_forged_failure_is_cleaned_and_bounded(peer: Callable[..., Peer]) -> None:
    line = {"file": "\x1b[2Jagent.py", "line": 3, "function": "\u202e", "text": "y" * 10**6}
    talking = peer()
    talking.answers(frame([1, "error", {**FAILURE, "message": "\x1b[31mred\a", "frames": [line]}]))
    incident = talking.incident()
    assert incident.kind is IncidentKind.RAISED
    assert incident.message == "red\ufffd"
    assert incident.frames[0].file == "agent.py"
    assert incident.frames[0].function == "\ufffd"
    assert len(incident.frames[0].text) < 3000


@pytest.mark.parametrize(
    ("claim", "kind"),
    [({"limit": "memory_mb"}, IncidentKind.LIMIT), ({"exited": True}, IncidentKind.EXITED)],
)
def test_claim_of_an_end_is_taken_at_its_word(
    claim: dict[str, Any], kind: IncidentKind, peer: Callable[..., Peer]
) -> None:
    talking = peer()
    talking.answers(frame([1, "error", {**FAILURE, **claim}]))
    assert talking.incident().kind is kind
    assert talking.worker.ended


def test_texts_of_an_answer_are_cleaned(peer: Callable[..., Peer]) -> None:
    talking = peer()
    value = {"\akey": ["\x1b[2Jred", ("\u2028",)], "bytes": b"\x1b"}
    talking.answers(frame([1, "ok", value]))
    assert talking.worker.ask(ModelFacts(target="x"), "asking") == {
        "\ufffdkey": ["red", ("\ufffd",)],
        "bytes": b"\x1b",
    }


def test_request_that_cannot_be_sent_is_our_mistake(peer: Callable[..., Peer]) -> None:
    talking = peer()
    with pytest.raises(WireError, match="no plain form"):
        talking.worker.ask(ImportFile.model_construct(file=object()), "importing")
    talking.answers(frame([2, "ok", 1]))
    assert talking.worker.ask(ModelFacts(target="x"), "asking") == 1
