"""Adds up what a worker uses and compares it with the limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from grader.records.evidence import LimitName
from grader.records.spec import Limits
from grader.sandbox import watch

INTERVAL_S: Final = 0.1
"""Time between two comparisons; whatever is shorter may go unseen."""
_MEBIBYTE: Final = 1 << 20


class Meter:
    """What one worker has used, over all calls and in the present one.

    Args:
        pid: the worker.
        server_pid: its fork server, if it has one.
        siblings: the server's other workers, asked for each time.
        limits: what is allowed.
    """

    def __init__(
        self,
        pid: int,
        server_pid: int | None,
        siblings: Callable[[], frozenset[int]],
        limits: Limits,
    ) -> None:
        self._pid = pid
        self._server_pid = server_pid
        self._siblings = siblings
        self._limits = limits
        self._looked_at = time.monotonic()
        self._begun_at = self._looked_at
        self._waited_s = 0.0
        self._idle_cpu_s = self._own_cpu_s()
        self._others_cpu_s = 0.0
        self._call_cpu_begun_s = 0.0

    def _own_cpu_s(self) -> float:
        return watch.clock_s(self._pid) if watch.READABLE else 0.0

    @property
    def cpu_s(self) -> float:
        """Processor time since the worker was ready, of itself and what it started."""
        return self._own_cpu_s() + self._others_cpu_s - self._idle_cpu_s

    def ready(self) -> None:
        """Notes that the worker is ready; what it used until then is nobody's."""
        self._idle_cpu_s = self._own_cpu_s()

    def begin(self) -> None:
        """Notes the start of a call."""
        self._begun_at = time.monotonic()
        self._call_cpu_begun_s = self._own_cpu_s() + self._others_cpu_s

    def end(self) -> None:
        """Notes the end of a call."""
        self._waited_s += time.monotonic() - self._begun_at

    def exceeded(self) -> LimitName | None:
        """The limit that is exceeded, if one is. Looks again only after `INTERVAL_S`."""
        now = time.monotonic()
        if now - self._looked_at < INTERVAL_S:
            return None
        self._looked_at = now
        limits = self._limits
        wall_s = now - self._begun_at
        if watch.READABLE:
            used = watch.usage(self._pid, self._server_pid, self._siblings())
            # Children that ended unwaited for take their time with them.
            self._others_cpu_s = max(self._others_cpu_s, used.others_cpu_s)
            cpu_s = used.own_cpu_s + self._others_cpu_s
            if used.processes > limits.processes:
                return LimitName.PROCESSES
            if used.resident_bytes > limits.resident_mb * _MEBIBYTE:
                return LimitName.RESIDENT
            if cpu_s - self._call_cpu_begun_s > limits.call_cpu_s:
                return LimitName.CALL_CPU
            if cpu_s - self._idle_cpu_s > limits.part_cpu_s:
                return LimitName.PART_CPU
        if wall_s > limits.call_wall_s:
            return LimitName.CALL_WALL
        if self._waited_s + wall_s > limits.part_wall_s:
            return LimitName.PART_WALL
        return None
