"""Every canary of the trap fires when it is touched, and none fires by itself."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.selftest.breach import Canary
from grader.selftest.leftovers import kernel_objects, new_processes, processes, scratch_files
from grader.selftest.trap import Trap

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def _canaries(trap: Trap) -> set[Canary]:
    return {breach.canary for breach in trap.breaches()}


def test_nothing_fires_when_nothing_was_touched(trap: Trap) -> None:
    assert trap.breaches() == []
    assert trap.breaches() == []


def _overwrite(trap: Trap) -> None:
    (trap.guarded / "secret.txt").write_text("points = 100")


def _chmod(trap: Trap) -> None:
    (trap.guarded / "secret.txt").chmod(0o644)


def _touch(trap: Trap) -> None:
    os.utime(trap.out / "earlier" / "report.json", (0, 0))


def _link(trap: Trap) -> None:
    os.link(trap.guarded / "secret.txt", trap.root / "other")
    (trap.root / "other").unlink()
    os.link(trap.guarded / "secret.txt", trap.root / "other")


def _delete(trap: Trap) -> None:
    shutil.rmtree(trap.guarded)


def _add(trap: Trap) -> None:
    (trap.submissions / "neighbour" / "more.py").write_text("")


def _mark_temporary(trap: Trap) -> None:
    (Path(trap.targets()["TEMPORARY"]) / trap.mark).write_text("")


def _mark_package(trap: Trap) -> None:
    (Path(trap.targets()["PACKAGE"]) / "worker" / trap.mark).write_text("")


def _mark_reports(trap: Trap) -> None:
    (trap.out / f"{trap.mark}.html").write_text("")


@pytest.mark.parametrize(
    "touch",
    [_overwrite, _chmod, _touch, _link, _delete, _add, _mark_temporary, _mark_package,
     _mark_reports],
)  # fmt: skip
def test_a_touched_file_is_seen_once_and_put_right(
    trap: Trap, touch: Callable[[Trap], None]
) -> None:
    touch(trap)
    assert _canaries(trap) == {Canary.FILES}
    assert trap.breaches() == []
    assert trap.secrets["a guarded file"] in (trap.guarded / "secret.txt").read_text()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGURG, signal.SIGTERM])
def test_a_signal_to_the_bystander_is_seen_and_it_is_replaced(
    trap: Trap, number: signal.Signals
) -> None:
    before = trap.bystander.pid
    os.kill(before, number)
    time.sleep(0.2)
    assert _canaries(trap) == {Canary.BYSTANDER}
    assert trap.bystander.pid != before
    assert trap.breaches() == []


@linux_only
@pytest.mark.parametrize(
    "change",
    [
        lambda pid: os.kill(pid, signal.SIGSTOP),
        lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
        lambda pid: Path(f"/proc/{pid}/oom_score_adj").write_text("900"),
    ],
    ids=["stopped", "reniced", "first to go"],
)
def test_a_changed_condition_of_the_bystander_is_seen(
    trap: Trap, change: Callable[[int], object]
) -> None:
    change(trap.bystander.pid)
    time.sleep(0.1)
    assert _canaries(trap) == {Canary.BYSTANDER}


@linux_only
def test_the_bystander_holds_its_secrets_in_memory_and_environment_alone(trap: Trap) -> None:
    proc = Path(f"/proc/{trap.bystander.pid}")
    assert trap.secrets["a process's environment"].encode() in (proc / "environ").read_bytes()
    assert trap.secrets["a process's memory"].encode() not in (proc / "cmdline").read_bytes()
    with (proc / "mem").open("rb") as memory:
        memory.seek(trap.bystander.address)
        held = memory.read(trap.bystander.size_bytes)
    assert held.decode() == trap.secrets["a process's memory"]


def _tcp(trap: Trap) -> socket.socket:
    return socket.create_connection(("127.0.0.1", trap.listeners.tcp_port))


def _udp(trap: Trap) -> socket.socket:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.sendto(b"x", ("127.0.0.1", trap.listeners.udp_port))
    return sender


def _unix(trap: Trap) -> socket.socket:
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sender.connect(str(trap.listeners.unix_path))
    return sender


def _abstract(trap: Trap) -> socket.socket:
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sender.connect(f"\0{trap.listeners.abstract_name}")
    return sender


def _abstract_datagram(trap: Trap) -> socket.socket:
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.sendto(b"x", f"\0{trap.listeners.abstract_datagram_name}")
    return sender


@linux_only
@pytest.mark.parametrize("contact", [_tcp, _udp, _unix, _abstract, _abstract_datagram])
def test_a_contact_is_seen_once(trap: Trap, contact: Callable[[Trap], socket.socket]) -> None:
    with contact(trap):
        time.sleep(0.05)
        assert _canaries(trap) == {Canary.CONTACT}
    assert trap.breaches() == []


@linux_only
@pytest.mark.parametrize("kind", ["shmget", "msgget", "semget"])
def test_a_kernel_object_is_seen_and_removed(trap: Trap, kind: str) -> None:
    import ctypes

    create = 0o1600
    key = trap.targets()["IPC_KEY"]
    arguments = {"shmget": (key, 4096, create), "msgget": (key, create), "semget": (key, 1, create)}
    assert getattr(ctypes.CDLL(None), kind)(*arguments[kind]) != -1
    assert _canaries(trap) == {Canary.OBJECTS}
    assert kernel_objects(key, trap.mark) == []


@linux_only
def test_a_process_that_stays_is_found_and_one_that_ends_is_not() -> None:
    before = processes()
    staying, ending = (os.spawnvp(os.P_NOWAIT, "sleep", ["sleep", s]) for s in ("30", "0.2"))
    try:
        assert new_processes(before, lambda pid: pid in {staying, ending}) == [staying]
        assert new_processes(before, lambda _: False) == []
    finally:
        os.kill(staying, signal.SIGKILL)
        for pid in (staying, ending):
            os.waitpid(pid, 0)


def test_files_in_the_folders_of_workers_are_found_a_few_levels_deep(tmp_path: Path) -> None:
    before = scratch_files(tmp_path)
    deep = tmp_path / "grader-1" / "worker-1" / "work"
    deep.mkdir(parents=True)
    (deep / "left").write_text("")
    assert str(deep / "left") in scratch_files(tmp_path) - before


def test_the_trap_leaves_nothing_behind_and_restores_the_temporary_folder() -> None:
    import tempfile

    before, variables = tempfile.gettempdir(), dict(os.environ)
    with Trap() as made, made.own_temporary_folder():
        made.set(os.geteuid())
        pid = made.bystander.pid
        assert Path(tempfile.mkdtemp()).parent == made.temporary
    assert tempfile.gettempdir() == before
    assert dict(os.environ) == variables
    assert not made.root.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
