"""Each usual error comes with advice that mends it."""

from __future__ import annotations

import pytest

from grader.checks.exception_advice import (
    MAIN_GUARD,
    RELATIVE_PATH,
    exception_advice,
    import_advice,
    import_time_advice,
    syntax_advice,
)
from grader.records.incident import Incident, IncidentKind


def raised(error_type: str, message: str = "") -> Incident:
    return Incident(
        kind=IncidentKind.RAISED, stage="calling act", error_type=error_type, message=message
    )


@pytest.mark.parametrize(
    ("error_type", "message", "hint"),
    [
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'w.npy'", "__file__"),
        ("FileNotFoundError", "[Errno 2] Unable to synchronously open file", "__file__"),
        ("ValueError", "File not found: filepath=w.keras", "__file__"),
        ("ValueError", "No gradients provided for any variable.", "GradientTape"),
        ("EOFError", "EOF when reading a line", "Remove `input()`"),
        ("AttributeError", "'NoneType' object has no attribute 'predict'", "without `return`"),
        ("AttributeError", "'MultiDiscrete' object has no attribute 'n'", "sample()"),
        ("AttributeError", "'list' object has no attribute 'shapee'", "spelling"),
        ("ValueError", "operands could not be broadcast together", ".shape"),
        ("ValueError", "shapes (2,) and (3,) not aligned", ".shape"),
        ("TypeError", "got an unexpected keyword argument 'subsample'", "documentation"),
        ("ModuleNotFoundError", "No module named 'torch'", "`torch`"),
        ("NameError", "name 'np' is not defined", "above the line"),
        ("IndexError", "list index out of range", "length − 1"),
        ("KeyError", "'x'", "keys"),
        ("ValueError", "something else", "your own machine"),
    ],
)
def test_the_advice_fits_the_error(error_type: str, message: str, hint: str) -> None:
    assert hint in exception_advice(raised(error_type, message))


def test_what_happens_while_importing_points_to_the_main_guard() -> None:
    assert import_time_advice(raised("RuntimeError", "no data")) == MAIN_GUARD
    named = import_time_advice(raised("NameError", "name 'huber_loss' is not defined"))
    assert named.startswith("Define the name")
    assert named.endswith(MAIN_GUARD)
    missing = import_time_advice(raised("FileNotFoundError", "No such file or directory: 'w'"))
    assert missing == RELATIVE_PATH


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("No module named 'my_helpers'", "hand it in too"),
        ("No module named 'gym'", "import gymnasium as gym"),
        ("No module named 'gym.spaces'", "import gymnasium as gym"),
        ("No module named 'keras.layers.convolutional'", "does not exist in the installed version"),
        ("cannot import name 'Conv3' from 'keras.layers'", "spelling of `Conv3`"),
        ("cannot import name 'a' from partially initialized module 'agent'", "`agent`"),
        ("relative import with no known parent package", "missing file"),
    ],
)
def test_a_failed_import_is_told_by_what_was_to_be_imported(message: str, hint: str) -> None:
    assert hint in import_advice(raised("ImportError", message))


@pytest.mark.parametrize(
    ("error_type", "message", "hint"),
    [
        ("SyntaxError", "(unicode error) 'utf-8' codec can't decode byte 0xf6", "UTF-8"),
        ("SyntaxError", "Non-UTF-8 code starting with '\\xdc'", "UTF-8"),
        ("TabError", "inconsistent use of tabs and spaces", "spaces only"),
        ("IndentationError", "unexpected indent", "same column"),
        ("SyntaxError", "expected ':'", "py_compile"),
    ],
)
def test_a_file_that_cannot_be_read_has_its_reason(
    error_type: str, message: str, hint: str
) -> None:
    assert hint in syntax_advice(raised(error_type, message))
