"""The canaries that the run itself minds: marks, faults, neighbours, processes, files, time."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from grader.errors import GraderFault
from grader.records.spec import Isolation
from grader.sandbox.server import best_source
from grader.selftest import level
from grader.selftest.assignment import drawn_assignment
from grader.selftest.attacks import CORPUS, Attack, chosen, hand_in, load_corpus
from grader.selftest.breach import Breach, Canary, State
from grader.selftest.grading import Graded, grade
from grader.selftest.leftovers import processes, scratch_files
from grader.selftest.level import _Run, run_level, start_at
from grader.selftest.trap import Trap

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a fork server")
# Takes no notice of anything around it, so that only the canary under test can fire.
QUIET = chosen(load_corpus(), ("lying_types",))[0]


@dataclass
class Stage:
    """A run at the plain process's level, and its trap."""

    run: _Run
    trap: Trap

    def left(self, leave: Callable[[], object]) -> list[Breach]:
        """What is found after something has been left behind."""
        running, scratch = processes(), scratch_files(self.trap.temporary)
        inspector = self.run._inspector()
        assert inspector is not None
        leave()
        return self.run._left(running, scratch, inspector)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Trap() as trap, trap.own_temporary_folder():
        run = _Run(Isolation.PROCESS, drawn_assignment(), trap)
        run.prepare(["convolution"])
        yield Stage(run, trap)
        run.close()


def _canaries(breaches: tuple[Breach, ...] | list[Breach]) -> list[Canary]:
    return [breach.canary for breach in breaches]


def test_an_attack_that_comes_to_nothing_is_held(stage: Stage) -> None:
    cell = stage.run.attack(QUIET)
    assert cell.state is State.HELD, cell.breaches
    assert cell.points == QUIET.points


def test_a_mark_above_that_of_honest_work_is_a_breach(stage: Stage) -> None:
    strict = QUIET.model_copy(update={"points": QUIET.points - 1})
    cell = stage.run.attack(strict)
    assert cell.state is State.BREACH
    assert _canaries(cell.breaches) == [Canary.MARK]
    assert cell.breaches[0].detail == "2 points instead of at most 1"


def test_an_attack_whose_own_work_is_honest_may_earn_what_honest_work_earns(stage: Stage) -> None:
    attack = chosen(load_corpus(), ("read_own_environment",))[0]
    cell = stage.run.attack(attack)
    assert (cell.state, cell.points) == (State.HELD, 10.0), cell.breaches


def test_a_neighbour_with_another_report_is_a_breach(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stage.trap.submissions / "other"
    hand_in(CORPUS / "honest", folder, {})
    other = grade(folder, drawn_assignment(), stage.run._source)
    monkeypatch.setitem(stage.run._alone, "convolution", other)
    assert _canaries(stage.run._neighbour_breaches(QUIET)) == [Canary.NEIGHBOUR]


def test_nothing_is_found_when_nothing_was_left(stage: Stage) -> None:
    assert stage.left(lambda: None) == []


def test_a_process_that_stays_is_a_breach(stage: Stage) -> None:
    started: list[int] = []
    try:
        found = stage.left(
            lambda: started.append(os.spawnvp(os.P_NOWAIT, "sleep", ["sleep", "30"]))
        )
    finally:
        os.kill(started[0], signal.SIGKILL)
        os.waitpid(started[0], 0)
    assert _canaries(found) == [Canary.PROCESSES]


def test_files_that_stay_in_the_workers_folders_are_a_breach(stage: Stage) -> None:
    found = stage.left(lambda: (stage.trap.temporary / "left").write_text(""))
    assert _canaries(found) == [Canary.SCRATCH]


def test_a_source_that_ended_is_replaced_and_its_fault_is_a_breach(stage: Stage) -> None:
    folder = stage.trap.submissions / "quiet"
    hand_in(QUIET.folder, folder, stage.trap.targets())
    graded: list[Graded] = []

    def end_the_source() -> None:
        stage.run._source.close()
        graded.append(grade(folder, drawn_assignment(), stage.run._source))

    assert stage.left(end_the_source) == []
    assert stage.run._source.alive()
    assert graded[0].report.score is None
    found = stage.run._mark_breaches(QUIET, graded[0], 1.0)
    assert _canaries(found) == [Canary.FAULT]


def test_grading_that_takes_far_too_long_is_a_breach(stage: Stage) -> None:
    honest = stage.run._alone["convolution"]
    attack = QUIET.model_copy(update={"honest": True})
    assert stage.run._mark_breaches(attack, honest, 1.0) == []
    assert _canaries(stage.run._mark_breaches(attack, honest, 600.0)) == [Canary.STALL]


def test_unsafe_attacks_are_not_run_in_a_plain_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Run, "attack", lambda *_: pytest.fail("it was run"))
    monkeypatch.setattr(_Run, "__init__", lambda *_: None)
    monkeypatch.setattr(_Run, "prepare", lambda *_: None)
    monkeypatch.setattr(_Run, "close", lambda *_: None)
    unsafe = [attack for attack in load_corpus() if attack.unsafe]
    result = run_level(Isolation.PROCESS, unsafe, drawn_assignment())
    assert {cell.state for cell in result.cells.values()} == {State.NOT_RUN}
    assert all(cell.reason for cell in result.cells.values())


def _refuse(_: Isolation) -> None:
    raise GraderFault("user namespaces are refused")


def test_a_level_that_the_machine_refuses_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level, "best_source", _refuse)
    result = run_level(Isolation.FULL, (QUIET,), drawn_assignment())
    assert result.unavailable == "user namespaces are refused"
    assert result.cells == {}


def test_workers_that_report_another_level_do_not_count_as_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(level, "best_source", lambda _: best_source(Isolation.PROCESS))
    with pytest.raises(level.Unavailable, match="report the level process"):
        start_at(Isolation.FULL)


def test_attacks_know_nothing_of_each_other(stage: Stage) -> None:
    attacks: tuple[Attack, ...] = (QUIET, QUIET)
    cells = [stage.run.attack(attack) for attack in attacks]
    assert [cell.state for cell in cells] == [State.HELD, State.HELD]
    assert not (stage.trap.submissions / QUIET.name).exists()
