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
    from grader.assignments.secret import Secret

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


secret_option = click.option(
    "--secret-file",
    metavar="FILE",
    type=PATHS,
    default=None,
    help="Derive the final seeds from the secret in FILE, which nobody but you must know.",
)


def load(
    assignment_id: str,
    *,
    ready: bool = True,
    plays: bool = True,
    final: bool = False,
    secret: Secret | None = None,
) -> LoadedAssignment:
    """The assignment.

    Args:
        assignment_id: its id or file.
        ready: whether to refuse one whose reference results are not recorded.
        plays: whether to refuse one whose environments cannot be played on this machine.
        final: whether the final seeds are to be played.
        secret: what these are derived from, if not given by the assignment.
    """
    from grader.assignments.loader import load_assignment, missing_baselines

    loaded = load_assignment(assignment_id, secret=secret)
    if plays:
        refuse_unplayable(loaded)
    if final and secret is None and not loaded.assignment.seeds.final:
        raise UsageError(
            f"{loaded.path} keeps its final seeds secret: add `--secret-file FILE`. A new one is "
            "made by `grader secret new FILE`."
        )
    missing = missing_baselines(loaded) if ready else ()
    if missing:
        of_secret = "" if secret is None else f" --secret-file {secret.path}"
        raise UsageError(
            f"{loaded.path}: no reference results are recorded for {', '.join(missing)}"
            f"{' with this secret' if of_secret else ''}; "
            f"run `grader baseline {assignment_id} --reference FOLDER{of_secret}` first."
        )
    return loaded


def secret_in(file: Path | None, *foreign: Path) -> Secret | None:
    """The secret in a file, if one is given; warns where others may read it.

    Args:
        file: the file.
        foreign: folders that students hand in or get back; a secret has no place in them.

    Raises:
        UsageError: it cannot be used; the caller must act.
    """
    from grader.assignments.secret import read_secret

    if file is None:
        return None
    place = file.resolve()
    for folder in foreign:
        if place.is_relative_to(folder.resolve()):
            raise UsageError(
                f"the secret {file} lies in {folder}, whose files are students' or may go to them; "
                "keep it elsewhere"
            )
    secret = read_secret(file)
    if secret.exposed:
        click.echo(
            f"grader: warning: others on this machine can read {file}; `chmod 600 {file}` keeps it "
            "to you",
            err=True,
        )
    return secret


def refuse_unplayable(loaded: LoadedAssignment) -> None:
    """Refuses an assignment whose environments cannot be played on this machine.

    Raises:
        AssignmentError: an extra is not installed, or an environment cannot be made as the
            assignment asks; the operator or the assignment's author must act.
    """
    from grader.assignments.loader import refused
    from grader.episodes.readiness import unplayable

    problems = tuple(unplayable(loaded.assignment))
    if problems:
        raise refused(loaded, problems)


def terminal_style() -> dict[str, Any]:
    """Whether standard output takes colours, and its width in columns."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return {"colour": colour, "width": min(shutil.get_terminal_size((100, 24)).columns, 110)}


def end(code: int) -> NoReturn:
    """Ends the command with a code, without the interpreter's slow farewell."""
    sys.stdout.flush()
    sys.stderr.flush()
    raise SystemExit(code)
