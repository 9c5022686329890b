"""The commands that look at the machine: `selftest` and `doctor`."""

from __future__ import annotations

import click

from grader.cli.options import LEVELS, end, format_option, terminal_style


@click.command()
@click.option(
    "--isolation",
    "levels",
    metavar="LEVEL",
    multiple=True,
    type=LEVELS,
    help="A level to try; may be given several times. All that this machine has when left out.",
)
@click.option("--only", metavar="NAME", multiple=True, help="Run this attack; may be repeated.")
@format_option
def selftest(levels: tuple[str, ...], only: tuple[str, ...], output_format: str) -> None:
    """Attack this machine's isolation with hostile submissions and show what held.

    Each attack runs between two honest submissions; planted secrets, listeners and bystanders show
    whether it got through. The column `process` is for comparison: nothing but a process with
    limits keeps the attacks in there, and most of them get out.

    Exit codes: 0 nothing got through, 1 something did at a level other than process, 3 nothing
    could be tried.
    """
    from grader.cli.selftest import run_selftest
    from grader.records.spec import Isolation

    wanted = [Isolation(level) for level in levels]
    end(run_selftest(wanted, only, output_format, terminal_style()))


@click.command()
@format_option
def doctor(output_format: str) -> None:
    """Try each layer of isolation on this machine, and say what to do about what is missing.

    Exit codes: 0 `grade` runs at full isolation, 1 it runs at restricted, 3 it does not run
    without `--isolation process`, or a trial failed.
    """
    from grader.cli.doctor import run_doctor

    end(run_doctor(output_format, **terminal_style()))
