"""What confined student code finds of the machine it runs on, at each level."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import grader
from grader.errors import GraderFault
from grader.records.barriers import REQUIRED, UNPRIVILEGED_IDS, Barrier, level_of, strength
from grader.records.incident import IncidentKind
from grader.records.messages import Ready
from grader.records.spec import Isolation, Limits
from grader.sandbox import watch
from grader.sandbox.probing import offered
from grader.sandbox.server import ForkServer

Student = Callable[..., Any]

TRY = """
import os
def attempt(action):
    try:
        return str(action())
    except Exception as error:
        return type(error).__name__
"""


@pytest.fixture(params=["full", "restricted"])
def confined(request: pytest.FixtureRequest) -> Iterator[Student]:
    """A student at each confined level."""
    name = "student" if request.param == "full" else "restricted_student"
    loaded = request.getfixturevalue(name)
    if request.param == "full" and loaded().worker.isolation is not Isolation.FULL:
        pytest.skip("this machine refuses namespaces")
    return loaded  # type: ignore[no-any-return]


def _attempts(confined: Student, **actions: str) -> dict[str, str]:
    lines = ",\n".join(
        f"        {name!r}: attempt(lambda: {code})" for name, code in actions.items()
    )
    found: dict[str, str] = confined(f"{TRY}\ndef run():\n    return {{\n{lines}\n    }}\n").run()
    return found


def test_level_in_force_is_the_one_that_the_barriers_amount_to(confined: Student) -> None:
    worker = confined().worker
    assert level_of(worker.barriers) is worker.isolation
    assert strength(worker.isolation) > strength(Isolation.PROCESS)


def test_files_of_the_machine_are_out_of_reach(confined: Student, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("other submission")
    tmp_path.chmod(0o755)
    refused = {"FileNotFoundError", "PermissionError"}
    found = _attempts(
        confined,
        read=f"open({str(secret)!r}).read()",
        write=f"open({str(tmp_path / 'new')!r}, 'w')",
        append=f"open({str(secret)!r}, 'a')",
        remove=f"os.remove({str(secret)!r})",
        rename=f"os.rename({str(secret)!r}, {str(tmp_path / 'moved')!r})",
        listed=f"os.listdir({str(tmp_path)!r})",
        accounts="[x for x in open('/etc/shadow')]",
        kernel="open('/proc/kmsg').read()",
        init="open('/proc/1/environ').read()",
        parent="open(f'/proc/{os.getppid()}/maps').read()",
        run="os.listdir('/run')",
        keys="open('/proc/keys').read()",
        load="open('/proc/loadavg').read()",
    )
    assert set(found.values()) <= refused, found
    assert secret.read_text() == "other submission"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_package_shows_a_worker_its_own_code_and_no_assignment(confined: Student) -> None:
    package = Path(grader.__file__).parent
    found = _attempts(
        confined,
        own=f"len(open({str(package / 'worker' / 'session.py')!r}).read()) > 0",
        assignment=f"open({str(package / 'assignments/builtin/week13/assignment.toml')!r}).read()",
        baselines=f"open({str(package / 'assignments/builtin/week13/baselines.json')!r}).read()",
        imported="__import__('grader.assignments.loader')",
    )
    assert found["own"] == "True"
    assert found["assignment"] in {"FileNotFoundError", "PermissionError"}
    assert found["baselines"] in {"FileNotFoundError", "PermissionError"}
    assert found["imported"] in {"ModuleNotFoundError", "PermissionError"}


def test_network_is_out_of_reach(confined: Student) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = _attempts(
            confined,
            tcp=f"__import__('socket').create_connection(('127.0.0.1', {port}), 1)",
            udp="__import__('socket').socket(2, 2)",
            unix="__import__('socket').socket(1, 1)",
            netlink="__import__('socket').socket(16, 3)",
        )
    assert set(found.values()) == {"PermissionError"}, found


def test_other_processes_are_out_of_reach(confined: Student) -> None:
    found = _attempts(
        confined,
        grader=f"os.kill({os.getpid()}, 0)",
        everyone="os.kill(-1, 0)",
        priority=f"os.setpriority(os.PRIO_PROCESS, {os.getpid()}, 19)",
        affinity=f"os.sched_setaffinity({os.getpid()}, {{0}})",
        limits=f"__import__('resource').prlimit({os.getpid()}, 7)",
        execute="os.execv('/bin/sh', ['sh'])",
        fork="__import__('ctypes').CDLL(None).fork()",
    )
    assert found.pop("fork") == "-1"
    refused = {"PermissionError", "ProcessRefused", "ProcessLookupError", "FileNotFoundError"}
    assert set(found.values()) <= refused, found


def test_worker_is_an_ordinary_user_without_rights(confined: Student) -> None:
    status = confined(
        """
        def run():
            lines = open("/proc/self/status").read().splitlines()
            return dict(line.split(":\\t") for line in lines if ":\\t" in line)
        """
    )
    found = status.run()
    assert {found[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert found["NoNewPrivs"] == "1"
    assert found["Seccomp"] == "2"
    owner = Path(f"/proc/{status.worker.pid}").stat().st_uid
    assert owner in UNPRIVILEGED_IDS if os.getuid() == 0 else owner == os.getuid()


def test_sources_of_workers_are_different_users(
    fork_server: ForkServer, restricted_server: ForkServer
) -> None:
    """Otherwise the kernel would count one submission's threads against another's."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    owners = []
    for server in (fork_server, restricted_server):
        with server.student(Limits(), 1) as worker:
            owners.append(Path(f"/proc/{worker.pid}").stat().st_uid)
    assert len(set(owners)) == 2


