"""Shows what a worker of the real fork server cannot do, by having it try."""

from __future__ import annotations

import secrets
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grader.errors import GraderFault
from grader.records.examination import Attempt, Proof
from grader.records.messages import ImportFile, Invoke, Resolve
from grader.records.spec import Isolation, Limits
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import WorkerSource, best_source

_SCRIPT: Final = """
import ctypes, os, socket

def read(path):
    with open(path) as file:
        return file.read()

def write(path):
    with open(path, "w") as file:
        file.write("written")

def connect(port):
    with socket.socket() as made:
        made.settimeout(5)
        made.connect(("127.0.0.1", port))

def fork():
    library = ctypes.PyDLL(None, use_errno=True)
    child = library.fork()
    if child == 0:
        os._exit(0)
    if child < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.waitpid(child, 0)

def signal():
    os.kill(os.getppid(), 0)

ATTEMPTS = {"read": read, "write": write, "connect": connect, "fork": fork, "signal": signal}

def attempt(what, arguments):
    try:
        return "done: " + str(ATTEMPTS[what](*arguments))
    except OSError as error:
        return "refused: " + (error.strerror or type(error).__name__)
"""
_REFUSED: Final = "refused: "


@dataclass(frozen=True)
class _Bait:
    """What lies outside of a worker, within reach of any other process."""

    secret: str
    folder: Path
    listener: socket.socket

    @property
    def file(self) -> Path:
        return self.folder / "file-of-the-user"

    @property
    def written(self) -> Path:
        return self.folder / "written"

    def contacted(self) -> bool:
        """Whether anything has connected."""
        self.listener.settimeout(0.0)
        try:
            self.listener.accept()[0].close()
        except OSError:
            return False
        return True


@contextmanager
def _bait() -> Iterator[_Bait]:
    with (
        tempfile.TemporaryDirectory(prefix="grader-doctor-") as name,
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
    ):
        bait = _Bait(secrets.token_hex(16), Path(name), listener)
        bait.file.write_text(bait.secret)
        # Ordinary permissions grant both: it is the isolation that must refuse.
        bait.file.chmod(0o644)
        bait.folder.chmod(0o777)
        yield bait


def prove(isolation: Isolation) -> Proof:
    """Starts what grading would start and has a worker try five forbidden things.

    Each is looked at from outside as well: a worker's own word does not count for it. Takes as
    long as importing TensorFlow does.
    """
    begun = time.monotonic()
    try:
        with _bait() as bait, closing(best_source(isolation)) as source:
            source.wait_ready()
            attempts = tuple(_attempts(source, bait))
            reached = source.isolation
    except (GraderFault, OSError) as error:
        return Proof(isolation=isolation, problem=str(error), wall_s=_since(begun))
    return Proof(isolation=reached, attempts=attempts, wall_s=_since(begun))


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 1)


def _attempts(source: WorkerSource, bait: _Bait) -> Iterator[Attempt]:
    port = bait.listener.getsockname()[1]
    said = _said(source, "read", str(bait.file))
    yield _judged("read a file of the user", said, done=bait.secret in said)
    said = _said(source, "connect", port)
    yield _judged("connect to a socket", said, done=bait.contacted())
    yield _judged("start a process", _said(source, "fork"))
    yield _judged("send a signal to its parent", _said(source, "signal"))
    said = _said(source, "write", str(bait.written))
    yield _judged("write outside of its scratch", said, done=bait.written.exists())


def _said(source: WorkerSource, what: str, *arguments: Any) -> str:
    """What a fresh worker answers to an attempt; one that was ended for it was refused it.

    Raises:
        GraderFault: there was no worker.
    """
    with source.student(Limits(), seed=0) as worker:
        worker.put_files((("attempts.py", _SCRIPT.encode()),))
        try:
            worker.ask(ImportFile(file="attempts.py"), "importing attempts.py")
            worker.ask(Resolve(role="attempt", what="function", names=("attempt",)), "looking")
        except WorkerIncident as incident:
            raise GraderFault(f"a worker could not run a file: {incident}") from incident
        try:
            asked = Invoke(target="attempt", arguments={"what": what, "arguments": [*arguments]})
            return str(worker.ask(asked, f"trying to {what}"))
        except WorkerIncident as incident:
            return f"{_REFUSED}the worker was ended ({incident})"


def _judged(what: str, said: str, *, done: bool = False) -> Attempt:
    refused = said.startswith(_REFUSED) and not done
    return Attempt(what=what, refused=refused, how=said.removeprefix(_REFUSED) if refused else
                   "nothing keeps from it")  # fmt: skip
