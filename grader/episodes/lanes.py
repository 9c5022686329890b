"""Plays several episodes side by side, and notices when an environment hangs.

A lane is a thread that takes one task after the other. Environments and rewards stay in this
process; what runs side by side are the workers, each of which answers one lane.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from grader.errors import GraderFault

Result = TypeVar("Result")

ENVIRONMENT_S: Final = 60.0
"""Seconds that one step of an environment may take, or its making or reset."""
_LOOK_S: Final = 0.25
"""Time between two looks at the lanes."""


class SpareJobs:
    """Jobs that nobody uses at the moment; for use by several threads.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int = 0) -> None:
        self._count = count
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Takes one, if there is one."""
        with self._lock:
            if self._count < 1:
                return False
            self._count -= 1
            return True

    def give(self, count: int = 1) -> None:
        """Gives some back, or adds some."""
        with self._lock:
            self._count += count


class Beat:
    """Tells a watcher in another thread whether an environment is at work.

    Used as a context around each call of an environment. A counter and no clock, so that it costs
    next to nothing and a grader that was stopped for an hour accuses no environment.
    """

    def __init__(self) -> None:
        self.count = 0
        """Odd while an environment is at work."""

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *_: object) -> None:
        self.count += 1


Task = Callable[[Beat], Result]
"""What a lane does: plays something, with a beat around each call of an environment."""


@dataclass
class _Hall(Generic[Result]):
    """What the lanes share."""

    tasks: Sequence[Task[Result]]
    is_last: Callable[[Result], bool]
    results: dict[int, Result] = field(default_factory=dict)
    errors: dict[int, BaseException] = field(default_factory=dict)
    _next: int = 0
    _end: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._end = len(self.tasks)

    @property
    def waiting(self) -> int:
        """Tasks that no lane has taken."""
        return max(0, self._end - self._next)

    def take(self) -> int | None:
        with self._lock:
            if self._next >= self._end:
                return None
            self._next += 1
            return self._next - 1

    def close(self, after: int = -1) -> None:
        """Hands out nothing that comes after a task."""
        with self._lock:
            self._end = min(self._end, after + 1)


class _Lane(threading.Thread, Generic[Result]):
    """Does one task after the other.

    A daemon: one that hangs must not keep the grader from ending.
    """

    def __init__(self, hall: _Hall[Result]) -> None:
        super().__init__(daemon=True)
        self._hall = hall
        self.beat = Beat()
        self._seen = 0
        self._looks = 0

    def run(self) -> None:
        while (number := self._hall.take()) is not None:
            try:
                result = self._hall.tasks[number](self.beat)
            except BaseException as error:  # noqa: BLE001  raised again by the thread that waits
                self._hall.errors[number] = error
                self._hall.close(number)
                return
            self._hall.results[number] = result
            if self._hall.is_last(result):
                self._hall.close(number)

    def hangs(self, limit_s: float) -> bool:
        """Whether one call of an environment has lasted longer than that; asked at every look."""
        count = self.beat.count
        self._looks = self._looks + 1 if count == self._seen and count % 2 else 0
        self._seen = count
        return self._looks * _LOOK_S >= limit_s


def side_by_side(
    tasks: Sequence[Task[Result]],
    *,
    is_last: Callable[[Result], bool] = lambda _: False,
    spare: SpareJobs | None = None,
    limit_s: float = ENVIRONMENT_S,
) -> list[Result]:
    """Does tasks in one lane, and in as many more as there are spare jobs.

    The results are those of doing the tasks one after the other until one `is_last`, however many
    lanes there are: what came of later tasks is dropped.

    Args:
        tasks: what to do; none may depend on another one.
        is_last: told a result, whether the tasks after it are not to be done.
        spare: jobs that nobody else uses.
        limit_s: seconds for one call of an environment.

    Raises:
        GraderFault: an environment hangs; the instructor must act. The thread that it holds is
            left behind, it cannot be ended from outside.
        BaseException: whatever the first task that failed raised.
    """
    hall: _Hall[Result] = _Hall(tasks, is_last)
    lanes: list[_Lane[Result]] = []
    taken = 0
    try:
        while True:
            if hall.waiting and (not lanes or (spare is not None and spare.take())):
                taken += bool(lanes)
                lanes.append(_Lane(hall))
                lanes[-1].start()
                continue
            alive = [lane for lane in lanes if lane.is_alive()]
            if not alive:
                break
            alive[0].join(_LOOK_S)
            if any(lane.hangs(limit_s) for lane in alive):
                raise GraderFault(f"an environment did not answer within {limit_s:g} s")
    finally:
        hall.close()
        if spare is not None:
            spare.give(taken)
    return _in_order(hall)


def _in_order(hall: _Hall[Result]) -> list[Result]:
    results: list[Result] = []
    for number in range(len(hall.tasks)):
        if number in hall.errors:
            raise hall.errors[number]
        if number not in hall.results:
            break
        results.append(hall.results[number])
        if hall.is_last(results[-1]):
            break
    return results
