"""What to do about an exception that no rule of `grader.checks.advice` knows."""

from __future__ import annotations

import re
from typing import Final

from grader.records.incident import Incident

_NO_MODULE: Final = re.compile(r"No module named '([\w.]+)'")
_NO_NAME: Final = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_INSTALLED: Final = frozenset({"numpy", "keras", "tensorflow", "gymnasium"})

MAIN_GUARD: Final = (
    "Put what should run only as a script under `if __name__ == '__main__':`, at the end of the "
    "file."
)
_SAME_CALL: Final = "Make the same call on your own machine and mend the line."

_BY_MESSAGE: Final = (
    (
        re.compile(r"[Uu]nrecognized keyword argument|unexpected keyword argument"),
        "What is called has no argument of this name: look up its arguments in the documentation "
        "of the installed version.",
    ),
    (
        re.compile(r"missing \d+ required"),
        "What is called needs more arguments: give those that the message names.",
    ),
    (
        re.compile(r"object is not callable"),
        "Parentheses behind a value call it, and this value is no function: remove them, or look "
        "for a name that is used for two things.",
    ),
)
_BY_TYPE: Final = {
    "AttributeError": "The object has no attribute of this name: look for a spelling mistake, and "
    "print `type(…)` of the object to see what it is.",
    "ZeroDivisionError": "Look where the divisor becomes 0, and treat that case on its own.",
    "AssertionError": "An `assert` in the code does not hold here: print the values it compares.",
}

_OUT_OF_MEMORY: Final = re.compile(r"OOM when allocating tensor with shape\[([\d,]+)\]")


def exception_advice(incident: Incident) -> str:
    """What to do about an exception that was raised while something was called."""
    for pattern, advice in _BY_MESSAGE:
        if pattern.search(incident.message):
            return advice
    if incident.error_type in {"ModuleNotFoundError", "ImportError"}:
        return import_advice(incident)
    return _BY_TYPE.get(incident.error_type, _SAME_CALL)


def import_time_advice(incident: Incident) -> str:
    """What to do about an exception that was raised when the file was imported."""
    advice = exception_advice(incident)
    if advice == _SAME_CALL:
        return MAIN_GUARD
    # Code that only tries something out is the usual reason, whatever it stumbles over.
    return f"{advice} {MAIN_GUARD}" if incident.error_type in _BY_TYPE else advice


def import_advice(incident: Incident) -> str:
    """What to do about an import that fails."""
    if (name := _NO_NAME.search(incident.message)) is not None:
        return (
            f"Check the spelling of `{name[1]}`, and look up where it is today: `{name[2]}` does "
            "not have it in the installed version."
        )
    if (module := _NO_MODULE.search(incident.message)) is None:
        return "Hand in the missing file too, or do without the package."
    package = module[1].partition(".")[0]
    if package in _INSTALLED:
        return (
            f"`{module[1]}` does not exist in the installed version: look up where its names are "
            "today, such as in `keras.layers`."
        )
    return (
        f"If `{package}` is a file of yours, hand it in too, beside this one. If it is a package, "
        "do without it: it is not installed here."
    )


def memory_advice(incident: Incident) -> str | None:
    """What to do about a tensor that was too large to be made; None for other lack of memory."""
    if (shape := _OUT_OF_MEMORY.search(incident.message)) is None:
        return None
    return (
        f"A tensor of the shape ({shape[1].replace(',', ', ')}) does not fit. A `Dense` layer "
        "behind `Flatten` has as many weights as there are pixels and filters in front of it, "
        "times its units: give the convolutions strides, so that less is left."
    )


SYNTAX_ADVICE: Final = (
    "Mend the line that is named. If it looks right, look at the line before it: an open "
    "bracket or quote. `python -m py_compile` shows the same error."
)
