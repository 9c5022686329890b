"""What isolation this machine offers, found by trying it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grader.errors import GraderFault
from grader.records.spec import Isolation
from grader.sandbox.source import give_away, worker_environment

_PROBE_S: Final = 60.0


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
        reason = "it needs Linux: other systems have no namespaces, Landlock or seccomp"
        return Offer(Isolation.PROCESS, {Isolation.FULL: reason, Isolation.RESTRICTED: reason})
    found = probe("--probe")
    refused = {Isolation(level): str(why) for level, why in found["refused"].items()}
    return Offer(Isolation(found["isolation"]), refused)


def probe(mode: str) -> Any:
    """Has the worker's program try something and answers what it wrote.

    Raises:
        GraderFault: it failed; the operator must act.
    """
    with tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True) as folder:
        give_away(folder, 0o711)
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
