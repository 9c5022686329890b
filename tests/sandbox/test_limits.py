"""Every limit is hit for real, reported by its name, and ends the worker."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.records.incident import IncidentKind, LimitName
from grader.records.messages import ImportFile, Invoke, Resolve
from grader.records.spec import Limits
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.meter import Spent
from grader.sandbox.server import ForkServer

Student = Callable[..., Any]

CASES = {
    "endless loop": (
        LimitName.CALL_CPU,
        {"call_cpu_s": 0.4},
        """
        def run():
            while True:
                pass
        """,
    ),
    "many threads": (
        LimitName.CALL_CPU,
        {"call_cpu_s": 0.4},
        """
        import hashlib, threading
        def run():
            def burn():
                while True:
                    hashlib.sha256(bytes(1 << 20))
            threads = [threading.Thread(target=burn) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        """,
    ),
    "waiting": (
        LimitName.CALL_WALL,
        {"call_wall_s": 0.4},
        """
        import time
        def run():
            time.sleep(60)
        """,
    ),
    "stopping itself": (
        LimitName.CALL_WALL,
        {"call_wall_s": 0.4},
        """
        import os, signal
        def run():
            os.kill(os.getpid(), signal.SIGSTOP)
        """,
    ),
    "allocating": (
        LimitName.MEMORY,
        {"memory_mb": 3072, "data_mb": 3000},
        """
        import numpy as np
        def run():
            return np.ones((4, 1024, 1024, 256), np.float32).sum()
        """,
    ),
    "allocating what can be written to": (
        LimitName.DATA,
        {"memory_mb": 8192, "data_mb": 1024},
        """
        import numpy as np
        def run():
            return np.ones((1024, 1024, 256), np.float32).sum()
        """,
    ),
    "threads": (
        LimitName.THREADS,
        {"threads": 40},
        """
        import threading, time
        def run():
            for _ in range(60):
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            time.sleep(60)
        """,
    ),
    "filling the folder": (
        LimitName.SCRATCH,
        {"scratch_mb": 96},
        """
        import time
        def run():
            for number in range(20):
                with open(f"large{number}", "wb") as file:
                    file.write(bytes(8 << 20))
            time.sleep(60)
        """,
    ),
    "making files": (
        LimitName.SCRATCH_FILES,
        {"scratch_files": 5000},
        """
        import os, time
        def run():
            for number in range(6000):
                os.mkdir(f"folder{number}")
            time.sleep(60)
        """,
    ),
    "filling memory": (
        LimitName.RESIDENT,
        {"resident_mb": 500},
        """
        import time
        def run():
            kept = bytearray(b"x") * (600 << 20)
            time.sleep(60)
        """,
    ),
    "subprocess": (
        LimitName.PROCESSES,
        {},
        """
        import subprocess
        def run():
            subprocess.run(["sleep", "60"])
        """,
    ),
    "fork past Python's notice": (
        LimitName.PROCESSES,
        {},
        """
        import ctypes, time
        def run():
            if ctypes.CDLL(None).fork() == 0:
                time.sleep(60)
            time.sleep(60)
        """,
    ),
    "one process more than allowed": (
        LimitName.PROCESSES,
        {"processes": 1},
        """
        import subprocess, time
        def run():
            started = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
            time.sleep(60)
        """,
    ),
    "daemon": (
        LimitName.PROCESSES,
        {},
        """
        import ctypes, os, time
        def run():
            fork = ctypes.CDLL(None).fork
            if fork() == 0:
                os.setsid()
                if fork() != 0:
                    os._exit(0)
                time.sleep(60)
            os.wait()
            time.sleep(60)
        """,
    ),
    "flood of prints": (
        LimitName.OUTPUT,
        {"output_kb": 256},
        """
        def run():
            while True:
                print("x" * 1000)
        """,
    ),
    "large answer": (
        LimitName.REPLY,
        {"reply_mb": 1},
        """
        import numpy as np
        def run():
            return np.zeros(1 << 20, np.float32)
        """,
    ),
    "large file": (
        LimitName.FILE_SIZE,
        {"file_mb": 1},
        """
        def run():
            with open("large", "wb") as file:
                for _ in range(3):
                    file.write(bytes(1 << 20))
        """,
    ),
    "many open files": (
        LimitName.OPEN_FILES,
        {"open_files": 64},
        """
        kept = []
        def run():
            for number in range(100):
                kept.append(open(f"file{number}", "w"))
        """,
    ),
}


# The system-call filter keeps confined code from what the trusted side counts elsewhere.
UNCONFINED = {"fork past Python's notice", "one process more than allowed", "daemon"}


@pytest.mark.parametrize(
    ("case", "level"),
    [(case, level) for case in CASES for level in ("student", "unconfined_student")
     if level == "unconfined_student" or case not in UNCONFINED],
)  # fmt: skip
def test_limit_is_reported_by_name_and_ends_the_worker(
    case: str, level: str, request: pytest.FixtureRequest
) -> None:
    limit, limits, source = CASES[case]
    running = request.getfixturevalue(level)(source, **limits)
    begun = time.monotonic()
    incident = running.incident()
    assert (incident.kind, incident.limit) == (IncidentKind.LIMIT, limit)
    assert incident.stage == "calling run"
    assert incident.limit_value.startswith(f"{limits.get(limit.value, 0):g}")
    assert time.monotonic() - begun < 20
    assert running.worker.ended
    assert not Path(f"/proc/{running.worker.pid}").exists()
    with pytest.raises(WorkerIncident) as again:
        running.worker.ask(Resolve(role="run", what="function", names=("run",)), "looking")
    assert again.value.incident == incident


@pytest.mark.parametrize(
    ("case", "line"),
    [("allocating", 4), ("subprocess", 4), ("large file", 5), ("many open files", 5)],
)
def test_limit_that_python_notices_names_the_line(case: str, line: int, student: Student) -> None:
    _, limits, source = CASES[case]
    incident = student(source, **limits).incident()
    assert incident.where() == f"student.py:{line}"
    assert incident.frames[-1].text


def test_large_answer_is_refused_before_it_is_read(student: Student) -> None:
    """A worker that does not keep to its own limit: the header alone decides."""
    running = student(
        """
        import os, time
        def run():
            os.write(3, (0xFFFFFFFF).to_bytes(4, "big"))
            time.sleep(60)
        """
    )
    begun = time.monotonic()
    assert running.incident().limit is LimitName.REPLY
    assert time.monotonic() - begun < 5


SPEND = """
    import time
    def run():
        end = time.process_time() + {seconds}
        while time.process_time() < end:
            pass
"""


def _calls_until_a_limit(running: Any, most: int) -> tuple[int, LimitName | None]:
    for calls in range(most):
        try:
            running.run()
        except WorkerIncident as error:
            return calls, error.incident.limit
    return most, None


def test_processor_time_adds_up_over_the_calls_of_a_part(student: Student) -> None:
    running = student(SPEND.format(seconds=0.3), part_cpu_s=1.0, call_cpu_s=10)
    calls, limit = _calls_until_a_limit(running, most=20)
    assert limit is LimitName.PART_CPU
    assert 2 <= calls <= 4


def test_processor_time_of_the_parts_other_workers_counts(fork_server: ForkServer) -> None:
    limits = Limits(part_cpu_s=1.0, call_cpu_s=10)
    source = textwrap.dedent(SPEND.format(seconds=0.5)).encode()
    with fork_server.student(limits, 1, Spent(cpu_s=0.8)) as worker:
        worker.put_files((("student.py", source),))
        worker.ask(ImportFile(file="student.py"), "importing")
        worker.ask(Resolve(role="run", what="function", names=("run",)), "looking")
        with pytest.raises(WorkerIncident) as caught:
            worker.ask(Invoke(target="run"), "calling run")
    assert caught.value.incident.limit is LimitName.PART_CPU
    assert caught.value.incident.limit_value == "1 s"


def test_time_on_the_clock_of_the_parts_other_workers_counts(fork_server: ForkServer) -> None:
    limits = Limits(part_wall_s=5.0)
    with fork_server.student(limits, 1, Spent(wall_s=4.9)) as worker:
        worker.put_files((("student.py", b"import time\ntime.sleep(1)\n"),))
        with pytest.raises(WorkerIncident) as caught:
            worker.ask(ImportFile(file="student.py"), "importing")
    assert caught.value.incident.limit is LimitName.PART_WALL


def test_time_on_the_clock_adds_up_over_short_calls(student: Student) -> None:
    """Calls shorter than the interval of the watch are seen all the same."""
    running = student(
        """
        import time
        def run():
            time.sleep(0.03)
        """,
        part_wall_s=0.6,
    )
    calls, limit = _calls_until_a_limit(running, most=200)
    assert limit is LimitName.PART_WALL
    assert calls < 25


def test_call_is_not_charged_for_the_calls_before_it(student: Student) -> None:
    running = student(SPEND.format(seconds=0.45), call_cpu_s=0.8)
    for _ in range(4):
        running.run()
    assert running.worker.cpu_s > 1.8


def test_waiting_on_a_busy_machine_is_not_processor_time(student: Student) -> None:
    running = student(
        """
        import time
        def run():
            time.sleep(1.2)
            return 7
        """,
        call_cpu_s=0.3,
    )
    assert running.run() == 7


def test_time_between_calls_is_not_counted(student: Student) -> None:
    running = student("def run():\n    return 1\n", part_wall_s=0.5, call_wall_s=0.5)
    time.sleep(0.7)
    assert running.run() == 1


def test_limit_inside_its_bounds_is_not_reported(student: Student) -> None:
    running = student(
        """
        import multiprocessing
        def answer(pipe):
            pipe.send("hello")
        def run():
            ours, theirs = multiprocessing.Pipe()
            child = multiprocessing.get_context("fork").Process(target=answer, args=(theirs,))
            child.start()
            said = ours.recv()
            child.join()
            return said
        """,
        processes=1,
    )
    assert running.run() == "hello"


def test_kernel_limits_are_in_force(student: Student) -> None:
    running = student(
        """
        import resource
        def run():
            names = ("CORE", "NOFILE", "CPU", "AS", "FSIZE")
            return [list(resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))) for name in names]
        """,
        open_files=100, part_cpu_s=20, memory_mb=4000, file_mb=3,
    )  # fmt: skip
    assert running.run() == [
        [1, 1], [100, 100], [30, 35], [4000 << 20, 4000 << 20], [3 << 20, 3 << 20],
    ]  # fmt: skip


def test_submitted_file_may_be_larger_than_what_the_code_may_write(student: Student) -> None:
    running = student(file_mb=1)
    running.worker.put_files((("weights.bin", bytes(3 << 20)),))
    running.load("import os\ndef run():\n    return os.path.getsize('weights.bin')\n")
    assert running.run() == 3 << 20


def test_refused_process_can_be_caught(student: Student) -> None:
    """A library that asks `uname` for the platform and does without."""
    running = student(
        """
        import subprocess
        def run():
            try:
                return subprocess.check_output(["uname"])
            except OSError as error:
                return type(error).__name__
        """
    )
    assert running.run() == "ProcessRefused"
    assert not running.worker.ended
