"""Finds out what this machine allows by doing it, in processes that end right after.

Version numbers and settings tell little: a container, a security module or a policy may refuse
what the kernel could do. Everything here runs before TensorFlow is imported and takes milliseconds.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NoReturn

from grader.records.barriers import REQUIRED, UNPRIVILEGED_ID, strength
from grader.records.spec import Isolation, Limits
from grader.worker.confinement import cage, levels, user
from grader.worker.confinement.places import Places
from grader.worker.confinement.rooms import SCRATCH, Rooms, walk_in

_ANSWER_BYTES: Final = 4096
_REASON_CHARS: Final = 1000
_PASSED_ON: Final = re.compile(r"\[Errno (\d+)\] (.*)", re.DOTALL)
"""An error that came as text from the process that makes rooms."""


@dataclass(frozen=True)
class Tried:
    """What came of trying something."""

    seen: str = ""
    """What was told by what was tried, where it succeeded."""
    why: str | None = None
    """Why it failed; None where it did not."""
    error: str = ""
    """Name of the kernel's error, such as `EPERM`, where there was one."""


class Refused(OSError):
    """Something failed in another process; carries what that process told."""

    def __init__(self, tried: Tried) -> None:
        self.tried = tried
        super().__init__(tried.why)


def attempt(action: Callable[[], str]) -> Tried:
    """Does something in a forked process; answers what it told, or why it failed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _tell(writing, action)
    os.close(writing)
    told = b""
    while part := os.read(reading, _ANSWER_BYTES):
        told += part
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return _heard(told, f"the process that tried it ended with {status}")


def _tell(writing: int, action: Callable[[], str]) -> NoReturn:
    try:
        _answer(writing, Tried(seen=action()))
    except BaseException as error:  # noqa: BLE001  the process ends here
        _answer(writing, _failure(error))
    finally:
        os._exit(0)


def _answer(writing: int, tried: Tried) -> None:
    os.write(writing, json.dumps(asdict(tried)).encode())


def _heard(told: bytes, otherwise: str) -> Tried:
    if not told:
        return Tried(why=otherwise)
    return Tried(**json.loads(told))


def _failure(error: BaseException) -> Tried:
    if isinstance(error, Refused):
        return error.tried
    why, number = str(error) or type(error).__name__, None
    if isinstance(error, OSError) and error.errno is not None:
        number, why = error.errno, error.strerror or str(error)
        if error.filename is not None:
            why = f"{error.filename}: {why}"
    elif passed_on := _PASSED_ON.match(why):
        number, why = int(passed_on[1]), passed_on[2]
    return Tried(why=why[:_REASON_CHARS], error=errno.errorcode.get(number or 0, ""))


def leave_root(places: Places, number: int = UNPRIVILEGED_ID) -> None:
    """Becomes an unprivileged user where this process is root; see `user`.

    Args:
        places: what the user must be able to reach.
        number: the user.

    Raises:
        OSError: the machine refuses it.
    """
    if user.is_root():
        user.open_the_way(places.all(), number)
        try:
            user.drop_root(number)
        except OSError as error:
            raise OSError(error.errno, f"becoming user {number}: {error.strerror}") from error


def try_level(isolation: Isolation, places: Places, folder: str) -> str | None:
    """Puts a process at a level of isolation; why that fails, or None.

    Args:
        isolation: the level.
        places: what must be readable.
        folder: where temporary folders can be made.
    """
    if isolation is Isolation.PROCESS:
        return None
    spot = own_folder(folder)
    full = isolation is Isolation.FULL

    def confine() -> str:
        leave_root(places)
        held = levels.confine(
            levels.Confinement(
                isolation=isolation, limits=Limits(), places=places,
                scratch=Path(SCRATCH if full else spot),
            )
        )  # fmt: skip
        if missing := REQUIRED[isolation] - set(held):
            raise OSError(f"{', '.join(sorted(missing))} could not be set up")
        return "all barriers together"

    try:
        if not full:
            return attempt(confine).why
        return attempt(
            lambda: in_cage(places, spot, lambda rooms: in_room(rooms, Limits(), confine))
        ).why
    finally:
        shutil.rmtree(spot, ignore_errors=True)


def own_folder(folder: str) -> str:
    """A fresh folder in another one, for the user that workers run as."""
    spot = tempfile.mkdtemp(prefix="trial-", dir=folder)
    # An ordinary user need not, and where root has no other users its workers stay root.
    with contextlib.suppress(OSError):
        os.chown(spot, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    return spot


def in_cage(places: Places, spot: str, body: Callable[[Rooms], str]) -> str:
    """Does something where a fork server would be; answers what it told.

    Args:
        places: what must be readable.
        spot: an empty folder.
        body: what to do; it can have rooms made.

    Raises:
        OSError: it failed, or the machine refuses the cage.
    """
    leave_root(places)
    reading, writing = os.pipe()
    cage.enter(
        places,
        spot,
        lambda rooms: _tell(writing, lambda: body(rooms)),
        refused=lambda error: _answer(writing, _failure(error)),
    )
    os.close(writing)
    return _told(reading, "the cage could not be entered")


def in_room(rooms: Rooms, limits: Limits, body: Callable[[], str]) -> str:
    """Does something where a worker would be, in the same way.

    Raises:
        OSError: it failed, or the machine refuses the room.
    """
    room = rooms.open(limits)
    reading, writing = os.pipe()
    if rooms.fork_into(room) == 0:

        def enter() -> str:
            walk_in(room)
            return body()

        _tell(writing, enter)
    os.close(writing)
    try:
        return _told(reading, "a worker ended at once")
    finally:
        room.end()


def _told(reading: int, otherwise: str) -> str:
    with os.fdopen(reading, "rb") as pipe:
        tried = _heard(pipe.read(), otherwise)
    if tried.why is not None:
        raise Refused(tried)
    return tried.seen


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
    why = "; ".join(refused.values())  # of the one that is asked for: a plain process always is
    raise OSError(f"{wanted} isolation is not to be had on this machine: {why}")
