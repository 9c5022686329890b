"""Adds up what a worker uses and compares it with the limits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.records.incident import LimitName
from grader.records.spec import Limits
from grader.sandbox import watch
from grader.sandbox.tally import Tally, Uncountable
from grader.sandbox.watch import Kin

INTERVAL_S: Final = 0.1
"""Time between two comparisons; whatever is shorter may go unseen."""
_MEBIBYTE: Final = 1 << 20
_LOOKS_AT_MAPS: Final = 5
"""Every so many comparisons, what is mapped is counted too; that takes longer."""


@dataclass(frozen=True)
class Spent:
    """What a part has used in the workers it had before; its limits are for all of them."""

    cpu_s: float = 0.0
    wall_s: float = 0.0


NOTHING: Final = Spent()


class Meter:
    """What one worker has used, over all calls and in the present one.

    Time on the clock counts only while the worker could run: seconds in which it was ready and
    waited for a processor are the machine's, so that a busy machine fails nobody.

    Args:
        kin: the worker.
        limits: what is allowed.
        scratch: the folder it writes to, where the kernel does not limit its size; else None.
        spent: what counts for the part's limits beside.
    """

    def __init__(
        self, kin: Kin, limits: Limits, scratch: Path | None, spent: Spent = NOTHING
    ) -> None:
        self._spent = spent
        self._kin = kin
        self._limits = limits
        self._scratch = scratch
        self._looks = 0
        self._seemed_headless = False
        self.headless = False
        """Whether the worker has made itself unreadable; see `Usage`."""
        self._looked_at = time.monotonic()
        self._begun_at = self._looked_at
        self._waited_s = 0.0
        self._idle_cpu_s = self._own_cpu_s()
        self._idle_queued_s = self._queued_s()
        self._call_queued_begun_s: float | None = None
        self._others_cpu_s = 0.0
        self._call_cpu_begun_s = 0.0

    def _own_cpu_s(self) -> float:
        return watch.clock_s(self._kin.pid) if watch.READABLE else 0.0

    def _queued_s(self) -> float:
        return watch.queued_s(self._kin.pid) if watch.READABLE else 0.0

    @property
    def cpu_s(self) -> float:
        """Processor time since the worker was ready, of itself and what it started."""
        return self._own_cpu_s() + self._others_cpu_s - self._idle_cpu_s

    @property
    def wall_s(self) -> float:
        """Seconds spent waiting for answers, of all calls that are over."""
        return self._waited_s

    def begin(self) -> None:
        """Notes the start of a call."""
        self._begun_at = time.monotonic()
        self._call_cpu_begun_s = self._own_cpu_s() + self._others_cpu_s
        self._call_queued_begun_s = None

    def end(self) -> None:
        """Notes the end of a call."""
        self._waited_s += time.monotonic() - self._begun_at

    def exceeded(self) -> LimitName | None:
        """The limit that is exceeded, if one is. Looks again only after `INTERVAL_S`."""
        now = time.monotonic()
        if now - self._looked_at < INTERVAL_S:
            return None
        self._looked_at = now
        return self._used_up() or self._too_long(now - self._begun_at) or self._too_much_written()

    def _used_up(self) -> LimitName | None:
        if not watch.READABLE:
            return None
        limits = self._limits
        used = watch.usage(self._kin)
        # Twice in a row: while a process ends, its first thread may be the first to have ended.
        self.headless = used.headless and self._seemed_headless
        self._seemed_headless = used.headless
        # Children that ended unwaited for take their time with them.
        self._others_cpu_s = max(self._others_cpu_s, used.others_cpu_s)
        cpu_s = used.own_cpu_s + self._others_cpu_s
        if used.processes > limits.processes:
            return LimitName.PROCESSES
        if used.threads > limits.threads + limits.processes:
            return LimitName.THREADS
        if used.resident_bytes > limits.resident_mb * _MEBIBYTE:
            return LimitName.RESIDENT
        if cpu_s - self._call_cpu_begun_s > limits.call_cpu_s:
            return LimitName.CALL_CPU
        if self._spent.cpu_s + cpu_s - self._idle_cpu_s > limits.part_cpu_s:
            return LimitName.PART_CPU
        return None

    def _too_long(self, wall_s: float) -> LimitName | None:
        queued_s = self._queued_s()
        if self._call_queued_begun_s is None:
            # Read with the first comparison and not with every call: calls are short and many.
            self._call_queued_begun_s = queued_s
        if wall_s - (queued_s - self._call_queued_begun_s) > self._limits.call_wall_s:
            return LimitName.CALL_WALL
        part_s = self._spent.wall_s + self._waited_s + wall_s - (queued_s - self._idle_queued_s)
        return LimitName.PART_WALL if part_s > self._limits.part_wall_s else None

    def _too_much_written(self) -> LimitName | None:
        if self._scratch is None:
            return None
        limits = self._limits
        self._looks += 1
        started = self._kin.started() if limits.processes and watch.READABLE else ()
        tally = Tally(
            self._scratch, (self._kin.pid, *started), limits.scratch_files,
            limits.file_mb * _MEBIBYTE,
        )  # fmt: skip
        try:
            tally.take(mapped=self._looks % _LOOKS_AT_MAPS == 0)
        except Uncountable:
            return LimitName.SCRATCH_FILES
        if tally.files > limits.scratch_files:
            return LimitName.SCRATCH_FILES
        return LimitName.SCRATCH if tally.size_bytes > limits.scratch_mb * _MEBIBYTE else None
