"""Takes away the file system and the network, landlock(7).

Rights are named and numbered in linux/landlock.h. A kernel enforces those of its own version of
the interface, its ABI, and refuses a request for more; so each right is asked for where it exists.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import IntFlag
from typing import Final

from grader.records.barriers import Barrier
from grader.worker.confinement.system_calls import system_call

# The numbers are the same on every architecture.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446

_CREATE_RULESET_VERSION: Final = 1
_RULE_PATH_BENEATH: Final = 1


class _Files(IntFlag):
    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


_FIRST_ABI: Final = {_Files.REFER: 2, _Files.TRUNCATE: 3, _Files.IOCTL_DEV: 5}
_NETWORK_ABI: Final = 4
_SCOPES_ABI: Final = 6

_BIND_AND_CONNECT_TCP: Final = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS: Final = 0b11

_READABLE: Final = _Files.READ_FILE | _Files.READ_DIR
_WRITABLE: Final = (
    _READABLE | _Files.WRITE_FILE | _Files.TRUNCATE | _Files.REFER
    | _Files.REMOVE_DIR | _Files.REMOVE_FILE
    | _Files.MAKE_DIR | _Files.MAKE_REG | _Files.MAKE_SYM
)  # fmt: skip
_DEVICE: Final = _Files.READ_FILE | _Files.WRITE_FILE
_OF_A_FILE: Final = (
    _Files.EXECUTE | _Files.WRITE_FILE | _Files.READ_FILE | _Files.TRUNCATE | _Files.IOCTL_DEV
)
"""The rights that a rule on anything but a folder may speak of."""


def abi() -> int:
    """The version of Landlock's interface; 0 where the kernel has none, or has it switched off."""
    if sys.platform != "linux":
        return 0
    with suppress(OSError):
        return ask_abi()
    return 0


def ask_abi() -> int:
    """The version of Landlock's interface.

    Raises:
        OSError: with `ENOSYS` where the kernel has none, `EOPNOTSUPP` where it is switched off.
    """
    return system_call("asking for Landlock", _CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)


def restrict(
    readable: Sequence[str],
    writable: Sequence[str],
    devices: Sequence[str],
    listable: Sequence[str] = (),
) -> frozenset[Barrier]:
    """Leaves this thread, and what it starts, the named paths and nothing else.

    Not everything is mediated: metadata of any path can be read, and file modes, owners, times
    and extended attributes be changed where ordinary permissions allow it. The system-call
    filter sees to the latter.

    The process must have one thread, since the others would keep their rights, and must have
    called `no_new_privileges`.

    Args:
        readable: files and folders to read, with all beneath them.
        writable: folders to do ordinary file work in; nothing in them can be executed, and no
            device, socket or named pipe be made.
        devices: files to read and write, not to replace or resize.
        listable: folders whose files' names can be read, with those of all folders beneath.
            Paths that do not exist are left out.

    Returns:
        Those of the three Landlock barriers that are in force; none where `abi()` is 0.

    Raises:
        OSError: the kernel refuses, or a path cannot be looked at; the grader's operator must act.
    """
    version = abi()
    if version == 0:
        return frozenset()
    handled = ~_Files(0)
    for right, first in _FIRST_ABI.items():
        if version < first:
            handled &= ~right
    network = _BIND_AND_CONNECT_TCP if version >= _NETWORK_ABI else 0
    scopes = _ABSTRACT_SOCKETS_AND_SIGNALS if version >= _SCOPES_ABI else 0
    # A kernel accepts a structure longer than its own where the rest is zero.
    attributes = struct.pack("=QQQ", handled, network, scopes)
    ruleset = system_call(
        "creating a Landlock ruleset", _CREATE_RULESET, attributes, len(attributes), 0
    )
    try:
        for paths, rights in (
            (readable, _READABLE), (writable, _WRITABLE), (devices, _DEVICE),
            (listable, _Files.READ_DIR),
        ):  # fmt: skip
            for path in paths:
                _allow(ruleset, path, rights & handled)
        system_call("entering the Landlock ruleset", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    in_force = {
        Barrier.LANDLOCK_FILES: handled,
        Barrier.LANDLOCK_NETWORK: network,
        Barrier.LANDLOCK_SCOPES: scopes,
    }
    return frozenset(barrier for barrier, rights in in_force.items() if rights)


def _allow(ruleset: int, path: str, rights: _Files) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_A_FILE
        rule = struct.pack("=Qi", rights, descriptor)
        system_call(f"allowing {path}", _ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)
