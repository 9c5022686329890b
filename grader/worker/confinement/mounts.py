"""Mounts in the process's own mount namespace."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from pathlib import Path
from typing import Final

from grader.worker.confinement import system_calls as calls

_MOUNT_SETATTR: Final = 442  # on every architecture
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_ATTR_RDONLY: Final = 1
_ATTR_NOSUID: Final = 2
_ATTR_NODEV: Final = 4
_KEPT_FLAGS: Final = (
    (os.ST_NOEXEC, calls.MS_NOEXEC),
    (os.ST_NOATIME, 1024),
    (os.ST_NODIRATIME, 2048),
    (os.ST_RELATIME, 1 << 21),
)


def make_private() -> None:
    """Keeps what is mounted from now on to this mount namespace.

    Raises:
        OSError: the machine refuses it.
    """
    calls.mount("none", "/", None, calls.MS_REC | calls.MS_PRIVATE)


def bind(source: str, target: str) -> None:
    """Makes `source` appear at `target` too, with all that is mounted below it.

    Raises:
        OSError: the machine refuses it.
    """
    calls.mount(source, target, None, calls.MS_BIND | calls.MS_REC)


def bind_descriptor(descriptor: int, target: str) -> None:
    """As `bind`, for a path that may be covered by now; makes the place it goes to.

    Args:
        descriptor: opened with `O_PATH`.
        target: a path that does not exist.

    Raises:
        OSError: the machine refuses it.
    """
    is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
    place_for(target, is_folder=is_folder)
    bind(f"/proc/self/fd/{descriptor}", target)


def place_for(target: str, *, is_folder: bool) -> None:
    """Makes the empty folder or file that something will be mounted on."""
    path = Path(target)
    (path if is_folder else path.parent).mkdir(mode=0o755, parents=True, exist_ok=True)
    if not is_folder:
        path.touch(mode=0o644)


def read_only(target: str, *, recursive: bool = True) -> None:
    """Takes writing, devices and set-user-id away from a mount and those below it.

    Raises:
        OSError: the machine refuses it.
    """
    wanted = _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV
    attributes = ctypes.create_string_buffer(
        wanted.to_bytes(8, "little") + bytes(24), 32
    )  # struct mount_attr: set, clear, propagation, namespace
    try:
        calls.system_call(
            "mount_setattr", _MOUNT_SETATTR, _AT_FDCWD, target.encode(),
            _AT_RECURSIVE if recursive else 0, attributes, 32,
        )  # fmt: skip
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        # Linux before 5.12 knows only the mount itself; flags that are set must stay set.
        present = os.statvfs(target).f_flag
        kept = sum(flag for bit, flag in _KEPT_FLAGS if present & bit)
        calls.mount(
            "none", target, None,
            calls.MS_REMOUNT | calls.MS_BIND | calls.MS_RDONLY | calls.MS_NOSUID
            | calls.MS_NODEV | kept,
        )  # fmt: skip
