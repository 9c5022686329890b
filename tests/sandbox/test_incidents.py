"""How student code can end other than by answering, and what is told of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.errors import GraderFault
from grader.records.incident import IncidentKind
from grader.records.messages import ImportFile, Invoke, InvokeMany, Resolve
from grader.records.spec import Isolation, Limits
from grader.records.wire import describe
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import ForkServer, worker_environment

Student = Callable[..., Any]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("os._exit(0)", "it exited with code 0"),
        ("os._exit(3)", "it exited with code 3"),
        ("os.kill(os.getpid(), 15)", "it was ended by SIGTERM"),
        ("os.abort()", "it was ended by SIGABRT"),
        ("ctypes.string_at(0)", "it was ended by SIGSEGV"),
        ("os.kill(os.getpid(), 40)", "it was ended by signal 40"),
        ("sys.exit('bye')", "sys.exit() was called"),
        ("raise SystemExit(0)", "sys.exit() was called"),
        ("[]()._exit", None),
    ],
)
def test_process_that_ends_itself(statement: str, message: str | None, student: Student) -> None:
    running = student(f"import ctypes, os, sys\ndef run():\n    {statement}\n")
    incident = running.incident()
    if message is None:
        assert incident.kind is IncidentKind.RAISED
        assert not running.worker.ended
        return
    assert (incident.kind, incident.message) == (IncidentKind.EXITED, message)
    assert running.worker.ended
    with pytest.raises(WorkerIncident) as again:
        running.worker.ask(ImportFile(file="student.py"), "importing again")
    assert again.value.incident == incident


def test_exit_names_the_line(student: Student) -> None:
    incident = student("import sys\n\ndef run():\n    sys.exit(1)\n").incident()
    assert incident.where() == "student.py:4"


def test_worker_killed_from_outside_is_a_fault(student: Student) -> None:
    """Confined code cannot send itself that signal: it was the machine, or somebody on it."""
    running = student("def run():\n    return 1\n")
    if running.worker.isolation is Isolation.PROCESS:
        pytest.skip("without the filter it could have been the student's code")
    os.kill(running.worker.pid, 9)
    for _ in range(2):
        with pytest.raises(GraderFault):
            running.run()


@pytest.mark.parametrize(
    "statement",
    [
        "os.kill(os.getpid(), 9)",
        "signal.pthread_kill(threading.get_ident(), 9)",
        "signal.raise_signal(9)",
        "signal.pidfd_send_signal(os.pidfd_open(os.getpid()), 9)",
    ],
)
def test_confined_code_cannot_pretend_to_be_killed_from_outside(
    statement: str, student: Student
) -> None:
    source = f"import os, signal, threading\ndef run():\n    {statement}\n"
    incident = student(source).incident()
    assert (incident.kind, incident.error_type) == (IncidentKind.RAISED, "PermissionError")


def test_process_killed_at_the_weakest_level_is_taken_for_the_students(
    unconfined_student: Student,
) -> None:
    running = unconfined_student("import os\ndef run():\n    os.kill(os.getpid(), 9)\n")
    incident = running.incident()
    assert (incident.kind, incident.message) == (IncidentKind.EXITED, "it was ended by SIGKILL")


def test_exception_is_told_with_its_lines_and_the_worker_lives_on(student: Student) -> None:
    running = student(
        """
        def inner(value):
            return {}[value]

        def run():
            return inner("left")
        """
    )
    incident = running.incident()
    assert (incident.kind, incident.error_type) == (IncidentKind.RAISED, "KeyError")
    assert incident.message == "'left'"
    assert [(frame.line, frame.function, frame.text) for frame in incident.frames] == [
        (6, "run", 'return inner("left")'),
        (3, "inner", "return {}[value]"),
    ]
    assert incident.where() == "student.py:3"
    assert not running.worker.ended
    assert running.incident() == incident


def test_frames_of_libraries_are_left_out(student: Student) -> None:
    incident = student(
        """
        import numpy as np
        def run():
            return np.zeros((2, 3)) @ np.zeros((2, 3))
        """
    ).incident()
    assert [frame.file for frame in incident.frames] == ["student.py"]
    assert incident.frames[0].line == 4


@pytest.mark.parametrize(
    ("source", "error_type", "line"),
    [
        ("x = 1\ndef run(:\n", "SyntaxError", 2),
        ("def run():\nreturn 1\n", "IndentationError", 2),
        ("import os\n\nraise ValueError('at import')\n", "ValueError", 3),
        ("import nothing_of_that_name\n", "ModuleNotFoundError", 1),
    ],
)
def test_file_that_cannot_be_imported(
    source: str, error_type: str, line: int, student: Student
) -> None:
    running = student()
    with pytest.raises(WorkerIncident) as caught:
        running.load(source)
    incident = caught.value.incident
    assert (incident.kind, incident.error_type) == (IncidentKind.RAISED, error_type)
    assert incident.where() == f"student.py:{line}"
    assert incident.stage == "importing student.py"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00bad", b"x = 1\0\n", b"# coding: nonsense\n"])
def test_file_that_is_no_text_is_the_students_error(content: bytes, student: Student) -> None:
    running = student()
    running.worker.put_files((("student.py", content),))
    with pytest.raises(WorkerIncident) as caught:
        running.worker.ask(ImportFile(file="student.py"), "importing student.py")
    assert caught.value.incident.kind is IncidentKind.RAISED
    assert not caught.value.final


def test_message_holds_no_path_and_no_address(student: Student) -> None:
    running = student(
        """
        import os, tempfile
        class Thing:
            pass
        def run(what):
            if what == "address":
                raise ValueError(f"bad {Thing()}")
            if what == "file":
                raise ValueError(f"no {os.getcwd()}/weights.h5 in {os.getcwd()}")
            if what == "temporary":
                raise ValueError(f"in {tempfile.gettempdir()}/a")
            from keras import nothing_of_that_name
        """
    )
    assert running.incident(what="address").message == "bad <student.Thing object at 0x…>"
    assert running.incident(what="file").message == "no weights.h5 in ."
    assert running.incident(what="temporary").message == "in tmp/a"
    library = running.incident(what="library").message
    assert library.endswith("(keras/__init__.py)")
    assert "/opt" not in library
    assert "site-packages" not in library


@pytest.mark.parametrize(
    "body",
    [
        "def __str__(self): raise RuntimeError('no')",
        "def __str__(self): return 5",
        "def __str__(self): raise SystemExit",
        "__str__ = None",
        "__class__ = property(lambda self: 1 / 0)",
        "__traceback__ = property(lambda self: 1 / 0)",
    ],
)
def test_exception_that_cannot_describe_itself_is_told_all_the_same(
    body: str, student: Student
) -> None:
    running = student(
        f"class Odd(Exception):\n    {body}\ndef run():\n    raise Odd\n"
        "def fine():\n    return 'still here'\n"
    )
    incident = running.incident()
    assert incident.kind is IncidentKind.RAISED
    assert incident.message
    assert running.run("fine") == "still here"


def test_exception_text_is_cleaned_and_capped(student: Student) -> None:
    running = student(
        """
        def run():
            raise ValueError("\\x1b[31mred\\x1b[0m \\u202e" + "x" * 100000)
        """
    )
    message = running.incident().message
    assert message.startswith("red \ufffdxxx")
    assert len(message) < 700


def test_failure_in_one_of_several_calls_says_which(student: Student) -> None:
    running = student(
        """
        class Agent:
            def act(self, observation):
                return 10 // observation
        """
    )
    ask = running.worker.ask
    ask(Resolve(role="agent_class", what="class", names=("Agent",)), "looking")
    ask(Invoke(target="agent_class", keep="agent"), "making")
    several = InvokeMany(target="agent", method="act", argument="observation", values=(1, 2, 0, 3))
    with pytest.raises(WorkerIncident) as caught:
        ask(several, "calling act")
    assert caught.value.at == 2
    assert caught.value.incident.error_type == "ZeroDivisionError"


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("type('Odd', (), {'__repr__': lambda self: 1 / 0})()", "(its repr raises) (student.Odd)"),
        ("type('Odd', (), {'__eq__': lambda self, other: 1 / 0})()", "<student.Odd object at 0x…>"),
        ("type('Odd', (), {'__repr__': lambda self: '\\x1b[2J.' * 9999})()", "...."),
        ("type('Odd', (str,), {'__len__': lambda self: 1 / 0})('text')", "'text' (str)"),
        ("object()", "<object object at 0x…> (object)"),
        ("print", "<built-in function print> (builtin_function_or_method)"),
        ("10**5000", "(its repr raises) (int)"),
        ("10**20", "100000000000000000000 (int)"),
        ("np.array([object])", "array([<class 'object'>], dtype=object) (numpy.ndarray)"),
        ("np.array(['text'])", "array(['text'], dtype='<U4') (numpy.ndarray)"),
        ("{1: 2}", "{1: 2} (dict)"),
        ("{'a': {3}}", "{'a': Opaque(type_name='set', text='{3}')} (dict)"),
        ("np.float64(2)", "2.0 (numpy.float64)"),
        ("tf.constant([1, 2])", "[1 2] (array, int32, shape (2,))"),
        ("tf.Variable(2.0)", "2.0 (numpy.float32)"),
    ],
)
def test_odd_answers_arrive_as_text(value: str, arrives: str, student: Student) -> None:
    running = student(
        f"import numpy as np\nimport tensorflow as tf\ndef run():\n    return [{value}, 5]\n"
    )
    answer, other = running.run()
    assert describe(answer).startswith(arrives)
    assert other == 5


@pytest.mark.parametrize(
    "value",
    [
        "type('Odd', (), {'__class__': property(lambda self: 1 / 0)})()",
        "type('Odd', (), {'numpy': property(lambda self: 1 / 0), '__class__': tf.Tensor})()",
    ],
)
def test_answer_that_raises_when_looked_at_is_an_exception(value: str, student: Student) -> None:
    running = student(
        f"import tensorflow as tf\ndef run():\n    return {value}\ndef fine():\n    return 1\n"
    )
    assert running.incident().error_type == "ZeroDivisionError"
    assert running.run("fine") == 1


def test_endless_repr_is_a_limit(student: Student) -> None:
    running = student(
        """
        class Odd:
            def __repr__(self):
                while True:
                    pass
        def run():
            return Odd()
        """,
        call_cpu_s=0.3,
    )
    assert running.incident().kind is IncidentKind.LIMIT


def test_answer_that_holds_itself_is_an_exception(student: Student) -> None:
    running = student(
        """
        def run():
            holds = []
            holds.extend([holds] * 10)
            return holds
        """
    )
    assert running.incident().error_type == "RecursionError"


# --- what a worker leaves behind ------------------------------------------------------------------


def _gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_everything_a_worker_started_ends_with_it(unconfined_student: Student) -> None:
    running = unconfined_student(
        """
        import os, subprocess, sys, time
        def run():
            child = subprocess.Popen(["sleep", "300"])
            read, write = os.pipe()
            if os.fork() == 0:
                os.setsid()
                if os.fork() != 0:
                    os._exit(0)
                # A daemon that has let go of everything it shared.
                os.write(write, str(os.getpid()).encode())
                for descriptor in (0, 1, 2, 3, read, write):
                    os.close(descriptor)
                time.sleep(300)
                os._exit(0)
            os.wait()
            return [child.pid, int(os.read(read, 20))]
        """,
        processes=10,
    )
    child, daemon = running.run()
    assert not _gone(child)
    assert not _gone(daemon)
    running.worker.close()
    assert _gone(running.worker.pid)
    assert _gone(child)
    assert _gone(daemon)


def test_daemon_ends_with_its_namespace(student: Student) -> None:
    """It has let go of everything it shared; the trusted side finds it by the worker's init."""
    running = student(
        """
        import os, time
        def run():
            if os.fork() == 0:
                if os.fork() != 0:
                    os._exit(0)
                for descriptor in range(5):
                    try:
                        os.close(descriptor)
                    except OSError:
                        pass
                time.sleep(300)
                os._exit(0)
            os.wait()
        """,
        processes=10,
    )
    running.run()
    started = running.worker._kin.started()
    assert len(started) == 1
    running.worker.close()
    assert all(_gone(pid) for pid in {running.worker.pid, *started})


