"""A whole process per worker, where forking is not to be had. Slow, same protocol."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import Any

from grader.sandbox.source import Source, Started, worker_environment


class ColdStart(Source):
    """Starts an interpreter for each worker, four to six seconds each.

    A process that detached itself from its worker (a daemon) is not found again when the worker
    ends; a fork server finds it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def wait_ready(self) -> None:
        """There is nothing to wait for."""

    def alive(self) -> bool:
        """A process per worker: there is nothing that could have ended."""
        return True

    def _start(self, request: dict[str, Any], channel: int, output: int) -> Started:
        # A home of its own: what one worker leaves there must not be read by the next.
        home = self._empty_folder("home-")
        process = subprocess.Popen(  # noqa: S603  our own interpreter and module
            [sys.executable, "-s", "-P", "-m", "grader.worker", "--cold",
             str(channel), str(output), json.dumps(request)],
            env=worker_environment(home),
            cwd="/",
            pass_fds=(channel, output),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )  # fmt: skip
        self._processes[process.pid] = process
        return Started(key=process.pid, pid=process.pid)

    def _reap(self, key: int, grace_s: float) -> int | None:
        process = self._processes.pop(key)
        had_ended: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            had_ended = process.wait(grace_s)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(key, signal.SIGKILL)
        process.kill()
        process.wait()
        return had_ended

    def close(self) -> None:
        """Ends all workers and removes their folder."""
        if self._inspector is not None:
            self._inspector.close()
            self._inspector = None
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()
        self._folder.close()
