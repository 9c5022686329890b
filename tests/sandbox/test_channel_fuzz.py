"""Whatever comes over the channel ends in one outcome on the student's side, and leaves nothing."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgpack
import numpy as np
import pytest

from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.messages import ModelFacts
from grader.records.wire import HEADER, Opaque, encode, frame
from grader.sandbox.incident import WorkerIncident

Student = Callable[..., Any]
Peer = Any
"""The class of that name in `test_protocol.py`."""
STUDENTS_SIDE: Final = frozenset(IncidentKind) - {IncidentKind.FAULT}
FAILURE: Final[dict[str, Any]] = {
    "error_type": "ValueError", "message": "no", "frames": [], "limit": None, "exited": False,
    "at": None,
}  # fmt: skip

# --- a peer under the test's control --------------------------------------------------------------


def open_descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def open_files() -> set[str]:
    """Names of the files that this process holds open."""
    found: set[str] = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(path.readlink().name)
    return found


@pytest.fixture
def peer(load_module: Callable[[str], ModuleType], tmp_path: Path) -> Iterator[Callable[..., Peer]]:
    """Makes peers; afterwards no descriptor, no process and no thread of them may be left."""
    kind = load_module("sandbox/test_protocol.py").Peer
    made: list[Peer] = []
    descriptors, threads = open_descriptors(), threading.active_count()

    def make(**limits: Any) -> Peer:
        made.append(kind(tmp_path, **limits))
        return made[-1]

    yield make
    for one in made:
        one.close()
        with pytest.raises(ChildProcessError):  # no zombie is left to wait for
            os.waitpid(one.process.pid, os.WNOHANG)
    assert threading.active_count() == threads
    assert len(open_descriptors()) == len(descriptors)


def ended_well(asking: Callable[[], bool]) -> bool:
    """Whether asking holds, or ends in an incident of the student's side."""
    try:
        return asking()
    except WorkerIncident as caught:
        return caught.incident.kind in STUDENTS_SIDE


def plays(talking: Peer, part: Callable[[socket.socket], None]) -> None:
    """Has a thread play the peer once the question has come; it ends with the channel."""

    def run() -> None:
        with contextlib.suppress(OSError):
            talking.socket.recv(1 << 20)
            part(talking.socket)

    talking.threads.append(threading.Thread(target=run))
    talking.threads[-1].start()


def one_incident(talking: Peer) -> Incident:
    """The incident a question ends in, which is of the student's side and is the only one."""
    incident: Incident = talking.incident()
    assert incident.kind in STUDENTS_SIDE
    if incident.kind is not IncidentKind.RAISED:
        assert talking.worker.ended
        assert talking.process.poll() is not None
        assert talking.incident() == incident  # it is repeated, and nothing is asked again
    return incident


def dripping(data: bytes, pause_s: float) -> Callable[[socket.socket], None]:
    def part(channel: socket.socket) -> None:
        for byte in data:
            channel.sendall(bytes([byte]))
            time.sleep(pause_s)

    return part


@pytest.mark.parametrize(
    "data",
    [HEADER.pack(1 << 20), HEADER.pack(8) + bytes(8), frame([1, "ok", bytes(3000)])],
    ids=["header", "header and body", "body"],
)
@pytest.mark.parametrize("pause_s", [0.05, 0.45])
def test_bytes_in_a_trickle_end_with_the_calls_own_limit(
    data: bytes, pause_s: float, peer: Callable[..., Peer]
) -> None:
    talking = peer(call_wall_s=1.0)
    plays(talking, dripping(data, pause_s))
    begun = time.monotonic()
    incident = one_incident(talking)
    took_s = time.monotonic() - begun
    if incident.kind is IncidentKind.PROTOCOL:
        assert len(data) * pause_s < 1.0  # all of it came in time, and is no answer
        return
    assert incident.limit is LimitName.CALL_WALL
    assert 0.9 < took_s < 1.9


def sent(data: bytes) -> Callable[[socket.socket], None]:
    return lambda channel: channel.sendall(data)


def sent_and_shut(data: bytes) -> Callable[[socket.socket], None]:
    def part(channel: socket.socket) -> None:
        channel.sendall(data)
        channel.shutdown(socket.SHUT_WR)

    return part