def test_processes_that_fork_while_they_are_ended_are_ended(
    unconfined_student: Student,
) -> None:
    running = unconfined_student(
        """
        import os, time
        def run():
            for _ in range(8):
                if os.fork() == 0:
                    os.setsid()
                    while True:
                        if os.fork() == 0:
                            time.sleep(0.005)
                            os._exit(0)
                        time.sleep(0.01)
            time.sleep(60)
        """,
        processes=6,
    )
    begun = time.monotonic()
    assert running.incident().kind is IncidentKind.LIMIT
    assert time.monotonic() - begun < 15
    mine = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    below = [Path(f"/proc/{pid}/task/{pid}/children").read_text() for pid in mine]
    assert str(running.worker.pid) not in " ".join(below).split()


@pytest.mark.parametrize(
    "filling",
    [
        "os.mkdir('shut'); open('shut/file', 'w').close(); os.chmod('shut', 0)",
        "os.symlink('/etc', 'link'); os.symlink('link', 'loop')",
        "os.mkfifo('pipe')",
        "open('read_only', 'w').close(); os.chmod('read_only', 0o400); os.chmod('.', 0o500)",
        "[(os.mkdir('d'), os.chdir('d')) for _ in range(50)]",
    ],
)
def test_scratch_folder_is_removed_whatever_is_in_it(
    filling: str, unconfined_student: Student
) -> None:
    running = unconfined_student(f"import os\ndef run():\n    {filling}\n")
    scratch = running.worker._scratch.outside
    running.run()
    assert scratch.exists()
    running.worker.close()
    left = [path.name for path in scratch.parent.iterdir() if path.name.startswith(scratch.name)]
    assert left == []


