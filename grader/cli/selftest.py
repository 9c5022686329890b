"""The body of `grader selftest`: runs the attack corpus on this machine and shows the table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from grader.cli.exit_codes import ExitCode
from grader.records.spec import Isolation
from grader.selftest.assignment import drawn_assignment
from grader.selftest.attacks import Attack, chosen, load_corpus
from grader.selftest.breach import State
from grader.selftest.level import LevelResult, run_level
from grader.selftest.table import render_table, results_json

STRONGEST_FIRST = tuple(reversed(Isolation))


def run_selftest(
    levels: Sequence[Isolation],
    names: tuple[str, ...],
    output_format: str,
    terminal: dict[str, Any],
) -> ExitCode:
    """Tries the attacks at each level and prints what came of them.

    Args:
        levels: levels to try; all when there are none.
        names: attacks to try; all when there are none.
        output_format: `text` or `json`.
        terminal: colour and width of standard output.

    Returns:
        The command's exit code.

    Raises:
        UsageError: there is no attack of that name; the caller must act.
    """
    attacks = chosen(load_corpus(), names)
    wanted = [level for level in STRONGEST_FIRST if not levels or level in levels]
    loaded = drawn_assignment()
    with _bar(len(attacks) * len(wanted)) as on_attack:
        results = [run_level(level, attacks, loaded, on_attack) for level in wanted]
    if output_format == "json":
        click.echo(results_json(attacks, results), nl=False)
    else:
        click.echo(render_table(attacks, results, **terminal), nl=False)
    for result in results:
        _tell_breaches(attacks, result)
    return exit_code(results)


def exit_code(results: Sequence[LevelResult]) -> ExitCode:
    """What the end of a self-test means.

    A level that was asked for and could not be tried is no success unless another one beside the
    plain process was: a self-test that has tested no barrier has shown nothing.
    """
    barriers = [result for result in results if result.level is not Isolation.PROCESS]
    if any(result.of(State.BREACH) for result in barriers):
        return ExitCode.INCOMPLETE
    ran = [result for result in results if not result.unavailable]
    if any(result.of(State.ERROR) for result in ran):
        return ExitCode.FAULT
    must_run = barriers or list(results)
    if not any(result in ran for result in must_run):
        return ExitCode.FAULT
    return ExitCode.COMPLETE


def _tell_breaches(attacks: Sequence[Attack], result: LevelResult) -> None:
    """Names what an operator must look at; breaches of a plain process are expected."""
    for attack in attacks:
        cell = result.cells.get(attack.name)
        if cell is None:
            continue
        if cell.state is State.ERROR:
            click.echo(
                f"grader: {attack.name} at {result.level} could not be run: {cell.reason}", err=True
            )
        if cell.state is State.BREACH and result.level is not Isolation.PROCESS:
            what = "; ".join(map(str, cell.breaches))
            click.echo(f"grader: breach at {result.level} by {attack.name}: {what}", err=True)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[Isolation, str], None]]:
    """A progress bar on standard error while the block runs; nothing when nobody is watching."""
    if not sys.stderr.isatty():
        yield lambda _level, _name: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("left"),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("starting TensorFlow once for each level", total=total)
        begun: list[str] = []

        def on_attack(level: Isolation, name: str) -> None:
            bar.update(task, description=f"{level}: {name}", completed=len(begun))
            begun.append(name)

        yield on_attack
