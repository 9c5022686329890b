"""What came of the attacks, as a table for people and as data for programs."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.records.spec import Isolation
from grader.selftest.attacks import Attack
from grader.selftest.breach import Cell, State
from grader.selftest.level import LevelResult

MIN_WIDTH: Final = 60
SCHEMA_VERSION: Final = 1


def render_table(
    attacks: Sequence[Attack], results: Sequence[LevelResult], *, colour: bool, width: int
) -> str:
    """One line for each attack, one column for each level, and the counts.

    Args:
        attacks: the attacks, in the order of the table.
        results: the levels, in the order of the columns.
        colour: whether to write ANSI colours.
        width: columns of the terminal.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Attack", no_wrap=True)
    table.add_column("What it tries", overflow="fold", ratio=1)
    for result in results:
        head = f"{result.level}\nnot available" if result.unavailable else str(result.level)
        table.add_column(head, overflow="fold", min_width=10, max_width=26)
    for attack in attacks:
        cells = [_cell(result, attack) for result in results]
        table.add_row(Text(attack.name), Text(attack.tries, "dim"), *cells)
    console = Console(
        file=io.StringIO(), width=max(width, MIN_WIDTH), force_terminal=colour,
        color_system="standard" if colour else None, no_color=not colour, highlight=False,
        markup=False, emoji=False, legacy_windows=False, _environ={},
    )  # fmt: skip
    with console.capture() as capture:
        console.print(table)
        console.print()
        for result in results:
            console.print(Text(_sentence(result, len(attacks)), overflow="fold"))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _cell(result: LevelResult, attack: Attack) -> Text:
    cell = result.cells.get(attack.name)
    if cell is None:
        return Text("–", "dim")
    if cell.state is State.HELD:
        return Text("held", "green")
    if cell.state is State.BREACH:
        canaries = dict.fromkeys(str(breach.canary) for breach in cell.breaches)
        style = "yellow" if result.level is Isolation.PROCESS else "bold red"
        return Text(f"BREACH: {', '.join(canaries)}", style)
    return Text(str(cell.state), "dim" if cell.state is State.NOT_RUN else "bold magenta")


def _sentence(result: LevelResult, total: int) -> str:
    if result.unavailable:
        return f"{result.level}: not available on this machine: {result.unavailable}"
    breaches = result.of(State.BREACH)
    words = [f"{result.of(State.HELD)} held", f"{breaches} breach{'' if breaches == 1 else 'es'}"]
    for state, word in ((State.NOT_RUN, "not run"), (State.ERROR, "could not be run")):
        if count := result.of(state):
            words.append(f"{count} {word}")
    return f"{result.level}: {total} attacks: {', '.join(words)}; {result.wall_s:.0f} s"


def results_json(attacks: Sequence[Attack], results: Sequence[LevelResult]) -> str:
    """All attacks and levels as JSON."""
    data = {
        "schema_version": SCHEMA_VERSION,
        "levels": [
            {
                "level": result.level,
                "unavailable": result.unavailable,
                "wall_s": result.wall_s,
                **{state.name.lower(): result.of(state) for state in State},
            }
            for result in results
        ],
        "attacks": [
            {
                **attack.plain(),
                "levels": {
                    result.level: _plain(result.cells[attack.name])
                    for result in results
                    if attack.name in result.cells
                },
            }
            for attack in attacks
        ],
    }
    return json.dumps(data, indent=2) + "\n"


def _plain(cell: Cell) -> dict[str, object]:
    return asdict(cell)