def test_fifty_workers_leave_no_descriptor_and_no_zombie(fork_server: ForkServer) -> None:
    def descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    def children() -> list[str]:
        return Path(f"/proc/{fork_server.pid}/task/{fork_server.pid}/children").read_text().split()

    before, forked = descriptors(), children()
    for number in range(50):
        worker = fork_server.student(Limits(), number)
        if number % 2:
            worker.put_files((("student.py", b"import os\nos._exit(1)\n"),))
            with pytest.raises(WorkerIncident):
                worker.ask(ImportFile(file="student.py"), "importing student.py")
        worker.close()
    assert descriptors() == before
    assert children() == forked


# --- what a worker finds --------------------------------------------------------------------------


def test_worker_finds_nothing_of_the_hosts_environment(student: Student) -> None:
    names, home, temporary = student(
        """
        import os
        def run():
            began_with = open("/proc/self/environ").read().split("\\0")
            names = [entry.partition("=")[0] for entry in began_with if entry]
            return [names + list(os.environ), os.environ["HOME"], os.environ["TMPDIR"]]
        """
    ).run()
    of_libraries = {
        "TMPDIR", "LC_CTYPE", "TF2_BEHAVIOR", "TPU_ML_PLATFORM", "TPU_ML_PLATFORM_VERSION",
        "PYGAME_HIDE_SUPPORT_PROMPT", "ENABLE_RUNTIME_UPTIME_TELEMETRY", "MPLCONFIGDIR",
        "HDF5_PLUGIN_PATH",
    }  # fmt: skip
    assert "PYTEST_CURRENT_TEST" in os.environ
    assert set(names) <= set(worker_environment(Path("/nowhere"))) | of_libraries
    assert home == temporary != os.environ.get("HOME")


