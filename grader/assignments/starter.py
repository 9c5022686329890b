"""A first assignment to start from: `grader spec new DIR` writes it."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from grader.assignments.loader import ASSIGNMENT_FILE, builtin_ids, load_assignment
from grader.assignments.problems import not_one_of
from grader.errors import UsageError

_TEMPLATE: Final = "starter.toml"


def starter_files(like: str | None = None) -> dict[str, str]:
    """The files of a new assignment: file name and text, small, commented, and valid as it is.

    Args:
        like: id of a built-in assignment to begin with; a mixture of kinds when left out.

    Raises:
        UsageError: there is no such built-in assignment; the caller must act.
    """
    if like is None:
        template = files(__package__) / _TEMPLATE
        return {ASSIGNMENT_FILE: template.read_text(encoding="utf-8")}
    if like not in builtin_ids():
        raise UsageError(not_one_of("there is no built-in assignment", like, builtin_ids()))
    path = load_assignment(like, with_baselines=False).path
    return {ASSIGNMENT_FILE: path.read_text(encoding="utf-8")}
