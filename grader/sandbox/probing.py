"""What isolation this machine offers, found by trying it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from grader.errors import GraderFault
from grader.records.barriers import UNPRIVILEGED_ID, Barrier
from grader.records.examination import Examination, Trial, TrialState
from grader.records.spec import Isolation
from grader.sandbox.source import give_away, worker_environment

_PROBE_S: Final = 60.0
_REASON: Final = "it needs Linux: other systems have no namespaces, Landlock or seccomp"
_NEEDS_LINUX: Final = {Isolation.FULL: _REASON, Isolation.RESTRICTED: _REASON}


@dataclass(frozen=True)
class Offer:
    """What this machine offers."""

    isolation: Isolation
    """The strongest level."""
    refused: dict[Isolation, str]
    """Why stronger ones are not to be had."""


def offered() -> Offer:
    """Tries the levels, strongest first. Takes a fraction of a second: no library is imported.

    Raises:
        GraderFault: the trial itself failed; the operator must act.
    """
    if sys.platform != "linux":
        return Offer(Isolation.PROCESS, _NEEDS_LINUX)
    found = probe("--probe")
    refused = {Isolation(level): str(why) for level, why in found["refused"].items()}
    return Offer(Isolation(found["isolation"]), refused)


def examine() -> Examination:
    """Tries every barrier by itself, then the levels. Takes about a second.

    Raises:
        GraderFault: the trial itself failed; the operator must act.
    """
    if sys.platform != "linux":
        return _elsewhere()
    try:
        found = Examination.parse(probe("--examine"))
    except ValidationError as error:
        raise GraderFault(f"isolation could not be tried out: {error}") from error
    given = _environment(found.variables)
    return found.model_copy(update={"trials": (found.trials[0], given, *found.trials[1:])})


def _environment(seen: tuple[str, ...]) -> Trial:
    """Whether the worker's program saw nothing but what it was given."""
    leaked = sorted(set(seen) - set(worker_environment(Path())))
    if leaked:
        return Trial(
            barrier=Barrier.ENVIRONMENT, state=TrialState.REFUSED,
            why=f"the worker's program sees {', '.join(leaked)}",
        )  # fmt: skip
    hidden = len(set(os.environ) - set(seen))
    return Trial(
        barrier=Barrier.ENVIRONMENT, state=TrialState.HOLDS,
        seen=f"{hidden} variables of this environment are not seen",
    )  # fmt: skip


def _elsewhere() -> Examination:
    """What there is to say where there is nothing to try."""
    own = {Barrier.LIMITS, Barrier.ENVIRONMENT}
    return Examination(
        trials=tuple(
            Trial(
                barrier=barrier, state=TrialState.NOT_TRIED,
                why="its worker shows, below" if barrier in own else _REASON,
            )
            for barrier in Barrier
        ),
        isolation=Isolation.PROCESS,
        refused=_NEEDS_LINUX,
        landlock_abi=0,
        is_root=False,
        user=os.getuid() if hasattr(os, "getuid") else 0,
    )  # fmt: skip


def probe(mode: str) -> Any:
    """Has the worker's program try something and answers what it wrote.

    Raises:
        GraderFault: it failed; the operator must act.
    """
    with tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True) as folder:
        give_away(Path(folder), 0o711, UNPRIVILEGED_ID)
        ran = subprocess.run(  # noqa: S603  our own interpreter and module
            [sys.executable, "-s", "-P", "-m", "grader.worker", mode, "1", folder],
            env=worker_environment(Path(folder)), cwd="/", capture_output=True,
            timeout=_PROBE_S, check=False,
        )  # fmt: skip
    try:
        return json.loads(ran.stdout)
    except ValueError as error:
        said = ran.stderr.decode("utf-8", "replace").strip()[-2000:]
        raise GraderFault(f"isolation could not be tried out: {said}") from error
