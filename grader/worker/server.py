"""The fork server: imports TensorFlow, Keras and Gymnasium once, then forks a worker on request.

It runs no TensorFlow operation, ever: a child forked after one hangs. It holds no secret, because
its children inherit its memory. With `--cold` the process becomes a single worker itself, for
platforms where forking is not to be had.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, Final

_PR_SET_CHILD_SUBREAPER: Final = 36
_MESSAGE_BYTES: Final = 65536


def _import_libraries() -> dict[str, str]:
    import gymnasium
    import gymnasium.utils.env_checker
    import keras
    import numpy as np
    import tensorflow as tf

    import grader.worker.inspector
    import grader.worker.session
    import grader.worker.tracing  # noqa: F401

    # The worker's operations must give the same numbers on one core and on many.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "gymnasium": gymnasium.__version__,
        "numpy": np.__version__,
    }


def _safe_to_fork() -> str | None:
    """Why forking would be unsafe, or None."""
    from tensorflow.python.eager import context

    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    if threads != 1:
        return f"the fork server has {threads} threads"
    if context.context()._initialized:  # noqa: SLF001  no public way to ask
        return "TensorFlow has run an operation in the fork server"
    return None


def _children() -> list[int]:
    text = Path("/proc/self/task").joinpath(str(os.getpid()), "children").read_text()
    return [int(pid) for pid in text.split()]


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._workers: set[int] = set()

    def serve(self) -> None:
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 2)
            if not message:
                return
            request = json.loads(message)
            if request["op"] == "spawn":
                self._answer(self._spawn(request, descriptors))
            elif request["op"] == "reap":
                self._answer(self._reap(request["pid"]))

    def _answer(self, answer: dict[str, Any]) -> None:
        self._control.send(json.dumps(answer).encode())

    def _spawn(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        if reason := _safe_to_fork():
            return {"error": reason}
        pid = os.fork()
        if pid == 0:
            try:
                self._control.close()
                _become_worker(request, *descriptors)
            finally:
                os._exit(70)
        for descriptor in descriptors:
            os.close(descriptor)
        self._workers.add(pid)
        return {"pid": pid}

    def _reap(self, pid: int) -> dict[str, Any]:
        """Ends a worker and everything it started, and tells how it had ended.

        Orphans of a worker become children of this process (it is their sub-reaper), so that a
        daemon is found however often it forked.
        """
        self._workers.discard(pid)
        status: int | None = None
        deadline = time.monotonic() + 10
        while remaining := [child for child in _children() if child not in self._workers]:
            for child in remaining:
                with contextlib.suppress(ProcessLookupError):
                    if child != pid or not _has_ended(child):
                        os.kill(child, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    ended, how = os.waitpid(child, 0)
                    if ended == pid:
                        status = os.waitstatus_to_exitcode(how)
            if time.monotonic() > deadline:
                return {"status": status, "error": "processes of a worker could not be ended"}
        return {"status": status}


def _has_ended(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def _become_worker(request: dict[str, Any], channel: int, output: int) -> None:
    from grader.records.spec import Limits
    from grader.worker.confinement import Confinement, apply
    from grader.worker.session import run_session

    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    moved = os.dup(channel), os.dup(output)
    os.dup2(null, 0)
    os.dup2(moved[1], 1)
    os.dup2(moved[1], 2)
    os.dup2(moved[0], 3)
    os.closerange(4, 4096)
    # The server's streams may have been files; these belong to this worker's pipe.
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="replace")
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="replace")
    confinement = Confinement(
        limits=Limits.parse(request["limits"]), scratch=Path(request["scratch"])
    )
    layers = apply(confinement)
    connection = socket.socket(fileno=3)
    run_session(
        connection,
        is_inspector=request["role"] == "inspector",
        seed=request["seed"],
        root=confinement.scratch / "work",
        layers=layers,
    )
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def main() -> None:
    """Runs the fork server on the control socket given as descriptor number in `argv`."""
    mode, number = sys.argv[1], int(sys.argv[2])
    if mode == "--cold":
        _import_libraries()
        request = json.loads(sys.argv[4])
        _become_worker(request, number, int(sys.argv[3]))
        return
    control = socket.socket(fileno=number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the grader decides when it ends
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become the sub-reaper of workers")
    versions = _import_libraries()
    gc.collect()
    gc.freeze()  # a collection in a child would otherwise copy every page
    control.send(json.dumps({"ready": True, "versions": versions}).encode())
    _Server(control).serve()
