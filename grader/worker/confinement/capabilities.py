"""Gives up what only a privileged process may do, for good; capabilities(7)."""

from __future__ import annotations

import errno
import struct
from typing import Final

from grader.worker.confinement.system_calls import (
    PR_CAPBSET_DROP,
    PR_SET_NO_NEW_PRIVS,
    capset,
    prctl,
)

_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_VERSION_3: Final = 0x20080522
_SETS: Final = 64
"""More capabilities than the structures of version 3 can hold, and than any kernel has."""


def drop_capabilities() -> None:
    """Empties every set of capabilities of this thread.

    A process that may not touch its bounding set has none to give up but for a program it
    executes; `no_new_privileges` sees to those.

    Raises:
        OSError: the kernel refuses; the grader's operator must act.
    """
    for capability in range(_SETS):
        try:
            prctl(f"dropping capability {capability}", PR_CAPBSET_DROP, capability)
        except OSError as error:
            # EINVAL: beyond the last one that this kernel knows.
            if error.errno in {errno.EINVAL, errno.EPERM}:
                break
            raise
    try:
        prctl("clearing the ambient capabilities", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a kernel without ambient capabilities, before Linux 4.3
            raise
    # Effective, permitted and inheritable, each in two words that lie apart.
    capset(struct.pack("=Ii", _VERSION_3, 0), bytes(2 * 3 * 4))


def no_new_privileges() -> None:
    """Makes sure that no program this process executes gains rights, and none of its children's.

    The kernel asks for it before an unprivileged process may use Landlock or a system-call
    filter.

    Raises:
        OSError: the kernel refuses; the grader's operator must act.
    """
    prctl("giving up new privileges", PR_SET_NO_NEW_PRIVS, 1)