def test_worker_inherits_no_descriptor_but_its_own(student: Student) -> None:
    found = student(
        """
        import os
        def run():
            folder = "/proc/self/fd"
            return {name: os.readlink(f"{folder}/{name}") for name in os.listdir(folder)
                    if os.path.lexists(f"{folder}/{name}")}
        """
    ).run()
    kinds = {int(name): target.partition(":")[0] for name, target in found.items()}
    assert {number: kinds[number] for number in range(4)} == {
        0: "/dev/null", 1: "pipe", 2: "pipe", 3: "socket",
    }  # fmt: skip
    others = [target for number, target in kinds.items() if number > 3]
    assert all(target.startswith("/proc/") for target in others), others


def test_worker_starts_in_its_own_empty_folder(student: Student) -> None:
    found = student(
        """
        import os
        def run():
            return [os.getcwd(), os.listdir("."), os.getsid(0) == os.getpid()]
        """
    )
    folder, listed, leads_session = found.run()
    assert folder == str(found.worker._scratch.inside / "work")
    assert listed == ["student.py"]
    assert leads_session


def test_files_outside_the_folder_are_not_written(fork_server: ForkServer, tmp_path: Path) -> None:
    for path in (str(tmp_path / "absolute"), "../outside", "a/../../outside"):
        with fork_server.student(Limits(), 1) as worker, pytest.raises(GraderFault):
            worker.put_files(((path, b"x"),))
    assert list(tmp_path.iterdir()) == []


# --- what is printed ------------------------------------------------------------------------------


def test_print_is_kept_cleaned_and_without_paths(student: Student) -> None:
    running = student(
        """
        import os, sys
        print("at import \\x1b[31mred\\x1b[0m")
        def run():
            print("in", os.getcwd(), file=sys.stderr)
            sys.stdout.write("no newline \\x07")
        """
    )
    running.run()
    running.worker.close()
    assert running.worker.printed() == "at import red\nin /work\nno newline \ufffd"


def test_first_64_kib_of_much_output_are_kept(student: Student) -> None:
    running = student(
        """
        def run():
            for number in range(50000):
                print(f"line {number:06d}")
            return "done"
        """
    )
    assert running.run() == "done"
    printed = running.worker.printed()
    assert printed.startswith("line 000000\nline 000001\n")
    assert (64 << 10) - 20 < len(printed) <= (64 << 10) + 1


def test_what_was_printed_before_the_end_is_kept(student: Student) -> None:
    running = student(
        """
        import os
        def run():
            print("last words")
            os.abort()
        """
    )
    running.incident()
    assert "last words" in running.worker.printed()


def test_closing_or_replacing_the_output_changes_nothing(student: Student) -> None:
    running = student(
        """
        import os, sys
        class Odd:
            def write(self, text):
                raise RuntimeError
            def flush(self):
                raise RuntimeError
        def run():
            sys.stdout = Odd()
            os.close(1)
            os.close(2)
            return 1
        def later():
            return 2
        """
    )
    assert running.run() == 1
    assert running.run("later") == 2


def test_worker_that_was_closed_cannot_be_asked(student: Student) -> None:
    running = student("def run():\n    return 1\n")
    running.worker.close()
    running.worker.close()
    with pytest.raises(GraderFault, match="closed"):
        running.run()
