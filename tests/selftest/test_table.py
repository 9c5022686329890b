"""The table: one line for each attack, one column for each level, and honest counts."""

from __future__ import annotations

import json

from grader.records.spec import Isolation
from grader.selftest.attacks import load_corpus
from grader.selftest.breach import Breach, Canary, Cell, State
from grader.selftest.level import LevelResult
from grader.selftest.table import render_table, results_json

ATTACKS = tuple(
    attack for attack in load_corpus() if attack.name in {"signal_everyone", "tcp", "udp"}
)
RESULTS = [
    LevelResult(Isolation.FULL, unavailable="user namespaces are refused"),
    LevelResult(
        Isolation.RESTRICTED,
        cells={name: Cell(State.HELD) for name in ("signal_everyone", "tcp", "udp")},
        wall_s=61.4,
    ),
    LevelResult(
        Isolation.PROCESS,
        cells={
            "signal_everyone": Cell(State.NOT_RUN, reason="would signal everyone"),
            "tcp": Cell(State.BREACH, (Breach(Canary.CONTACT, "TCP"),)),
            "udp": Cell(State.ERROR, reason="no worker"),
        },
    ),
]


def _table(width: int = 140) -> str:
    return render_table(ATTACKS, RESULTS, colour=False, width=width)


def test_every_attack_has_a_line_that_says_what_it_tries() -> None:
    lines = _table().splitlines()
    for attack in ATTACKS:
        assert any(line.startswith(attack.name) and attack.tries in line for line in lines)


def test_cells_say_what_came_of_the_attack() -> None:
    lines = {line.split()[0]: line for line in _table(200).splitlines() if line.strip()}
    assert lines["tcp"].rstrip().endswith("BREACH: listener contacted")
    assert "held" in lines["tcp"]
    assert lines["signal_everyone"].rstrip().endswith("not run")
    assert lines["udp"].rstrip().endswith("error")


def test_a_level_that_is_not_there_is_named_with_its_reason() -> None:
    text = _table()
    assert "not available" in text
    assert "full: not available on this machine: user namespaces are refused" in text
    assert "restricted: 3 attacks: 3 held, 0 breaches; 61 s" in text
    assert "process: 3 attacks: 0 held, 1 breach, 1 not run, 1 could not be run" in text


def test_a_narrow_terminal_keeps_the_names() -> None:
    text = _table(60)
    assert all(len(line) <= 60 for line in text.splitlines())
    assert all(attack.name in text for attack in ATTACKS)


def test_the_data_form_holds_every_cell() -> None:
    data = json.loads(results_json(ATTACKS, RESULTS))
    assert data["schema_version"] == 1
    assert [level["level"] for level in data["levels"]] == ["full", "restricted", "process"]
    assert data["levels"][2]["breach"] == 1
    tcp = next(attack for attack in data["attacks"] if attack["name"] == "tcp")
    assert tcp["levels"]["process"]["breaches"] == [
        {"canary": "listener contacted", "detail": "TCP"}
    ]
    assert set(tcp["levels"]) == {"restricted", "process"}
