"""The fork server: starting workers, ending them, and what its own end means."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.errors import GraderFault
from grader.records.barriers import REQUIRED
from grader.records.messages import ImportFile, ReadWeights, Reference, encode_request
from grader.records.spec import Isolation, Limits
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import ColdStart, ForkServer, best_source, worker_environment
from grader.sandbox.worker import Worker

ENDLESS = b"while True:\n    pass\n"


@pytest.fixture
def own_server() -> Iterator[ForkServer]:
    """A server that the test may break."""
    server = ForkServer()
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while _alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


def test_killed_server_is_a_fault_and_takes_its_workers_along(own_server: ForkServer) -> None:
    worker = own_server.student(Limits(), 1)
    inspector = own_server.inspector()
    os.kill(own_server.pid, signal.SIGKILL)
    _wait_until_gone(own_server.pid)
    with pytest.raises(GraderFault):
        worker.ask(ImportFile(file="student.py"), "importing student.py")
    with pytest.raises(GraderFault):
        own_server.student(Limits(), 2)
    with pytest.raises(GraderFault):
        own_server.inspector().ask(ReadWeights(target="x"), "asking")
    assert not own_server.alive()
    worker.close()
    inspector.close()
    _wait_until_gone(worker.pid)
    _wait_until_gone(inspector.pid)


KILLS_ITS_PARENT = b"""
import ctypes, os, signal
ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
os.kill(os.getppid(), signal.SIGKILL)
while True:
    pass
"""


def test_server_killed_by_student_code_is_a_fault_and_the_code_ends() -> None:
    """The worker even asks the kernel not to end it with its parent."""
    server = ForkServer(Isolation.PROCESS)
    try:
        worker = server.student(Limits(call_cpu_s=0.3), 1)
        worker.put_files((("student.py", KILLS_ITS_PARENT),))
        with pytest.raises((GraderFault, WorkerIncident)):
            worker.ask(ImportFile(file="student.py"), "importing student.py")
        _wait_until_gone(worker.pid)
        with pytest.raises(GraderFault):
            server.student(Limits(), 2)
    finally:
        server.close()


def test_server_cannot_be_killed_by_confined_student_code(fork_server: ForkServer) -> None:
    with fork_server.student(Limits(call_cpu_s=0.3), 1) as worker:
        worker.put_files((("student.py", KILLS_ITS_PARENT),))
        with pytest.raises(WorkerIncident) as caught:
            worker.ask(ImportFile(file="student.py"), "importing student.py")
        assert caught.value.incident.error_type == "PermissionError"
    fork_server.student(Limits(), 2).close()


def test_closing_the_server_ends_workers_that_are_busy(own_server: ForkServer) -> None:
    worker = own_server.student(Limits(call_wall_s=0.3, call_cpu_s=60, processes=9), 1)
    worker.put_files((("student.py", b"import os\nos.fork()\n" + ENDLESS),))
    request = ImportFile(file="student.py")
    worker._channel.sendall(encode_request(worker.calls + 1, request))
    time.sleep(0.3)
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    assert len(children) == 1
    own_server.close()
    assert not _alive(worker.pid)
    assert not _alive(int(children[0]))
    worker.close()


def test_server_that_does_not_come_up_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = worker_environment(Path("/nowhere")) | {"KERAS_BACKEND": "nonsense"}
    monkeypatch.setattr("grader.sandbox.server.worker_environment", lambda _: broken)
    server = ForkServer()
    try:
        with pytest.raises(GraderFault, match="nonsense"):
            server.wait_ready()
        with pytest.raises(GraderFault):
            server.student(Limits(), 1)
    finally:
        server.close()


def test_worker_that_cannot_start_is_a_fault_and_leaves_nothing(own_server: ForkServer) -> None:
    """The server may be unable to start any other; it is replaced, not asked again."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    folders = set(Path(own_server._folder.path).iterdir())
    with pytest.raises(GraderFault, match="start"):
        own_server.student(Limits.model_construct(**{**Limits().plain(), "memory_mb": 1}), 1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert set(Path(own_server._folder.path).iterdir()) == folders
    assert not own_server.alive()


def test_inspector_is_one_and_is_replaced_when_it_has_ended(fork_server: ForkServer) -> None:
    first = fork_server.inspector()
    assert fork_server.inspector() is first
    os.kill(first.pid, signal.SIGKILL)
    request = Reference(layers=({"layer": "Dense", "units": 2},), input_shape=(3,))
    with pytest.raises((GraderFault, WorkerIncident)):
        first.ask(request, "asking")
    second = fork_server.inspector()
    assert second is not first
    assert second.ask(request, "asking") == [[3, 2], [2]]


def test_inspector_takes_no_student_code(fork_server: ForkServer) -> None:
    inspector = fork_server.inspector()
    with pytest.raises(WorkerIncident) as caught:
        inspector.ask(ImportFile(file="student.py"), "importing")
    assert caught.value.incident.error_type == "KeyError"


def test_workers_report_their_barriers(fork_server: ForkServer) -> None:
    with fork_server.student(Limits(), 1) as worker:
        assert set(worker.barriers) >= REQUIRED[worker.isolation]
        assert worker.isolation is fork_server.isolation


def test_versions_are_those_of_the_libraries(fork_server: ForkServer) -> None:
    assert set(fork_server.versions) == {"python", "tensorflow", "keras", "gymnasium", "numpy"}
    assert fork_server.versions["python"] == sys.version.split()[0]


def test_best_source_on_linux_forks() -> None:
    source = best_source()
    try:
        assert isinstance(source, ForkServer)
    finally:
        source.close()


def test_cold_start_answers_the_same_protocol(fork_server: ForkServer) -> None:
    source = ColdStart()
    try:
        source.wait_ready()
        with source.student(Limits(call_cpu_s=0.5), 1) as worker:
            worker.put_files((("student.py", b"print('hello')\n"), ("endless.py", ENDLESS)))
            assert worker.ask(ImportFile(file="student.py"), "importing student.py") == {}
            with fork_server.student(Limits(), 2) as forked:
                assert _set_order(worker) == _set_order(forked)
            with pytest.raises(WorkerIncident) as caught:
                worker.ask(ImportFile(file="endless.py"), "importing endless.py")
            assert caught.value.incident.limit == "call_cpu_s"
            assert worker.printed() == "hello\n"
        assert source.alive()
    finally:
        source.close()
    assert not _alive(worker.pid)
    assert not Path(source._folder.path).exists()


def _set_order(worker: Worker) -> str:
    """The order in which a set of texts iterates, the same in every process that is started."""
    source = b"raise ValueError(str({'left', 'right', 'up', 'down', 'fire', 'noop'}))\n"
    worker.put_files((("sets.py", source),))
    with pytest.raises(WorkerIncident) as caught:
        worker.ask(ImportFile(file="sets.py"), "importing sets.py")
    return caught.value.incident.message


def test_server_refuses_to_fork_where_a_child_would_hang(tmp_path: Path) -> None:
    script = """
import os, threading
from grader.worker.forking import _safe_to_fork
from grader.worker.server import _import_libraries
_import_libraries()
print(_safe_to_fork())
end = threading.Event()
thread = threading.Thread(target=end.wait)
thread.start()
print(_safe_to_fork())
end.set()
thread.join()
import tensorflow
tensorflow.constant(1)
print(_safe_to_fork(), flush=True)
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=worker_environment(tmp_path),
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "None",
        "the fork server has 2 threads",
        "TensorFlow has run an operation in the fork server",
    ]
