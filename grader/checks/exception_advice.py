"""What to do about an exception, told from its type and message.

The advice is for students who read their first tracebacks: it names the usual cause of just this
error. Where nothing better is known it says how to find the line.
"""

from __future__ import annotations

import re
from typing import Final

from grader.records.incident import Incident

_NO_MODULE: Final = re.compile(r"No module named '([\w.]+)'")
_NO_NAME: Final = re.compile(
    r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'"
)
_INSTALLED: Final = frozenset({"numpy", "keras", "tensorflow", "gymnasium"})

RELATIVE_PATH: Final = (
    "Hand the file in beside your code, and open it by a path relative to your code: "
    '`pathlib.Path(__file__).parent / "weights.npy"`.'
)
MAIN_GUARD: Final = (
    "Put what should run only as a script under `if __name__ == '__main__':`, at the end of the "
    "file."
)
_SAME_CALL: Final = "Make the same call on your own machine and mend the line."

_BY_MESSAGE: Final = (
    (
        re.compile(r"No such file or directory|[Uu]nable to .*open file|File not found"),
        RELATIVE_PATH,
    ),
    (
        re.compile(r"No gradients provided for any variable"),
        "No weight has a gradient: call the model inside `with tf.GradientTape() as tape:`, and "
        "stay in TensorFlow from its output to the loss (no numpy, no `float()`, no `.numpy()`).",
    ),
    (
        re.compile(r"EOF when reading a line"),
        "Remove `input()`: nobody is there to answer. Take the value as an argument, or write it "
        "into the file.",
    ),
    (
        re.compile(
            r"'(Multi\w+|Box|Dict|Tuple)' object has no attribute '(n|nvec|start|low|high)'"
        ),
        "Not every space has this attribute: look at the kind of space first, or return "
        "`action_space.sample()`, which works for all of them.",
    ),
    (
        re.compile(r"could not be broadcast|not aligned|mismatch in its core dimension"),
        "Arrays of different shapes meet in this line: print their `.shape` in front of it.",
    ),
    (
        re.compile(r"[Uu]nrecognized keyword argument|unexpected keyword argument"),
        "What is called has no argument of this name: look up its arguments in the documentation "
        "of the installed version.",
    ),
    (
        re.compile(r"'NoneType' object"),
        "A value is None where something else is needed: look for a function without `return`, or "
        "an attribute that was not set yet.",
    ),
)
_BY_TYPE: Final = {
    "NameError": "Define the name above the line that uses it, and look for a spelling mistake.",
    "UnboundLocalError": "Give the variable a value on every path that leads to this line.",
    "AttributeError": "The object has no attribute of this name: look for a spelling mistake, and "
    "print `type(…)` of the object to see what it is.",
    "IndexError": "Indices go from 0 to length − 1: print index and length in front of this line.",
    "KeyError": "There is no such key: print the dictionary's keys in front of this line.",
    "RecursionError": "The function calls itself without end: let it return before that.",
    "ZeroDivisionError": "Look where the divisor becomes 0, and treat that case on its own.",
}


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
    if package == "gym":
        return "Write `import gymnasium as gym`: the package `gym` is its old form."
    if package in _INSTALLED:
        return (
            f"`{module[1]}` does not exist in the installed version: look up where its names are "
            "today, such as in `keras.layers`."
        )
    return (
        f"If `{package}` is a file of yours, hand it in too, beside this one. If it is a package, "
        "do without it: it is not installed here."
    )


def syntax_advice(incident: Incident) -> str:
    """What to do about a file that Python cannot read."""
    if "codec can't decode" in incident.message or "Non-UTF-8" in incident.message:
        return "Save the file in the encoding UTF-8; the editor offers it under “Save as”."
    if incident.error_type == "TabError":
        return "Indent with spaces only: let your editor turn all tabs into four spaces."
    if incident.error_type == "IndentationError":
        return "Let all lines of a block begin in the same column, and indent after each colon."
    return (
        "Mend the line that is named. If it looks right, look at the line before it: an open "
        "bracket or quote. `python -m py_compile` shows the same error."
    )
