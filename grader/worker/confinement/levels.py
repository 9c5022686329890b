"""Puts the barriers of a level of isolation around a worker, in the order in which they hold."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grader.records.barriers import Barrier
from grader.records.spec import Isolation, Limits
from grader.worker.confinement import cage, landlock, limits, namespaces, seccomp
from grader.worker.confinement.capabilities import drop_capabilities, no_new_privileges
from grader.worker.confinement.places import DEVICES, Places

_READABLE_FACTS = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version",
                   "/sys/devices/system/cpu")  # fmt: skip
"""What libraries read about the machine and themselves; TensorFlow ends the process without."""


@dataclass(frozen=True)
class Confinement:
    """What is asked for."""

    isolation: Isolation
    limits: Limits
    places: Places
    scratch: Path
    """A folder for the worker alone; at full isolation a place inside the cage."""


def prepare() -> None:
    """Does once, before workers are forked, what each of them would do alike."""
    machine = os.uname().machine
    if seccomp.supported(machine):
        seccomp.filter_program(machine, may_start=False, pid=1)


def confine(confinement: Confinement) -> tuple[Barrier, ...]:
    """Takes rights away from this process, for good; the last thing before student code.

    Returns:
        The barriers now in force.

    Raises:
        OSError: a barrier could not be set up; the grader's operator must act.
    """
    full = confinement.isolation is Isolation.FULL
    held = [Barrier.LIMITS, Barrier.ENVIRONMENT]
    if full:
        held += [Barrier.PROCESS_NAMESPACE, Barrier.MOUNT_NAMESPACE, Barrier.NETWORK_NAMESPACE,
                 Barrier.IPC_NAMESPACE, Barrier.HOST_NAMESPACE, Barrier.OWN_INIT,
                 Barrier.OWN_ROOT, Barrier.SIZED_SCRATCH]  # fmt: skip
        namespaces.enter_user_namespace()
        held.append(Barrier.USER_NAMESPACE)
    _settle(confinement.scratch)
    limits.set_limits(confinement.limits, own_count=full)
    if os.getuid() != 0:
        held.append(Barrier.UNPRIVILEGED)
    if sys.platform == "linux":
        drop_capabilities()
        no_new_privileges()
        held += [Barrier.NO_CAPABILITIES, Barrier.NO_NEW_PRIVILEGES]
    if confinement.limits.processes == 0:
        limits.refuse_processes()
    if confinement.isolation is not Isolation.PROCESS:
        held += _close(confinement)
    return tuple(held)


def _settle(scratch: Path) -> None:
    """Moves into the scratch folder."""
    if os.getuid() == 0:
        os.chown(scratch, 0, 0)  # made for the unprivileged user, whom this machine refuses
    work = scratch / "work"
    temporary = scratch / "tmp"
    work.mkdir(mode=0o700)
    temporary.mkdir(mode=0o700, exist_ok=True)
    os.environ.update(HOME=str(temporary), TMPDIR=str(temporary), MPLCONFIGDIR=str(temporary))
    tempfile.tempdir = None
    os.chdir(work)
    with contextlib.suppress(OSError):
        os.nice(5)
    if sys.platform == "linux":
        # Where the machine runs out of memory, this process goes first.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")


def _close(confinement: Confinement) -> list[Barrier]:
    """Landlock, then the filter, which refuses Landlock's own calls."""
    places = confinement.places
    readable, listable = _without_package(places)
    readable += [*places.parts, *_READABLE_FACTS]
    writable = [str(confinement.scratch)]
    if confinement.isolation is Isolation.FULL:
        # The root is the cage's own: its names tell nothing.
        readable += [cage.HOME, cage.ACCOUNTS]
        writable += ["/tmp", "/dev/shm"]  # noqa: S108
        listable += ["/"]
    held = landlock.restrict(
        readable=readable, writable=writable, devices=DEVICES, listable=listable
    )
    seccomp.install(may_start=confinement.limits.processes > 0)
    return [*sorted(held), Barrier.SYSTEM_CALLS]


def _without_package(places: Places) -> tuple[list[str], list[str]]:
    """What may be read among the libraries, and what only listed: folders around this package.

    Landlock grants whole trees. Where the package lies among the libraries, all that stands beside
    it is granted by name, and its own folder is left out.
    """
    readable: list[str] = []
    listable: list[str] = []
    for folder in (*places.libraries, *(path for path, _ in places.links)):
        if not places.package.startswith(f"{folder}/"):
            readable.append(folder)
            continue
        inner = Path(folder)
        while str(inner) != places.package:
            listable.append(str(inner))
            entries = list(inner.iterdir())
            inner = next(e for e in entries if f"{places.package}/".startswith(f"{e}/"))
            readable += [str(entry) for entry in entries if entry != inner]
    return readable, listable