ANSWER: Final = frame([1, "ok", 1])
FLOOD: Final = ANSWER * 50_000


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (sent(ANSWER + ANSWER), IncidentKind.PROTOCOL),
        (sent(ANSWER + ANSWER[:3]), IncidentKind.PROTOCOL),
        (sent(FLOOD), IncidentKind.PROTOCOL),
        (sent_and_shut(b""), IncidentKind.PROTOCOL),
        (sent_and_shut(ANSWER[:2]), IncidentKind.PROTOCOL),
        (sent_and_shut(ANSWER[:4]), IncidentKind.PROTOCOL),
        (sent_and_shut(ANSWER[:-1]), IncidentKind.PROTOCOL),
        (sent(HEADER.pack(0xFFFFFFFF) + bytes(1 << 20)), IncidentKind.LIMIT),
        (sent(HEADER.pack(64) + b"\x91" * 64), IncidentKind.PROTOCOL),
        (sent(frame([1, "error", {**FAILURE, "limit": "output_kb"}])), IncidentKind.LIMIT),
        (sent(frame([1, "error", {**FAILURE, "limit": "fault"}])), IncidentKind.PROTOCOL),
        (sent(frame([1, "error", {**FAILURE, "kind": "fault"}])), IncidentKind.PROTOCOL),
        (sent(frame([1, "fault", FAILURE])), IncidentKind.PROTOCOL),
        (sent(frame([1, "error", {**FAILURE, "error_type": "GraderFault"}])), IncidentKind.RAISED),
    ],
    ids=lambda item: str(item) if isinstance(item, IncidentKind) else "",
)
def test_each_misuse_of_the_channel_has_one_outcome(
    part: Callable[[socket.socket], None], kind: IncidentKind, peer: Callable[..., Peer]
) -> None:
    talking = peer(call_wall_s=5.0)
    plays(talking, part)
    begun = time.monotonic()
    assert one_incident(talking).kind is kind
    assert time.monotonic() - begun < 4


def test_message_of_ten_megabytes_is_refused_and_none_of_it_is_kept(
    peer: Callable[..., Peer],
) -> None:
    talking = peer(call_wall_s=10.0)
    body = msgpack.packb([1, "error", {**FAILURE, "message": "x" * 10_000_000}])
    plays(talking, sent(HEADER.pack(len(body)) + body))
    incident = one_incident(talking)
    assert incident.kind is IncidentKind.PROTOCOL
    assert len(incident.message) < 200


@pytest.mark.parametrize("times", [1, 2])
def test_answer_that_comes_again_ends_the_next_question(
    times: int, peer: Callable[..., Peer]
) -> None:
    talking = peer()
    plays(talking, sent(ANSWER))
    assert talking.worker.ask(ModelFacts(target="x"), "asking") == 1
    talking.threads.pop().join()
    talking.socket.sendall(ANSWER * times)
    incident = one_incident(talking)
    assert incident.message == "an answer came before the question"


@pytest.mark.parametrize("beside", [b"", ANSWER, ANSWER[:5], b"\0"])
def test_descriptors_that_are_passed_do_not_stay_open(
    beside: bytes, peer: Callable[..., Peer], tmp_path: Path
) -> None:
    talking = peer(call_wall_s=1.0)
    before = open_descriptors()

    def part(channel: socket.socket) -> None:
        with (tmp_path / "passed").open("wb") as file:
            for start in range(len(beside)):
                socket.send_fds(channel, [beside[start : start + 1]], [file.fileno()] * 50)
            if not beside:
                channel.sendmsg([b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b"")])

    plays(talking, part)
    if beside == ANSWER:
        assert talking.worker.ask(ModelFacts(target="x"), "asking") == 1
    else:
        one_incident(talking)
    talking.threads.pop().join()
    assert "passed" not in open_files()
    assert len(open_descriptors()) <= len(before)


def test_urgent_byte_is_no_way_around(peer: Callable[..., Peer]) -> None:
    talking = peer(call_wall_s=1.0)

    def part(channel: socket.socket) -> None:
        with contextlib.suppress(OSError):  # not every kernel has such bytes here
            channel.send(b"!", socket.MSG_OOB)
        channel.sendall(ANSWER)

    plays(talking, part)
    assert ended_well(lambda: talking.worker.ask(ModelFacts(target="x"), "asking") == 1)


VALUES: Final[tuple[Any, ...]] = (
    None, 1, -1.5, "text", b"bytes", [1, [2, (3,)]], {"a": {"b": np.arange(7.0)}}, np.float32(2),
    (np.zeros((3, 2), np.uint8), "x"), Opaque("a.B", "<B>"), list(range(300)),
)  # fmt: skip


