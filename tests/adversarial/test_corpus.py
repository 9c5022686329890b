"""The whole corpus at every level of isolation that this machine has."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from grader.records.spec import Isolation
from grader.selftest.assignment import drawn_assignment
from grader.selftest.attacks import Attack, load_corpus
from grader.selftest.breach import Cell, State
from grader.selftest.level import LevelResult, run_level

ATTACKS = load_corpus()
BITING = tuple(attack for attack in ATTACKS if attack.bites)
BARRIERS = (Isolation.FULL, Isolation.RESTRICTED)

OfLevel = Callable[[Isolation], LevelResult]


@pytest.fixture(scope="module")
def at_level() -> OfLevel:
    """The corpus at a level, run when it is first asked for."""

    @cache
    def ran(level: Isolation) -> LevelResult:
        tried = ATTACKS if level in BARRIERS else BITING
        return run_level(level, tried, drawn_assignment())

    return ran


def _cell(at_level: OfLevel, level: Isolation, attack: Attack) -> Cell:
    result = at_level(level)
    if result.unavailable:
        pytest.skip(f"{level} is not available here: {result.unavailable}")
    return result.cells[attack.name]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
@pytest.mark.parametrize("level", BARRIERS)
def test_behind_barriers_no_attack_gets_through(
    at_level: OfLevel, level: Isolation, attack: Attack
) -> None:
    cell = _cell(at_level, level, attack)
    assert cell.state is State.HELD, (cell.reason, [str(breach) for breach in cell.breaches])


@pytest.mark.parametrize("attack", BITING, ids=lambda attack: attack.name)
def test_in_a_plain_process_the_attack_bites(at_level: OfLevel, attack: Attack) -> None:
    cell = _cell(at_level, Isolation.PROCESS, attack)
    expected = State.NOT_RUN if attack.unsafe else State.BREACH
    assert cell.state is expected, cell.reason
