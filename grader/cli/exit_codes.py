"""Exit codes of all commands."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's end means to the script that called it."""

    COMPLETE = 0
    """Everything was graded with full marks on all required checks."""
    INCOMPLETE = 1
    """Everything was graded; a required check was not passed."""
    USAGE = 2
    """The command or the assignment file is wrong."""
    FAULT = 3
    """The grader could not grade something; at least one mark is withheld."""
    NOTHING = 4
    """There is nothing to grade."""
    INTERRUPTED = 130
    """Ctrl-C; what was graded is kept."""