def damaged(chance: random.Random) -> bytes:
    """A stream of frames with something wrong in it, or nothing."""
    number = chance.choice((1, 1, 1, 1, 0, 2, 2**62))
    kind = chance.choice(("ok", "ok", "ok", "error", "fine"))
    content = FAILURE if kind == "error" else chance.choice(VALUES)
    data = bytearray(frame([number, kind, content]))
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        place = chance.randrange(len(data)) if data else 0
        match chance.randrange(5):
            case 0 if data:
                data[place] ^= 1 << chance.randrange(8)
            case 1 if data:
                data[place] = chance.choice((0, 0xFF, 0xC1, 0xDD, 0xDF, 0xC9, 0xC7))
            case 2:
                del data[place:]
            case 3:
                data[place:place] = chance.randbytes(chance.randrange(1, 9))
            case 4:
                data += data[place:]
    return bytes(data)


def answers_plainly(talking: Peer) -> bool:
    return len(encode(talking.worker.ask(ModelFacts(target="x"), "asking"))) > 0


def in_pieces(data: bytes, chance: random.Random) -> Iterator[bytes]:
    while data:
        size = chance.choice((1, 2, 3, 5, 50, len(data)))
        yield data[:size]
        data = data[size:]


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_damaged_stream_is_an_answer_or_one_incident(start: int, peer: Callable[..., Peer]) -> None:
    for seed in range(start, start + 50):
        chance = random.Random(seed)
        data = damaged(chance)
        talking = peer(call_wall_s=0.4, reply_mb=1)
        shut = chance.random() < 0.8

        def part(
            channel: socket.socket,
            data: bytes = data, chance: random.Random = chance, shut: bool = shut,
        ) -> None:  # fmt: skip
            for piece in in_pieces(data, chance):
                channel.sendall(piece)
            if shut:
                channel.shutdown(socket.SHUT_WR)

        plays(talking, part)
        begun = time.monotonic()
        assert ended_well(partial(answers_plainly, talking)), seed
        assert time.monotonic() - begun < 3, seed
        talking.worker.close()


# --- student code ---------------------------------------------------------------------------------

LIES = """
import numpy as np
import tensorflow as tf

class Liar:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    __hash__ = None
    def __len__(self): return 4
    def __iter__(self): return iter([7, 7, 7, 7])
    def __getitem__(self, key): return 7
    def __contains__(self, item): return True
    def __bool__(self): return True
    def __int__(self): return 7
    __index__ = __int__
    def __float__(self): return 7.0
    def __abs__(self): return self
    __sub__ = __rsub__ = lambda self, other: 0
    def __array__(self, dtype=None, copy=None): return np.full(4, 7.0)
    def __str__(self): return "7"
    __repr__ = __str__
    def items(self): return [("a", 7)]
    def keys(self): return ["a"]
    values = __iter__
    def item(self): return 7
    tobytes = tolist = numpy = item
    def encode(self, *args): return b"seven"
    dtype = np.dtype("int64")
    shape = (4,)
    size = ndim = 1

class Int(Liar, int): pass
class Float(Liar, float): pass
class Text(Liar, str): pass
class Key(Text):
    def __hash__(self): return 7
class List(Liar, list): pass
class Tuple(Liar, tuple): pass
class Dict(Liar, dict): pass
class Array(Liar, np.ndarray): pass
class Masked(Liar): __class__ = int
class Disguised(Liar): __class__ = np.ndarray
class Meta(type):
    def __instancecheck__(cls, other): return True
    def __subclasscheck__(cls, other): return True
    def __eq__(cls, other): return True
    def __hash__(cls): return hash(int)
class Anything(metaclass=Meta): pass
"""


@pytest.mark.parametrize(
    ("value", "crosses"),
    [
        ("Int(3)", 3),
        ("Float(3.5)", 3.5),
        ("Text('three')", "three"),
        ("List([1, 2])", [1, 2]),
        ("Tuple((1, 2))", (1, 2)),
        ("Dict({'b': 1})", {"b": 1}),
        ("[Int(3), {'a': Float(1.0)}]", [3, {"a": 1.0}]),
        ("{Key('key'): Int(3)}", Opaque("dict", "{7: 7}")),
        ("Liar()", Opaque("student.Liar", "7")),
        ("Masked()", Opaque("student.Masked", "7")),
        ("Disguised()", Opaque("student.Disguised", "7")),
        ("float('nan')", float("nan")),
        ("True", True),
    ],
    ids=str,
)
def test_object_that_lies_about_itself_crosses_as_what_it_is(
    value: str, crosses: Any, student: Student
) -> None:
    arrived = student(f"{LIES}\ndef run():\n    return {value}\n").run()
    assert encode(arrived) == encode(crosses)
    assert type(arrived) is type(crosses)


