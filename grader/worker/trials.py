"""Finds out what this machine allows by doing it, in processes that end right after.

Version numbers and settings tell little: a container, a security module or a policy may refuse
what the kernel could do. Everything here runs before TensorFlow is imported and takes milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from grader.records.barriers import REQUIRED, UNPRIVILEGED_ID, strength
from grader.records.spec import Isolation, Limits
from grader.worker.confinement import cage, levels, user
from grader.worker.confinement import system_calls as calls
from grader.worker.confinement.places import Places

_REASON_BYTES: Final = 4096


def attempt(action: Callable[[], None]) -> str | None:
    """Does something in a forked process and answers why it failed, or None."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _tell(writing, action)
    os.close(writing)
    told = b""
    while part := os.read(reading, _REASON_BYTES):
        told += part
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0 and told == b"ok":
        return None
    return told.decode("utf-8", "replace") or f"the process that tried it ended with {status}"


def _tell(writing: int, action: Callable[[], None]) -> NoReturn:
    try:
        action()
        os.write(writing, b"ok")
    except BaseException as error:  # noqa: BLE001  the process ends here
        _refuse(writing, error)
    finally:
        os._exit(0)


def _refuse(writing: int, error: BaseException) -> None:
    os.write(writing, (str(error) or type(error).__name__).encode()[:_REASON_BYTES])


def leave_root(places: Places) -> None:
    """Becomes an unprivileged user where this process is root; see `user`.

    Raises:
        OSError: the machine refuses it.
    """
    if user.is_root():
        user.open_the_way(places.all())
        user.drop_root()


def try_level(isolation: Isolation, places: Places, folder: str) -> str | None:
    """Puts a process at a level of isolation; why that fails, or None.

    Args:
        isolation: the level.
        places: what must be readable.
        folder: where temporary folders can be made.
    """
    if isolation is Isolation.PROCESS:
        return None
    spot = _spot(folder)
    full = isolation is Isolation.FULL

    def confine() -> None:
        leave_root(places)
        held = levels.confine(
            levels.Confinement(
                isolation=isolation, limits=Limits(), places=places,
                scratch=Path(cage.SCRATCH if full else spot),
            )
        )  # fmt: skip
        if missing := REQUIRED[isolation] - set(held):
            raise OSError(f"{', '.join(sorted(missing))} could not be set up")

    try:
        if full:
            return attempt(lambda: _in_cage(places, spot, confine))
        return attempt(confine)
    finally:
        shutil.rmtree(spot, ignore_errors=True)


def _spot(folder: str) -> str:
    spot = tempfile.mkdtemp(prefix="trial-", dir=folder)
    with contextlib.suppress(PermissionError):
        os.chown(spot, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    return spot


def _in_cage(places: Places, spot: str, confine: Callable[[], None]) -> None:
    """What a fork server and its worker do, one inside the other; the innermost one reports."""
    leave_root(places)
    reading, writing = os.pipe()

    def server() -> None:
        calls.unshare(calls.CLONE_NEWPID, "a process namespace inside another")
        if reason := attempt(worker):
            raise OSError(reason)

    def worker() -> None:
        levels.prepare_namespace(
            levels.Confinement(
                isolation=Isolation.FULL, limits=Limits(), places=places,
                scratch=Path(cage.SCRATCH),
            )
        )  # fmt: skip
        if reason := attempt(confine):
            raise OSError(reason)

    cage.enter(
        places, spot, lambda: _tell(writing, server),
        refused=lambda error: _refuse(writing, error),
    )  # fmt: skip
    os.close(writing)
    told = os.read(reading, _REASON_BYTES)
    if told != b"ok":
        raise OSError(told.decode("utf-8", "replace") or "the cage could not be entered")


def best_level(
    wanted: Isolation | None, places: Places, folder: str
) -> tuple[Isolation, dict[Isolation, str]]:
    """The level that is asked for, or the strongest there is, and why stronger ones failed.

    Raises:
        OSError: the level that is asked for is refused by the machine.
    """
    refused: dict[Isolation, str] = {}
    for level in sorted(Isolation, key=strength, reverse=True):
        if wanted is not None and level is not wanted:
            continue
        reason = try_level(level, places, folder)
        if reason is None:
            return level, refused
        refused[level] = reason
    raise OSError(f"{wanted} isolation is not to be had on this machine: {refused[level]}")
