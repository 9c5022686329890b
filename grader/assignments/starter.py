"""A first assignment to start from: `grader spec new DIR` writes it."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from grader.assignments.loader import ASSIGNMENT_FILE

_TEMPLATE: Final = "starter.toml"


def starter_files() -> dict[str, str]:
    """The files of a new assignment: file name and text, small, commented, and valid as it is."""
    template = files(__package__) / _TEMPLATE
    return {ASSIGNMENT_FILE: template.read_text(encoding="utf-8")}
