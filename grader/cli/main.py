"""The command line. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import os
import sys
from typing import Final, NoReturn

import click

from grader import __version__
from grader.cli.authoring import baseline, secret, spec
from grader.cli.exit_codes import ExitCode
from grader.cli.grading import check, grade, regrade
from grader.cli.machine import doctor, selftest
from grader.cli.options import format_option
from grader.cli.replay import replay
from grader.errors import AssignmentError, GraderFault, UsageError

_HELP: Final = """Grade reinforcement-learning and neural-network coursework.

\b
Students:
  grader check            judge the folder you are in
Instructors:
  grader grade FOLDER     grade everything in a folder
  grader regrade          apply a mended rubric, running nothing
  grader replay DIR/NAME  play graded episodes again from their receipts
  grader doctor           what isolation this machine has, and how to get more
  grader selftest         attack that isolation and show what holds
Both:
  grader explain CODE     what a finding means and how to mend it

\b
Exit codes:
  0  full marks                  3    a mark is withheld
  1  something not passed        4    nothing to grade
  2  wrong usage or assignment   130  interrupted
"""


@click.group(
    help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="grader")
def cli() -> None:
    """The command that holds all others."""


@cli.command()
@click.argument("words", nargs=-1, metavar="[CODE | WORD...]")
@format_option
def explain(words: tuple[str, ...], output_format: str) -> None:
    """Explain a finding: what was seen, why it matters, how to mend it.

    With words instead of a CODE, lists the codes that they are found with; without either, all.
    """
    from grader.cli.explanations import explanation, is_code, matches, overview

    if not words:
        text = overview(output_format)
    elif len(words) == 1 and is_code(words[0]):
        text = explanation(words[0], output_format)
    else:
        text = matches(words, output_format)
    click.echo(text, nl=False)


for command in (grade, regrade, check, replay, spec, baseline, secret, selftest, doctor):
    cli.add_command(command)


def main() -> NoReturn:
    """Runs the command and turns errors into messages and exit codes."""
    try:
        cli.main(standalone_mode=False)
        code = int(ExitCode.COMPLETE)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.exceptions.Exit as error:
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("grader: interrupted", err=True)
        code = ExitCode.INTERRUPTED
    except AssignmentError as error:
        count = len(error.problems)
        click.echo(
            f"grader: {error.source} has {count} problem{'s' if count != 1 else ''}:", err=True
        )
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        code = ExitCode.USAGE
    except UsageError as error:
        click.echo(f"grader: {error}", err=True)
        code = ExitCode.USAGE
    except GraderFault as error:
        click.echo(f"grader: {error}", err=True)
        code = ExitCode.FAULT
    except BrokenPipeError:
        # The reader of our output has gone; what was graded is written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.COMPLETE
    raise SystemExit(code)
