"""Turns a freshly forked process into a worker: its descriptors, its barriers, its session."""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO

from grader.records.spec import Isolation, Limits
from grader.worker.confinement import levels
from grader.worker.confinement.namespaces import end_with_parent
from grader.worker.confinement.places import Places
from grader.worker.confinement.rooms import SCRATCH

CHANNEL: Final = 3
_FAILED: Final = 70


@dataclass(frozen=True)
class Birth:
    """What a new worker is told."""

    is_inspector: bool
    isolation: Isolation
    limits: Limits
    seed: int
    scratch: Path
    places: Places

    @classmethod
    def of(cls, request: dict[str, Any], isolation: Isolation, places: Places) -> Birth:
        """The birth that a request asks for, at the level that is in force."""
        full = isolation is Isolation.FULL
        return cls(
            is_inspector=request["role"] == "inspector",
            isolation=isolation,
            limits=Limits.parse(request["limits"]),
            seed=request["seed"],
            scratch=Path(SCRATCH if full else request["scratch"]),
            places=places,
        )


def ending(body: Callable[[], None]) -> NoReturn:
    """Runs `body` and ends the process, whatever happens in it.

    A forked process must never return into the code that forked it.
    """
    code = _FAILED
    try:
        body()
        code = 0
    except BaseException:  # noqa: BLE001  the process ends here
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(code)


def become_worker(birth: Birth, channel: int, output: int) -> None:
    """Becomes a worker: this process never was one, and is nothing else afterwards."""
    _prepare(channel, output)
    if sys.platform == "linux":
        end_with_parent()
    barriers = levels.confine(
        levels.Confinement(
            isolation=birth.isolation, limits=birth.limits, places=birth.places,
            scratch=birth.scratch,
        )
    )  # fmt: skip
    from grader.worker.session import run_session

    run_session(
        socket.socket(fileno=CHANNEL),
        is_inspector=birth.is_inspector,
        seed=birth.seed,
        root=birth.scratch / "work",
        barriers=barriers,
        limits=birth.limits,
    )


def _prepare(channel: int, output: int) -> None:
    """Leaves nothing open but what is the worker's own, in a session of its own."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    # Copied upwards first: one of them may lie where another one has to go.
    moved = os.dup(channel), os.dup(output)
    os.dup2(null, 0)
    os.dup2(moved[1], 1)
    os.dup2(moved[1], 2)
    os.dup2(moved[0], CHANNEL, inheritable=False)
    os.closerange(CHANNEL + 1, 1 << 20)
    # The server's streams may have been files; these belong to this worker's pipe.
    # A student who puts another object in their place must not close the descriptors by that.
    sys.stdout = _printing_to(1)
    sys.stderr = _printing_to(2)


def _printing_to(descriptor: int) -> TextIO:
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
