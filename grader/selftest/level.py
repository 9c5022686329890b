"""Runs the corpus at one level of isolation, every attack between two honest neighbours."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from grader.assignments.loader import LoadedAssignment
from grader.errors import GraderFault
from grader.records.spec import Isolation, Limits
from grader.sandbox.server import WorkerSource, best_source
from grader.selftest.attacks import CORPUS, Attack, hand_in, remove
from grader.selftest.breach import Breach, Canary, Cell, State
from grader.selftest.grading import Graded, grade
from grader.selftest.leftovers import (
    descends,
    mentions,
    new_processes,
    processes,
    scratch_files,
)
from grader.selftest.returned import not_inert, said
from grader.selftest.trap import Trap

_SLACK_S: Final = 20.0
_PROBE_LIMITS: Final = Limits()
_CHEAP: Final = ("convolution", "agent")
"""Parts of the honest neighbour of most attacks."""
_COSTLY: Final = frozenset({"random_agent", "network"})
"""Parts that only neighbours of attacks on them have, because they take longer."""


class Unavailable(Exception):
    """This machine does not have a level; the message says why."""


@dataclass
class LevelResult:
    """The corpus at one level."""

    level: Isolation
    unavailable: str = ""
    """Why the level could not be tried."""
    cells: dict[str, Cell] = field(default_factory=dict)
    """By name of the attack."""
    wall_s: float = 0.0

    def of(self, state: State) -> int:
        """How many attacks ended so."""
        return sum(cell.state is state for cell in self.cells.values())


def start_at(level: Isolation) -> tuple[WorkerSource, int]:
    """A worker source whose workers report a level themselves, and the id of their user.

    Raises:
        Unavailable: this machine has no such source.
    """
    source = None
    try:
        source = best_source(level)
        source.wait_ready()
        with source.student(_PROBE_LIMITS, 0) as worker:
            reached = worker.isolation
            user = _user_of(worker.pid)
        # It lives as long as the source, and is none of an attack's leavings.
        source.inspector()
    except (GraderFault, OSError) as fault:
        if source is not None:
            source.close()
        raise Unavailable(str(fault)) from fault
    if reached is not level:
        source.close()
        raise Unavailable(f"workers report the level {reached}")
    return source, user


def _user_of(pid: int) -> int:
    """The user that a process runs as; this process's own where that cannot be seen."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return os.geteuid()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))


