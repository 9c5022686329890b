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
import traceback
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_END_S: Final = 10.0
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

    if context.context()._initialized:  # noqa: SLF001  no public way to ask
        return "TensorFlow has run an operation in the fork server"
    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    if threads != 1:
        return f"the fork server has {threads} threads"
    return None


def _children() -> list[int]:
    text = Path("/proc/self/task").joinpath(str(os.getpid()), "children").read_text()
    return [int(pid) for pid in text.split()]


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._workers: set[int] = set()

    def serve(self) -> None:
        """Answers requests until the grader is gone, then ends whatever is left."""
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 2)
            except OSError:
                message, descriptors = b"", []
            if not message:
                break
            request = json.loads(message)
            if request["op"] == "spawn":
                self._answer(self._spawn(request, descriptors))
            elif request["op"] == "reap":
                self._answer(self._reap(request["pid"], request["grace_s"]))
        for pid in tuple(self._workers):
            self._reap(pid, 0.0)

    def _answer(self, answer: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the grader is gone; the next receive tells
            self._control.send(json.dumps(answer).encode())

    def _spawn(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        try:
            if reason := _safe_to_fork():
                return {"error": reason}
            try:
                pid = os.fork()
            except OSError as error:
                return {"error": f"the fork server cannot fork: {error}"}
            if pid == 0:
                self._control.close()
                _run_worker(request, *descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._workers.add(pid)
        return {"pid": pid}

    def _reap(self, pid: int, grace_s: float) -> dict[str, Any]:
        """Ends a worker and everything it started.

        Orphans of a worker become children of this process (it is their sub-reaper), so that a
        daemon is found however often it forked.

        Returns:
            `status`: how the worker had ended by itself, within `grace_s` seconds; None if not.
        """
        self._workers.discard(pid)
        status = _own_end(pid, grace_s)
        deadline = time.monotonic() + _END_S
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # all at once: those that fork meanwhile as well
        while remaining := [child for child in _children() if child not in self._workers]:
            for child in remaining:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            for child in remaining:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child, 0)
            if time.monotonic() > deadline:
                return {"error": "processes of a worker could not be ended"}
        return {"status": status}


def _own_end(pid: int, grace_s: float) -> int | None:
    """Exit status of a worker that ends by itself, negative for a signal; leaves it to be reaped.

    A process closes its channel a moment before it counts as ended, hence the grace.
    """
    deadline = time.monotonic() + grace_s
    while True:
        try:
            how = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if how is not None:
            return how.si_status if how.si_code == os.CLD_EXITED else -how.si_status
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.002)


def _run_worker(request: dict[str, Any], channel: int, output: int) -> NoReturn:
    """Turns this process into a worker and never returns, whatever happens in it."""
    code = 70
    try:
        _become_worker(request, channel, output)
        code = 0
    except BaseException:  # noqa: BLE001  the process ends here
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(code)


def _become_worker(request: dict[str, Any], channel: int, output: int) -> None:
    from grader.records.spec import Limits
    from grader.worker.confinement import Confinement, apply
    from grader.worker.session import run_session

    os.setsid()
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    moved = os.dup(channel), os.dup(output)
    os.dup2(null, 0)
    os.dup2(moved[1], 1)
    os.dup2(moved[1], 2)
    os.dup2(moved[0], 3, inheritable=False)
    os.closerange(4, 1 << 20)
    # The server's streams may have been files; these belong to this worker's pipe.
    # A student who puts another object in their place must not close the descriptors by that.
    sys.stdout = _printing_to(1)
    sys.stderr = _printing_to(2)
    limits = Limits.parse(request["limits"])
    is_inspector = request["role"] == "inspector"
    confinement = Confinement(
        limits=limits, scratch=Path(request["scratch"]), may_start=is_inspector
    )
    layers = apply(confinement)
    connection = socket.socket(fileno=3)
    run_session(
        connection,
        is_inspector=is_inspector,
        seed=request["seed"],
        root=confinement.scratch / "work",
        layers=layers,
        limits=limits,
    )


def _printing_to(descriptor: int) -> TextIO:
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)


def _end_with_parent() -> None:
    """Asks the kernel to end this process with the one that forked it, or started it."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    """Runs the fork server on the control socket given as descriptor number in `argv`."""
    mode, number = sys.argv[1], int(sys.argv[2])
    if mode == "--cold":
        _import_libraries()
        request = json.loads(sys.argv[4])
        _run_worker(request, number, int(sys.argv[3]))
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
    os._exit(0)  # taking the interpreter down in order would cost a second