@pytest.mark.parametrize(
    ("value", "array"),
    [
        ("np.arange(4.0).view(Array)", np.arange(4.0)),
        ("np.arange(24).reshape(2, 3, 4)[::-1, :, ::-2]",
         np.arange(24).reshape(2, 3, 4)[::-1, :, ::-2]),
        ("np.array(5)", np.array(5)),
        ("np.broadcast_to(np.int8(3), (1000, 2))", np.full((1000, 2), 3, np.int8)),
        ("np.arange(3, dtype='>i4')", np.arange(3, dtype=np.int32)),
        ("np.ma.masked_array([1.0, 2.0], [True, False])", np.array([1.0, 2.0])),
        ("np.matrix([[1, 2]])", np.array([[1, 2]])),
        ("np.lib.stride_tricks.as_strided(np.arange(3), (2, 2), (8, 8))",
         np.array([[0, 1], [1, 2]])),
        ("tf.constant([1.0, float('nan')])", np.array([1.0, np.nan], np.float32)),
    ],
)  # fmt: skip
def test_array_of_any_kind_crosses_as_its_elements(
    value: str, array: np.ndarray[Any, Any], student: Student
) -> None:
    arrived = student(f"{LIES}\ndef run():\n    return {value}\n").run()
    assert type(arrived) is np.ndarray
    assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
    assert arrived.tobytes() == np.ascontiguousarray(array).tobytes()


@pytest.mark.parametrize(
    "value",
    [
        "Anything()", "Anything", "(number for number in range(10**9))", "iter(int, 1)",
        "np.zeros(3, dtype=[('a', 'f8')])", "np.array(['2020'], 'M8[Y]')", "np.zeros(2, complex)",
        "tf.constant(['text'])", "tf.constant(1, tf.bfloat16)", "tf.RaggedTensor.from_row_lengths("
        "[1, 2, 3], [1, 2])", "tf.sparse.from_dense([[0, 1]])", "np.zeros((2**32 - 1, 0))",
        "type('Endless', (list,), {'__iter__': lambda self: iter(int, 1)})([1, 2])",
        "type('Odd', (np.ndarray,), {'__array_finalize__': lambda self, other: 1 / 0})",
        "10**100", "lambda: 1", "np", "open('/dev/null')", "Ellipsis", "NotImplemented",
        "memoryview(b'abc')", "bytearray(b'abc')", "range(10**12)", "{1.5: 2}", "frozenset([1])",
    ],
)  # fmt: skip
def test_anything_else_is_data_or_an_incident_of_the_students(value: str, student: Student) -> None:
    running = student(
        f"{LIES}\ndef run():\n    return [{value}, 5]\ndef fine():\n    return 1\n", call_wall_s=10
    )
    assert ended_well(lambda: running.run()[1] == 5 and running.run("fine") == 1)


@pytest.mark.parametrize(
    "value",
    [
        "np.broadcast_to(np.uint8(1), (10**9,))",
        "np.broadcast_to(1.0, (10**9,))",
        "[np.zeros(10**7)] * 4",
        "b'x' * (300 << 20)",
    ],
)
def test_answer_beyond_every_limit_is_a_limit(value: str, student: Student) -> None:
    running = student(f"import numpy as np\ndef run():\n    return {value}\n")
    incident = running.incident()
    assert incident.kind is IncidentKind.LIMIT
    assert incident.limit in {
        LimitName.REPLY, LimitName.MEMORY, LimitName.RESIDENT, LimitName.CALL_CPU,
        *(limit for limit in LimitName if limit.value == "data_mb"),
    }  # fmt: skip


def test_descriptors_that_student_code_passes_do_not_stay_open(student: Student) -> None:
    running = student(
        """
        import os, socket
        def run():
            channel = socket.socket(fileno=os.dup(3))
            file = os.open("student.py", os.O_RDONLY)
            try:
                socket.send_fds(channel, [b"\\0"], [file] * 100)
            except OSError:
                return "refused"
            return "sent"
        """,
        call_wall_s=2,
    )
    before = len(open_descriptors())
    assert ended_well(lambda: running.run() == "refused")
    assert len(open_descriptors()) <= before
