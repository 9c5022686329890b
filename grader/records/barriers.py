"""The barriers around a worker by name, and the level of isolation that they amount to."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from grader.records.spec import Isolation

UNPRIVILEGED_IDS: Final = range(60578, 60706)
"""Users and groups of workers where the grader runs as root; no account of a system has them.

Each source of workers has one of its own, so that the kernel, which counts by user, does not hold
one submission's threads against another's.
"""
UNPRIVILEGED_ID: Final = UNPRIVILEGED_IDS[0]
"""The one for trials."""


class Barrier(StrEnum):
    """One thing that keeps student code in. A worker reports those it has set up."""

    LIMITS = "resource limits"
    ENVIRONMENT = "empty environment"
    UNPRIVILEGED = "unprivileged user"
    NO_CAPABILITIES = "no capabilities"
    NO_NEW_PRIVILEGES = "no new privileges"
    LANDLOCK_FILES = "Landlock: files"
    LANDLOCK_NETWORK = "Landlock: network"
    LANDLOCK_SCOPES = "Landlock: signals and sockets"
    SYSTEM_CALLS = "system-call filter"
    USER_NAMESPACE = "user namespace"
    PROCESS_NAMESPACE = "process namespace"
    MOUNT_NAMESPACE = "mount namespace"
    NETWORK_NAMESPACE = "network namespace"
    IPC_NAMESPACE = "IPC namespace"
    HOST_NAMESPACE = "host-name namespace"
    OWN_INIT = "own init process"
    OWN_ROOT = "read-only root of its own"
    SIZED_SCRATCH = "scratch of limited size"


_RESTRICTED: Final = frozenset(
    {Barrier.LIMITS, Barrier.ENVIRONMENT, Barrier.UNPRIVILEGED, Barrier.NO_CAPABILITIES,
     Barrier.NO_NEW_PRIVILEGES, Barrier.LANDLOCK_FILES, Barrier.SYSTEM_CALLS}
)  # fmt: skip

REQUIRED: Final[dict[Isolation, frozenset[Barrier]]] = {
    Isolation.PROCESS: frozenset({Barrier.LIMITS, Barrier.ENVIRONMENT}),
    Isolation.RESTRICTED: _RESTRICTED,
    Isolation.FULL: _RESTRICTED
    | {Barrier.USER_NAMESPACE, Barrier.PROCESS_NAMESPACE, Barrier.MOUNT_NAMESPACE,
       Barrier.NETWORK_NAMESPACE, Barrier.IPC_NAMESPACE, Barrier.HOST_NAMESPACE,
       Barrier.OWN_INIT, Barrier.OWN_ROOT, Barrier.SIZED_SCRATCH},
}  # fmt: skip
"""The barriers that make a level. Those beside them (Landlock's scopes, say, which are as new as
Linux 6.12) are set up wherever the kernel has them."""


def strength(isolation: Isolation) -> int:
    """Place of a level in the order from weak to strong."""
    return list(Isolation).index(isolation)


def level_of(barriers: Collection[Barrier]) -> Isolation | None:
    """The strongest level whose barriers are all there; None if not even the weakest is."""
    held = frozenset(barriers)
    reached = [level for level in Isolation if REQUIRED[level] <= held]
    return max(reached, key=strength, default=None)
