"""Tries each barrier by itself and looks whether it keeps from what it should keep from.

A return code is not believed: after the system-call filter was installed a socket must be refused,
after the network was taken away nothing must be reached. Each trial runs in a process of its own.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from grader.records.barriers import UNPRIVILEGED_ID, Barrier
from grader.records.examination import Examination, Trial, TrialState
from grader.records.spec import Limits
from grader.worker.confinement import landlock, limits, mounts, namespaces, seccomp, user
from grader.worker.confinement import system_calls as calls
from grader.worker.confinement.capabilities import drop_capabilities, no_new_privileges
from grader.worker.confinement.places import Places
from grader.worker.confinement.rooms import SCRATCH, Rooms
from grader.worker.trials import (
    Refused,
    Tried,
    attempt,
    best_level,
    in_cage,
    in_room,
    leave_root,
    own_folder,
)

_KEPT_OUT: Final = frozenset({errno.EACCES, errno.EPERM})
_SMALL: Final = Limits().model_copy(update={"scratch_mb": 1, "scratch_files": 16})
"""Less than an assignment may ask for, so that little must be written to fill it."""


class NotHeld(Exception):
    """The machine said that a barrier is there, and it kept from nothing."""


@dataclass(frozen=True)
class _Bench:
    """What trials are made with."""

    places: Places
    folder: str
    listener: int | None
    """Port of a listening socket on this machine; None where there is no loopback network."""

    def spot(self) -> Path:
        """A folder of its own for one trial."""
        return Path(own_folder(self.folder))


_Trial = Callable[[_Bench], str]


def _refused(what: str, action: Callable[[], object], expected: frozenset[int]) -> str:
    """Expects an action to fail; answers what was seen.

    Raises:
        NotHeld: it succeeded, or failed for another reason.
    """
    try:
        action()
    except OSError as error:
        if error.errno in expected:
            return f"{what}: {errno.errorcode[error.errno]}"
        raise NotHeld(f"{what}: {error}, which is not what the barrier answers") from error
    raise NotHeld(f"{what}: nothing keeps from it, though it was set up without an error")


def _limits(_: _Bench) -> str:
    limits.set_limits(Limits(), own_count=False)
    most = Limits().open_files
    opened = [os.open(os.devnull, os.O_RDONLY)]

    def one_too_many() -> None:
        while len(opened) <= most:
            opened.append(os.open(os.devnull, os.O_RDONLY))

    return _refused(f"opening more than {most} files", one_too_many, frozenset({errno.EMFILE}))


def _unprivileged(bench: _Bench) -> str:
    was_root = user.is_root()
    leave_root(bench.places)
    for path in (*bench.places.all(), bench.folder):
        Path(path).stat()  # libraries and scratch folders must be within reach
    if not was_root:
        return f"user {os.getuid()}"
    seen = _refused("becoming root again", lambda: os.setuid(0), _KEPT_OUT)
    return f"root becomes user {os.getuid()}; {seen}"


def _status(name: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "")


def _no_capabilities(bench: _Bench) -> str:
    leave_root(bench.places)
    drop_capabilities()
    if left := [name for name in ("CapEff", "CapPrm", "CapInh") if int(_status(name), 16)]:
        raise NotHeld(f"the kernel still shows {', '.join(left)}")
    return "the kernel shows none"


def _no_new_privileges(bench: _Bench) -> str:
    leave_root(bench.places)
    no_new_privileges()
    if _status("NoNewPrivs") != "1":
        raise NotHeld("the kernel does not show it")
    return "the kernel shows it"


def _landlocked(bench: _Bench) -> tuple[Path, frozenset[Barrier]]:
    """Leaves this process one folder of two, and answers the path of a file in the other."""
    landlock.ask_abi()
    spot = bench.spot()
    inside, outside = spot / "inside", spot / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "file").touch(mode=0o644)
    os.chmod(spot, 0o755)  # noqa: PTH101, S103  it is Landlock that must refuse
    leave_root(bench.places)
    no_new_privileges()
    (outside / "file").read_bytes()
    held = landlock.restrict(readable=(str(inside),), writable=(), devices=())
    (inside / "file").read_bytes()
    return outside / "file", held


def _landlock_files(bench: _Bench) -> str:
    outside, _ = _landlocked(bench)
    return _refused("reading a file outside", outside.read_bytes, _KEPT_OUT)


def _landlock_network(bench: _Bench) -> str:
    _, held = _landlocked(bench)
    if Barrier.LANDLOCK_NETWORK not in held:
        raise NotHeld(f"version {landlock.abi()} of Landlock does not have it; version 4 does")
    return _refused("connecting", lambda: _connect(bench.listener or 9), _KEPT_OUT)


def _landlock_scopes(bench: _Bench) -> str:
    leave_root(bench.places)
    # It ends when this process does: a signal could not reach it from behind the barrier.
    watched, kept_open = os.pipe()
    other = os.fork()
    if other == 0:
        os.closerange(kept_open, 1 << 20)
        os.read(watched, 1)
        os._exit(0)
    os.kill(other, 0)
    _, held = _landlocked(bench)
    if Barrier.LANDLOCK_SCOPES not in held:
        raise NotHeld(f"version {landlock.abi()} of Landlock does not have it; version 6 does")
    return _refused("a signal to another process", lambda: os.kill(other, 0), _KEPT_OUT)


def _system_calls(bench: _Bench) -> str:
    leave_root(bench.places)
    no_new_privileges()
    seccomp.install(may_start=False)
    expected = frozenset({errno.EPERM})
    seen = _refused("making a socket", socket.socket, expected)
    return f"{seen}; {_refused('forking', _fork, expected)}"


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _connect(port: int) -> None:
    with socket.socket() as made:
        made.settimeout(2)
        made.connect(("127.0.0.1", port))


def _separated(flag: int, name: str) -> None:
    """Moves this process into a namespace and looks whether it is another one.

    Raises:
        NotHeld: it is the same.
        OSError: the machine refuses it.
    """
    link = Path("/proc/self/ns", name)
    before = link.readlink()
    calls.unshare(flag, next(what for kind, what in namespaces.SEPARATE if kind == flag))
    if link.readlink() == before:
        raise NotHeld("the kernel still shows the machine's own")


def _user_namespace(bench: _Bench) -> str:
    leave_root(bench.places)
    namespaces.enter_user_namespace()
    first = Path("/proc/self/ns/user").readlink()
    # Capabilities in the first are what the fork server lives on, the second is the worker's.
    namespaces.separate()
    namespaces.enter_user_namespace()
    if os.getuid() != namespaces.STUDENT_ID or Path("/proc/self/ns/user").readlink() == first:
        raise NotHeld("the kernel does not show a second one inside the first")
    return f"seen as user {os.getuid()}; one inside another"


def _process_namespace(bench: _Bench) -> str:
    leave_root(bench.places)
    namespaces.enter_user_namespace()
    calls.unshare(calls.CLONE_NEWPID, "a process namespace")

    def number() -> str:
        if os.getpid() != 1:
            raise NotHeld(f"the first process in it has the number {os.getpid()}")
        return "its first process has the number 1"

    tried = attempt(number)
    if tried.why is not None:
        raise Refused(tried)
    return tried.seen


def _mount_namespace(bench: _Bench) -> str:
    spot = bench.spot()
    leave_root(bench.places)
    namespaces.enter_user_namespace()
    beneath = os.open(spot, os.O_RDONLY)
    _separated(calls.CLONE_NEWNS, "mnt")
    mounts.make_private()
    calls.mount("tmpfs", str(spot), "tmpfs", calls.MS_NOSUID | calls.MS_NODEV, "size=64k")
    (spot / "file").touch()
    if os.listdir(beneath):  # noqa: PTH208  a descriptor has no path
        raise NotHeld("what is written to a file system mounted there lands on the machine's")
    return "a file system of its own could be mounted"


def _network_namespace(bench: _Bench) -> str:
    leave_root(bench.places)
    namespaces.enter_user_namespace()
    _separated(calls.CLONE_NEWNET, "net")
    names = ", ".join(name for _, name in socket.if_nameindex())
    unreachable = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
    seen = _refused("connecting", lambda: _connect(bench.listener or 9), unreachable)
    return f"nothing but {names}, switched off; {seen}"


def _ipc_namespace(bench: _Bench) -> str:
    leave_root(bench.places)
    namespaces.enter_user_namespace()
    _separated(calls.CLONE_NEWIPC, "ipc")
    return "the kernel shows one of its own"


def _host_namespace(bench: _Bench) -> str:
    leave_root(bench.places)
    namespaces.enter_user_namespace()
    _separated(calls.CLONE_NEWUTS, "uts")
    socket.sethostname("student")
    return "could be given a name of its own"


def _own_root(bench: _Bench) -> str:
    spot = bench.spot()
    hidden = bench.spot() / "file"
    hidden.touch(mode=0o644)

    def look(_: Rooms) -> str:
        found = frozenset({errno.ENOENT})
        seen = _refused("a file outside", hidden.read_bytes, found)
        read_only = frozenset({errno.EROFS})
        return f"{seen}; {_refused('writing to it', Path('/file').touch, read_only)}"

    return in_cage(bench.places, str(spot), look)


def _own_init(bench: _Bench) -> str:
    link = Path("/proc/self/ns/pid")

    def ask(rooms: Rooms) -> str:
        outer = link.readlink()

        def number() -> str:
            if link.readlink() == outer or os.getpid() != 2:  # the first is the room's keeper
                raise NotHeld(f"a worker shares a process namespace; its number is {os.getpid()}")
            return "a worker is process 2 of a namespace of its own"

        return in_room(rooms, _SMALL, number)

    return in_cage(bench.places, str(bench.spot()), ask)


def _sized_scratch(bench: _Bench) -> str:
    def fill() -> str:
        too_much = bytes((_SMALL.scratch_mb << 20) + 1)
        return _refused(
            f"writing more than {_SMALL.scratch_mb} MiB into one of that size",
            lambda: Path(SCRATCH, "file").write_bytes(too_much),
            frozenset({errno.ENOSPC}),
        )

    return in_cage(bench.places, str(bench.spot()), lambda rooms: in_room(rooms, _SMALL, fill))


_TRIALS: Final[Mapping[Barrier, tuple[_Trial, tuple[Barrier, ...]]]] = {
    Barrier.LIMITS: (_limits, ()),
    Barrier.UNPRIVILEGED: (_unprivileged, ()),
    Barrier.NO_CAPABILITIES: (_no_capabilities, (Barrier.UNPRIVILEGED,)),
    Barrier.NO_NEW_PRIVILEGES: (_no_new_privileges, (Barrier.UNPRIVILEGED,)),
    Barrier.LANDLOCK_FILES: (_landlock_files, (Barrier.NO_NEW_PRIVILEGES,)),
    Barrier.LANDLOCK_NETWORK: (_landlock_network, (Barrier.LANDLOCK_FILES,)),
    Barrier.LANDLOCK_SCOPES: (_landlock_scopes, (Barrier.LANDLOCK_FILES,)),
    Barrier.SYSTEM_CALLS: (_system_calls, (Barrier.NO_NEW_PRIVILEGES,)),
    Barrier.USER_NAMESPACE: (_user_namespace, (Barrier.UNPRIVILEGED,)),
    Barrier.PROCESS_NAMESPACE: (_process_namespace, (Barrier.USER_NAMESPACE,)),
    Barrier.MOUNT_NAMESPACE: (_mount_namespace, (Barrier.USER_NAMESPACE,)),
    Barrier.NETWORK_NAMESPACE: (_network_namespace, (Barrier.USER_NAMESPACE,)),
    Barrier.IPC_NAMESPACE: (_ipc_namespace, (Barrier.USER_NAMESPACE,)),
    Barrier.HOST_NAMESPACE: (_host_namespace, (Barrier.USER_NAMESPACE,)),
    Barrier.OWN_ROOT: (
        _own_root,
        (Barrier.PROCESS_NAMESPACE, Barrier.MOUNT_NAMESPACE, Barrier.NETWORK_NAMESPACE,
         Barrier.IPC_NAMESPACE, Barrier.HOST_NAMESPACE),
    ),
    Barrier.OWN_INIT: (_own_init, (Barrier.OWN_ROOT,)),
    Barrier.SIZED_SCRATCH: (_sized_scratch, (Barrier.OWN_INIT,)),
}  # fmt: skip
"""The trial of each barrier, and what it builds on, in an order in which that comes first.

