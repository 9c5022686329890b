"""Starts the fork server: finds its level of isolation, imports the libraries once, serves.

It runs no TensorFlow operation, ever: a child forked after one hangs. It holds no secret, because
its children inherit its memory. With `--cold` the process becomes a single worker itself, for
platforms where forking is not to be had.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import sys
import traceback
from typing import Any, Final, NoReturn

from grader.records.spec import Isolation
from grader.worker.becoming import Birth, become_worker, ending
from grader.worker.confinement import cage
from grader.worker.confinement import system_calls as calls
from grader.worker.confinement.places import Places, needed_places
from grader.worker.confinement.rooms import Rooms
from grader.worker.forking import Server
from grader.worker.trials import best_level, leave_root

_ORDER_BYTES: Final = 65536


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


def _tell(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


def _serve(server: Server, refused: dict[Isolation, str]) -> None:
    """Imports what workers need, says so, and serves."""
    calls.prctl("PR_SET_CHILD_SUBREAPER", calls.PR_SET_CHILD_SUBREAPER, 1)
    if server.isolation is Isolation.FULL:
        os.environ.update(KERAS_HOME=cage.HOME, HOME=cage.HOME, TMPDIR="/tmp", MPLCONFIGDIR="/tmp")  # noqa: S108
    versions = _import_libraries()
    gc.collect()
    gc.freeze()  # a collection in a child would otherwise copy every page
    _tell(server.control, {"versions": versions, "isolation": server.isolation, "refused": refused})
    server.serve()


def _leave_root_if_possible(places: Places, number: int) -> None:
    """At the weakest level a machine may refuse it; the worker reports what holds."""
    with contextlib.suppress(OSError):
        leave_root(places, number)


def _start(control: socket.socket, order: dict[str, Any]) -> None:
    places = needed_places()
    wanted = None if order["isolation"] is None else Isolation(order["isolation"])
    folder = order["folder"]
    isolation, refused = best_level(wanted, places, folder)
    if isolation is Isolation.PROCESS:
        _leave_root_if_possible(places, order["user"])
    else:
        leave_root(places, order["user"])
    if isolation is not Isolation.FULL:
        _serve(Server(control, isolation, places), refused)
        return

    def serve_inside(rooms: Rooms) -> NoReturn:
        ending(lambda: _serve(Server(control, isolation, places, rooms), refused))

    code = cage.enter(
        places,
        order["mount_point"],
        serve_inside,
        started=control.close,  # its end must show as soon as the server ends
        refused=lambda error: traceback.print_exception(error),
    )
    if code != 0:
        raise OSError(f"the fork server ended with {code}")


def _probe(output: int, folder: str) -> NoReturn:
    """Writes what this machine offers, as JSON, without importing any library."""
    isolation, refused = best_level(None, needed_places(), folder)
    os.write(output, json.dumps({"isolation": isolation, "refused": refused}).encode())
    os._exit(0)


def _examine(output: int, folder: str) -> NoReturn:
    """Writes what became of trying each barrier, as JSON."""
    from grader.worker.barrier_trials import examine

    found = examine(needed_places(), folder)
    os.write(output, json.dumps(found.plain()).encode())
    os._exit(0)


def main() -> None:
    """Runs as `argv` says.

    `--server DESCRIPTOR`, whose order comes by that descriptor, `--cold CHANNEL OUTPUT REQUEST`,
    `--probe DESCRIPTOR FOLDER` or `--examine DESCRIPTOR FOLDER`.
    """
    mode, number = sys.argv[1], int(sys.argv[2])
    if mode == "--cold":
        request = json.loads(sys.argv[4])
        _leave_root_if_possible(needed_places(), request["user"])
        _import_libraries()
        birth = Birth.of(request, Isolation.PROCESS, Places((), (), "", ()))
        output = int(sys.argv[3])
        ending(lambda: become_worker(birth, number, output))
    if mode == "--probe":
        _probe(number, sys.argv[3])
    if mode == "--examine":
        _examine(number, sys.argv[3])
    control = socket.socket(fileno=number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the grader decides when it ends
    order = json.loads(control.recv(_ORDER_BYTES))
    failed = False
    try:
        _start(control, order)
    except OSError as error:
        with contextlib.suppress(OSError):  # the grader may be gone by now
            _tell(control, {"error": str(error)})
        failed = True
    finally:
        shutil.rmtree(order["folder"], ignore_errors=True)  # for a grader that did not do so
    os._exit(int(failed))  # taking the interpreter down in order would cost a second
