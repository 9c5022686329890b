"""Options that several commands share, and what every command does with them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.assignments.loader import LoadedAssignment

PATHS: Final = click.Path(path_type=Path)
DEFAULT_ASSIGNMENT: Final = "week13"

assignment_option = click.option(
    "--assignment",
    "assignment_id",
    metavar="ID_OR_FILE",
    default=DEFAULT_ASSIGNMENT,
    show_default=True,
    help="A built-in assignment, or the path of an assignment.toml.",
)
LEVELS: Final = click.Choice(["full", "restricted", "process"])
isolation_option = click.option(
    "--isolation",
    metavar="LEVEL",
    type=LEVELS,
    default=None,
    help="How student code is kept in: full, restricted or process; the strongest when left out.",
)
format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What goes to standard output.",
)


def load(assignment_id: str, *, ready: bool = True) -> LoadedAssignment:
    """The assignment; with `ready`, refuses one whose reference results are not recorded."""
    from grader.assignments.loader import load_assignment, missing_baselines

    loaded = load_assignment(assignment_id)
    missing = missing_baselines(loaded) if ready else ()
    if missing:
        raise UsageError(
            f"{loaded.path}: no reference results are recorded for {', '.join(missing)}; "
            f"run `grader baseline {assignment_id} --reference FOLDER` first."
        )
    return loaded


def terminal_style() -> dict[str, Any]:
    """Whether standard output takes colours, and its width in columns."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return {"colour": colour, "width": min(shutil.get_terminal_size((100, 24)).columns, 110)}


def end(code: int) -> NoReturn:
    """Ends the command with a code, without the interpreter's slow farewell."""
    sys.stdout.flush()
    sys.stderr.flush()
    raise SystemExit(code)
