"""Files that are whole or not there: after a kill, a full disk, or a power cut."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from grader.errors import GraderFault, UsageError

if sys.platform != "win32":
    import fcntl

LOCK_FILE: Final = ".grader.lock"

_NO_LOCKS_HERE: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EBADF})
"""What file systems without locks answer."""


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file by way of a temporary one beside it, which is on the disk before it counts.

    Its place in the folder is on the disk after `sync_folder`.

    Raises:
        GraderFault: it could not be written (no space, no permission); the operator must act.
    """
    temporary = _partial(path)
    try:
        make_folder(path.parent)
        try:
            with temporary.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each of them on the disk when this returns."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk, where the system knows how."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot, a network's say
            raise
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path, names: Collection[str]) -> None:
    """Removes what a writer that was killed has left of these files.

    Args:
        folder: where the files lie.
        names: of the finished files.
    """
    for name in names:
        with contextlib.suppress(OSError):
            _partial(folder / name).unlink()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps every other grader from writing into a folder while the block runs.

    The lock goes with the process that holds it, however that ends.

    Args:
        folder: made when it is not there.

    Raises:
        UsageError: another grader is writing there; the caller must wait for it.
        GraderFault: the folder cannot be written to; the operator must act.
    """
    try:
        make_folder(folder)
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(
            f"another grader is writing into {folder}; wait for it, or choose another --out"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            raise _unwritable(folder, error) from error


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _unwritable(path: Path, error: OSError) -> GraderFault:
    return GraderFault(f"{path} cannot be written: {error.strerror or error}")