class _Run:
    """State of a run at one level."""

    def __init__(self, level: Isolation, loaded: LoadedAssignment, trap: Trap) -> None:
        self._level = level
        self._loaded = loaded
        self._trap = trap
        self._source, user = start_at(level)
        trap.set(user)
        self._alone: dict[str, Graded] = {}

    def close(self) -> None:
        self._source.close()

    def prepare(self, parts: Sequence[str]) -> None:
        """Grades the honest submissions alone."""
        for part in dict.fromkeys(parts):
            self._alone[part] = self._grade_honest(part)

    def _grade_honest(self, part: str) -> Graded:
        """Grades the neighbour of attacks on a part; most have the same one."""
        handed_in = (part,) if part in _COSTLY else _CHEAP
        folder = self._trap.submissions / f"honest_{'_'.join(handed_in)}"
        if not folder.exists():
            hand_in(CORPUS / "honest", folder, {})
            for file in folder.glob("*.py"):
                if file.stem not in {*handed_in, "honest"}:
                    file.unlink()
        return grade(folder, self._loaded, self._source)

    def recover(self) -> None:
        """Starts another worker source where the present one cannot be used any more."""
        with contextlib.suppress(Unavailable):
            self._restart()

    def _restart(self) -> None:
        self._source.close()
        self._source, user = start_at(self._level)
        self._trap.set(user)  # where the grader is root, each source has a user of its own

    def attack(self, attack: Attack) -> Cell:
        """Runs one attack, its honest neighbour after it, and looks at every canary."""
        trap = self._trap
        folder = trap.submissions / attack.name
        hand_in(attack.folder, folder, trap.targets())
        inspector = self._source.inspector().pid
        running = processes()
        scratch = scratch_files(trap.temporary)
        begun = time.monotonic()
        try:
            graded = grade(folder, self._loaded, self._source)
        finally:
            remove(folder)
        wall_s = time.monotonic() - begun
        returned = graded.returned()
        found = said(returned, trap.secrets, trap.word)
        found += not_inert(returned, trap.mark)
        found += self._mark_breaches(attack, graded, wall_s)
        found += self._left(running, scratch, inspector)
        found += trap.breaches()
        found += self._neighbour_breaches(attack)
        return Cell(
            State.BREACH if found else State.HELD,
            tuple(found),
            points=graded.points(attack.part),
            wall_s=round(wall_s, 2),
        )

    def _mark_breaches(self, attack: Attack, graded: Graded, wall_s: float) -> list[Breach]:
        found = []
        earned = graded.points(attack.part)
        most = self._alone[attack.part].points(attack.part) if attack.honest else attack.points
        if earned > most:
            found.append(Breach(Canary.MARK, f"{earned:g} points instead of at most {most:g}"))
        if faults := graded.faults():
            found.append(Breach(Canary.FAULT, ", ".join(faults)))
        if wall_s > self._loaded.assignment.limits_of(attack.part).part_wall_s + _SLACK_S:
            found.append(Breach(Canary.STALL, f"{wall_s:.0f} s"))
        return found

    def _left(
        self, running: dict[int, str], scratch: frozenset[str], inspector: int
    ) -> list[Breach]:
        """What the attack's worker left behind when its part ended."""
        trap = self._trap
        replaced = not self._source.alive() or self._inspector() != inspector
        if replaced:
            # What belongs to the new inspector cannot be told apart; with the source all must go.
            self._source.close()
        left = new_processes(running, self._is_of_a_worker)
        files = scratch_files(trap.temporary) - scratch
        found = []
        if left:
            found.append(Breach(Canary.PROCESSES, f"{len(left)} still running"))
        if files:
            found.append(Breach(Canary.SCRATCH, f"{len(files)} in the workers' folders"))
        if found or replaced:
            self._restart()  # so that the next attack is not charged with it
        return found

    def _inspector(self) -> int | None:
        """The process id of the inspector; None when there can be none."""
        try:
            return self._source.inspector().pid
        except GraderFault:
            return None

    def _is_of_a_worker(self, pid: int) -> bool:
        """Whether a process was started by a worker source, directly or not."""
        if pid == self._trap.bystander.pid:
            return False
        return descends(pid, os.getpid()) or mentions(pid, str(self._trap.temporary))

    def _neighbour_breaches(self, attack: Attack) -> list[Breach]:
        alone = self._alone[attack.part]
        again = self._grade_honest(attack.part)
        if again.same_in_every_run() == alone.same_in_every_run():
            return []
        self._restart()
        detail = f"{again.report.score} points instead of {alone.report.score}"
        return [Breach(Canary.NEIGHBOUR, detail)]


def run_level(
    level: Isolation,
    attacks: Sequence[Attack],
    loaded: LoadedAssignment,
    on_attack: Callable[[Isolation, str], None] = lambda _level, _name: None,
) -> LevelResult:
    """Tries all attacks at one level.

    Args:
        level: how workers are kept in.
        attacks: what to try, in this order.
        loaded: the self-test's assignment.
        on_attack: called before each attack.
    """
    result = LevelResult(level)
    begun = time.monotonic()
    with Trap() as trap, trap.own_temporary_folder():
        try:
            run = _Run(level, loaded, trap)
        except Unavailable as reason:
            result.unavailable = str(reason)
            return result
        try:
            run.prepare([attack.part for attack in attacks])
            for attack in attacks:
                on_attack(level, attack.name)
                result.cells[attack.name] = _cell(run, attack, level)
        finally:
            run.close()
    result.wall_s = round(time.monotonic() - begun, 1)
    return result


def _cell(run: _Run, attack: Attack, level: Isolation) -> Cell:
    if attack.unsafe and level is Isolation.PROCESS:
        return Cell(State.NOT_RUN, reason=attack.unsafe)
    try:
        return run.attack(attack)
    except (GraderFault, Unavailable, OSError) as error:
        run.recover()
        return Cell(State.ERROR, reason=str(error))
