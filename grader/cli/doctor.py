"""`grader doctor`: what of the isolation this machine has, and what to do about the rest."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.cli.exit_codes import ExitCode
from grader.cli.remedies import advise
from grader.errors import GraderFault
from grader.records.examination import (
    Advice,
    Diagnosis,
    Examination,
    Machine,
    Proof,
    TrialState,
)
from grader.records.spec import Isolation
from grader.sandbox.machine import machine
from grader.sandbox.probing import examine
from grader.sandbox.proving import prove

_WIDTH: Final = 80
_SIGNS: Final = {
    TrialState.HOLDS: ("✓", "green"),
    TrialState.REFUSED: ("✗", "red"),
    TrialState.NOT_TRIED: ("–", "dim"),
}
_ENDINGS: Final = {
    Isolation.FULL: "`grader grade` runs at full isolation here.",
    Isolation.RESTRICTED: (
        "`grader grade` runs at restricted isolation here: student code is kept from files, "
        "network and processes, but sees that they exist."
    ),
    Isolation.PROCESS: (
        "`grader grade` refuses to run here: nothing would keep student code from your files and "
        "your network. For code that you trust, add `--isolation process`."
    ),
}


def run_doctor(output_format: str, *, colour: bool, width: int) -> int:
    """Tries everything, says what was found, and answers the exit code.

    Args:
        output_format: `text` or `json`.
        colour: whether to write ANSI colours.
        width: columns of the terminal.

    Raises:
        GraderFault: the trial itself failed; the operator must act.
    """
    facts = machine()
    if facts.temporary_problem:
        raise GraderFault(
            f"nothing can be written to {facts.temporary} ({facts.temporary_problem}): free some "
            "space, or choose another folder with `export TMPDIR=FOLDER`"
        )
    found = examine()
    advice = advise(found, facts)
    as_text = output_format == "text"
    width = min(width, _WIDTH)
    if as_text:
        click.echo(render(examination_part(found, facts, advice), colour=colour, width=width))
    with _waiting(found.isolation):
        proof = prove(found.isolation)
    diagnosis = Diagnosis(
        isolation=found.isolation, exit_code=exit_code(found.isolation, proof), machine=facts,
        examination=found, advice=advice, proof=proof,
    )  # fmt: skip
    if as_text:
        click.echo(render(proof_part(proof), colour=colour, width=width), nl=False)
    else:
        click.echo(json.dumps(diagnosis.plain(), indent=2, ensure_ascii=False))
    return diagnosis.exit_code


def exit_code(isolation: Isolation, proof: Proof) -> ExitCode:
    """What a script needs to know: whether grading runs, and whether it does so at full."""
    if isolation is Isolation.PROCESS or not proof.holds:
        return ExitCode.FAULT
    return ExitCode.COMPLETE if isolation is Isolation.FULL else ExitCode.INCOMPLETE


@contextmanager
def _waiting(isolation: Isolation) -> Iterator[None]:
    """Says on a terminal what takes so long."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(f"starting a fork server at {isolation}, about 5 s"):
        yield


def render(content: RenderableType, *, colour: bool, width: int) -> str:
    """Rich content as text."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour,
        color_system="standard" if colour else None, highlight=False, markup=False, emoji=False,
        legacy_windows=False,
    )  # fmt: skip
    console.print(content)
    file = console.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def examination_part(
    found: Examination, facts: Machine, advice: tuple[Advice, ...]
) -> RenderableType:
    """The barriers, what to do, and the machine."""
    barriers = _grid()
    for trial in found.trials:
        sign, style = _SIGNS[trial.state]
        said = {
            TrialState.HOLDS: trial.seen,
            TrialState.REFUSED: trial.why,
            TrialState.NOT_TRIED: f"not tried: {trial.why}",
        }[trial.state]
        barriers.add_row(Text(sign, style), trial.barrier, Text(said, "" if trial.why else "dim"))
    parts: list[RenderableType] = [_heading("Barriers"), barriers]
    for title, necessary in (("What to do", True), ("Not necessary", False)):
        listed = [piece for piece in advice if piece.necessary is necessary]
        if listed:
            parts += [_heading(title), _advice(listed)]
    parts += [_heading("This machine"), _machine(found, facts)]
    parts += [_heading("Level")]
    parts += [Text(f"  {level}: {why}", "yellow") for level, why in found.refused.items()]
    parts += [Text(f"  {found.isolation}: this is what grading would use")]
    return Group(*parts)


def _grid() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=3, justify="right")
    table.add_column(width=29)
    table.add_column()
    return table


def _heading(title: str) -> RenderableType:
    return Padding(Text(title, "bold"), (1, 0, 0, 0))


def _advice(listed: list[Advice]) -> RenderableType:
    pieces: list[RenderableType] = []
    for piece in listed:
        pieces.append(Text(f"  {piece.about}", "yellow"))
        pieces.append(Padding(Text(piece.text), (0, 0, 0, 4)))
    return Group(*pieces)


def _machine(found: Examination, facts: Machine) -> RenderableType:
    runs_as = f"user {found.user}"
    if found.is_root:
        runs_as = "root" if found.user == 0 else f"root; workers as user {found.user}"
    lines = {
        "kernel": f"{facts.system} {facts.release}, {facts.architecture}",
        "Landlock": f"version {found.landlock_abi}" if found.landlock_abi else "none",
        "grader runs as": runs_as,
        "only root enters": ", ".join(found.closed_folders),
        "container": ", ".join(facts.container),
        "filtered already": "yes, by what started this program" if facts.is_filtered else "",
        "covered": ", ".join(facts.covered),
        "temporary files": f"{facts.temporary}, {facts.temporary_free_mb} MiB free",
        "memory": f"{facts.memory_mb} MiB free, {facts.cores} cores" if facts.memory_mb else "",
        "versions": ", ".join(f"{name} {number}" for name, number in facts.versions.items()),
    }
    table = _grid()
    for name, text in lines.items():
        if text:
            table.add_row("", name, Text(text))
    return table


def proof_part(proof: Proof) -> RenderableType:
    """What a worker tried, and how it all ends."""
    parts: list[RenderableType] = [
        Text(f"Attempts of a worker at {proof.isolation} isolation ({proof.wall_s:.0f} s)", "bold")
    ]
    attempts = _grid()
    for attempt in proof.attempts:
        sign, style = _SIGNS[TrialState.HOLDS if attempt.refused else TrialState.REFUSED]
        attempts.add_row(Text(sign, style), attempt.what, Text(
            f"refused: {attempt.how}" if attempt.refused else attempt.how, "dim" if attempt.refused
            else ""))  # fmt: skip
    parts.append(attempts)
    if proof.problem:
        ending = f"No worker could be had, and nothing can be graded: {proof.problem}"
    elif proof.isolation is not Isolation.PROCESS and not proof.holds:
        ending = (
            "A barrier that was set up without an error does not keep from it. Do not grade here, "
            "and please report this with the output of `grader doctor --format json`."
        )
    else:
        ending = _ENDINGS[proof.isolation]
    return Group(*parts, Padding(Text(ending, "bold"), (1, 0, 0, 0)))