Of the environment only the side that gives it knows whether it is what was given."""


def try_barriers(places: Places, folder: str) -> tuple[Trial, ...]:
    """Tries each barrier.

    Args:
        places: what must be readable.
        folder: where temporary folders can be made; whoever calls removes what is left there.
    """
    listening = _listening()
    bench = _Bench(places, folder, listening.getsockname()[1] if listening else None)
    trials: dict[Barrier, Trial] = {}
    for barrier, (action, needs) in _TRIALS.items():
        lacking = next((need for need in needs if trials[need].state is not TrialState.HOLDS), None)
        if lacking is not None:
            trials[barrier] = Trial(
                barrier=barrier, state=TrialState.NOT_TRIED, why=f"needs: {lacking}", needs=lacking
            )
            continue
        trials[barrier] = _trial(barrier, attempt(partial(action, bench)))
    if listening:
        listening.close()
    return tuple(trials.values())


def _trial(barrier: Barrier, tried: Tried) -> Trial:
    if tried.why is None:
        return Trial(barrier=barrier, state=TrialState.HOLDS, seen=tried.seen)
    return Trial(barrier=barrier, state=TrialState.REFUSED, why=tried.why, error=tried.error)


def _listening() -> socket.socket | None:
    """Something within reach that the network's barriers must keep from."""
    try:
        return socket.create_server(("127.0.0.1", 0))
    except OSError:
        return None


def _worker_user(trials: tuple[Trial, ...]) -> int:
    held = {trial.barrier for trial in trials if trial.state is TrialState.HOLDS}
    leaves = user.is_root() and Barrier.UNPRIVILEGED in held
    return UNPRIVILEGED_ID if leaves else os.getuid()


def examine(places: Places, folder: str) -> Examination:
    """Tries everything: the barriers one by one, then the levels.

    Args:
        places: what must be readable.
        folder: where temporary folders can be made.
    """
    trials = try_barriers(places, folder)
    isolation, refused = best_level(None, places, folder)
    is_root = user.is_root()
    return Examination(
        trials=trials,
        isolation=isolation,
        refused=refused,
        landlock_abi=landlock.abi(),
        is_root=is_root,
        user=_worker_user(trials),
        closed_folders=tuple(user.closed_folders(places.all(), UNPRIVILEGED_ID)) if is_root else (),
        variables=tuple(sorted(os.environ)),
    )
