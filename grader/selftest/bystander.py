"""A process of the same user that minds its own business, and whether it was left alone."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.errors import GraderFault

_HAS_PROC: Final = sys.platform == "linux"
_START_S: Final = 30.0
# Reads its secret from standard input, so that neither its arguments nor its files give it away.
_PROGRAM: Final = """
import ctypes, os, signal, sys, time
data = sys.stdin.buffer.readline().strip()
kept = ctypes.create_string_buffer(data)
user = int(sys.argv[1])
file = os.open("secret.txt", os.O_RDONLY)
if os.getuid() != user:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # dumpable, as any program of that user is
for number in (signal.SIGURG, signal.SIGWINCH, signal.SIGCONT):
    signal.signal(number, lambda number, _: os.write(1, b"signal %d\\n" % number))
os.write(1, b"%d %d %d\\n" % (ctypes.addressof(kept), len(data), file))
while True:
    time.sleep(3600)
"""


@dataclass(frozen=True)
class Condition:
    """What another process may not change about it."""

    state: str
    tracer: str
    nice: int
    cores: frozenset[int]
    limits: str
    oom_score_adj: str


class Bystander:
    """A process beside the grader, with secrets in memory, environment and an open file.

    Args:
        folder: its working directory; `secret.txt` in it is kept open.
        memory: secret that it holds in memory.
        environment: secret that it holds in its environment.
        user: id of the user that it runs as.

    Raises:
        GraderFault: it could not be started; the operator must act.
    """

    def __init__(self, folder: Path, memory: str, environment: str, user: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and program
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(user)],
            cwd=folder,
            env={**os.environ, "GRADER_SELFTEST": environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(memory.encode() + b"\n")
        ready, _, _ = select.select([self._process.stdout], [], [], _START_S)
        words = self._process.stdout.readline().split() if ready else []
        if len(words) != 3:
            self.close()
            raise GraderFault("the self-test's bystander did not start")
        self.address, self.size_bytes, self.descriptor = map(int, words)
        self._before = self._condition()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def harm(self) -> str | None:
        """What has been done to it; None when it was left alone."""
        if self._process.poll() is not None:
            return f"ended with {self._process.returncode}"
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], 0)
        if ready:
            return os.read(self._process.stdout.fileno(), 200).decode().strip()
        after = self._condition()
        if after is None or self._before is None or after == self._before:
            return None
        return ", ".join(
            "limits changed" if name == "limits" else f"{name} became {getattr(after, name)}"
            for name in ("state", "tracer", "nice", "cores", "limits", "oom_score_adj")
            if getattr(after, name) != getattr(self._before, name)
        )

    def _condition(self) -> Condition | None:
        if not _HAS_PROC:
            return None
        proc = Path(f"/proc/{self.pid}")
        try:
            status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
            # Whether it sleeps or runs is its own business; stopped and traced are not.
            letter = status["State"].strip()[0]
            return Condition(
                state=letter if letter in "TtZX" else "at work",
                tracer=status["TracerPid"].strip(),
                nice=os.getpriority(os.PRIO_PROCESS, self.pid),
                cores=frozenset(os.sched_getaffinity(self.pid)),
                limits=(proc / "limits").read_text(),
                oom_score_adj=(proc / "oom_score_adj").read_text().strip(),
            )
        except (OSError, KeyError):
            return None

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
