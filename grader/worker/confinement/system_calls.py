"""System calls that Python 3.11 does not offer, by way of the C library."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Final

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWCGROUP: Final = 0x02000000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_REMOUNT: Final = 32
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
MNT_DETACH: Final = 2

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_CAPBSET_DROP: Final = 24
PR_SET_CHILD_SUBREAPER: Final = 36
PR_SET_NO_NEW_PRIVS: Final = 38


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def system_call(name: str, number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char]
                | None) -> int:  # fmt: skip
    """A system call by number, for those the C library has no function for.

    Args:
        name: what an error message calls it.
        number: the call's number on this architecture.
        arguments: integers, buffers, or None for a null pointer.

    Raises:
        OSError: it failed.
    """
    converted = [
        ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments
    ]
    syscall = _libc().syscall
    syscall.restype = ctypes.c_long
    return _checked(int(syscall(ctypes.c_long(number), *converted)), name)


def prctl(name: str, option: int, *arguments: int) -> int:
    """`prctl(2)`.

    Raises:
        OSError: it failed; the message begins with `name`.
    """
    padded = (*arguments, 0, 0, 0, 0)[:4]
    return _checked(_libc().prctl(option, *map(ctypes.c_ulong, padded)), name)


def capset(header: bytes, sets: bytes) -> None:
    """`capset(2)`.

    Raises:
        OSError: it failed.
    """
    _checked(_libc().capset(header, sets), "setting the capabilities")


def unshare(flags: int, what: str) -> None:
    """Moves the process into new namespaces, `unshare(2)`.

    Raises:
        OSError: the machine refuses it; the message begins with `what`.
    """
    _checked(_libc().unshare(flags), what)


def enter_namespace(descriptor: int, kind: int, what: str) -> None:
    """Enters a namespace, `setns(2)`.

    Raises:
        OSError: it failed; the message begins with `what`.
    """
    _checked(_libc().setns(descriptor, kind), what)


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """`mount(2)`.

    Raises:
        OSError: it failed.
    """
    result = _libc().mount(
        source.encode(), target.encode(), kind.encode() if kind else None,
        ctypes.c_ulong(flags), data.encode() or None,
    )  # fmt: skip
    _checked(result, f"mounting {kind or source} on {target}")


def detach(target: str) -> None:
    """Unmounts at once, `umount2(2)` with `MNT_DETACH`.

    Raises:
        OSError: it failed.
    """
    _checked(_libc().umount2(target.encode(), MNT_DETACH), f"unmounting {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    """`pivot_root(2)`.

    Raises:
        OSError: it failed.
    """
    number = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine)
    if number is None:
        raise OSError(f"pivot_root: not known on {os.uname().machine}")
    system_call("pivot_root", number, new_root.encode(), put_old.encode())