def test_workers_leave_each_other_nothing(confined: Student) -> None:
    writes = confined(
        """
        import os
        def run():
            places = ["/tmp", "/dev/shm", "/var/tmp", "/home", os.environ["KERAS_HOME"],
                      os.environ["HOME"], os.getcwd(), "/"]
            written = []
            for place in places:
                try:
                    with open(f"{place}/left-behind", "w") as file:
                        file.write("x")
                except OSError:
                    continue
                written.append(place)
            return written
        """
    )
    reader = """
        def run(places):
            found = []
            for place in places:
                try:
                    found.append(open(f"{place}/left-behind").read())
                except OSError:
                    continue
            return found
        """
    places = tuple(writes.run())
    assert places
    assert confined(reader).run(places=places) == []
    for place in ("/tmp", "/dev/shm", "/var/tmp"):
        assert not Path(place, "left-behind").exists()
    writes.worker.close()
    assert confined(reader).run(places=places) == []


def test_scratch_has_a_size_where_namespaces_are_to_be_had(student: Student) -> None:
    running = student("import os\ndef run():\n    return os.statvfs('.').f_blocks * 4096\n")
    if Barrier.SIZED_SCRATCH not in running.worker.barriers:
        pytest.skip("this machine refuses namespaces")
    assert running.run() == Limits().scratch_mb << 20


def test_room_is_empty_of_everything_but_the_worker(student: Student) -> None:
    running = student(
        """
        import os
        def run():
            processes = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
            return [processes, sorted(os.listdir("/")), os.getpid()]
        """
    )
    if running.worker.isolation is not Isolation.FULL:
        pytest.skip("this machine refuses namespaces")
    processes, root, own = running.run()
    assert processes == [1, own]
    assert not {"boot", "mnt", "run", "srv", "sys", "var"} & set(root)


def test_nothing_of_a_room_is_left_on_the_machine(fork_server: ForkServer) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    folders = sorted(Path(fork_server._folder.path).iterdir())
    with fork_server.student(Limits(processes=5), 1) as worker:
        if worker.isolation is not Isolation.FULL:
            pytest.skip("this machine refuses namespaces")
        assert sorted(Path(fork_server._folder.path).iterdir()) == folders
        keeper = worker._kin.keeper
        assert keeper is not None
    assert not Path(f"/proc/{worker.pid}").exists()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{keeper}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_grader_that_is_killed_takes_everything_along(fork_server: ForkServer) -> None:
    """The cage's init ends with the process that the grader started, and the rooms with it."""
    server = ForkServer()
    server.wait_ready()
    worker = server.student(Limits(), 1)
    below = watch._below([server.pid])
    assert worker.pid in below or worker.isolation is not Isolation.FULL
    server.kill()
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in below | {worker.pid}):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.close()
    server.close()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_barrier_that_is_missing_is_a_fault(
    fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Ready.parse

    def less(data: Any) -> Ready:
        ready = real(data)
        return ready.model_copy(
            update={"barriers": tuple(b for b in ready.barriers if b is not Barrier.SYSTEM_CALLS)}
        )

    if fork_server.isolation is Isolation.PROCESS:
        pytest.skip("nothing is required at this level")
    monkeypatch.setattr(Ready, "parse", less)
    with pytest.raises(GraderFault, match="system-call filter"):
        fork_server.student(Limits(), 1)
    monkeypatch.undo()
    fork_server.student(Limits(), 1).close()


def test_probing_finds_the_level_that_servers_reach(fork_server: ForkServer) -> None:
    assert offered().isolation is fork_server.isolation


def test_every_level_needs_what_the_weaker_ones_need() -> None:
    levels = sorted(Isolation, key=strength)
    for weaker, stronger in itertools.pairwise(levels):
        assert REQUIRED[weaker] < REQUIRED[stronger]
    assert level_of(()) is None
    assert level_of(REQUIRED[Isolation.FULL] - {Barrier.SYSTEM_CALLS}) is Isolation.PROCESS


HEADLESS = """
import ctypes, threading, time
def rest():
    time.sleep(0.2)
    global kept
    kept = bytearray(b"x") * (700 << 20)
    time.sleep(60)
def run():
    threading.Thread(target=rest).start()
    ctypes.CDLL(None).syscall(ctypes.c_long({number}), ctypes.c_long(0))
"""


def test_first_thread_that_ends_hides_nothing(student: Student) -> None:
    """What the kernel tells of a process it tells of its first thread."""
    number = {"x86_64": 60, "aarch64": 93}[os.uname().machine]
    incident = student(HEADLESS.format(number=number), resident_mb=512, call_wall_s=20).incident()
    assert incident.kind is IncidentKind.PROTOCOL
    assert "first thread" in incident.message


def test_thread_has_no_descriptors_of_its_own(confined: Student) -> None:
    running = confined(
        """
        import ctypes
        def run():
            close_range = ctypes.CDLL(None, use_errno=True).syscall
            numbers = [ctypes.c_long(n) for n in (436, 900, 901, 2)]
            return [close_range(*numbers), ctypes.get_errno()]
        """
    )
    assert running.run() == [-1, 1]


def test_worker_cannot_have_a_descriptor_of_the_grader(confined: Student) -> None:
    found = _attempts(
        confined,
        peer="__import__('socket').socket(fileno=os.dup(3)).getsockopt(1, 77, 4)",
        credentials="__import__('socket').socket(fileno=os.dup(3)).getsockopt(1, 17, 12)",
    )
    assert set(found.values()) == {"PermissionError"}, found


def test_command_line_and_environment_tell_nothing_of_the_machine(confined: Student) -> None:
    running = confined(
        """
        def run():
            return [open(f"/proc/self/{name}").read() for name in ("cmdline", "environ")]
        """
    )
    command, environment = running.run()
    assert "grader.worker" in command
    assert "grader-work-" not in command
    assert not any(entry.startswith(("PATH=", "VIRTUAL_ENV=")) for entry in environment.split("\0"))
