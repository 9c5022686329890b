"""What no rule knows still comes with advice that helps to find the line."""

from __future__ import annotations

import pytest

from grader.checks.exception_advice import (
    MAIN_GUARD,
    exception_advice,
    import_advice,
    import_time_advice,
    memory_advice,
)
from grader.records.incident import Incident, IncidentKind, LimitName


def raised(error_type: str, message: str = "") -> Incident:
    return Incident(
        kind=IncidentKind.RAISED, stage="calling act", error_type=error_type, message=message
    )


@pytest.mark.parametrize(
    ("error_type", "message", "hint"),
    [
        ("AttributeError", "'list' object has no attribute 'shapee'", "spelling"),
        ("TypeError", "f() got an unexpected keyword argument 'x'", "documentation"),
        ("TypeError", "f() missing 1 required positional argument: 'x'", "more arguments"),
        ("TypeError", "'list' object is not callable", "Parentheses"),
        ("ModuleNotFoundError", "No module named 'my_file'", "`my_file`"),
        ("ZeroDivisionError", "division by zero", "divisor"),
        ("AssertionError", "", "assert"),
        ("ValueError", "something else", "your own machine"),
    ],
)
def test_the_advice_fits_the_error(error_type: str, message: str, hint: str) -> None:
    assert hint in exception_advice(raised(error_type, message))


def test_what_happens_while_importing_points_to_the_main_guard() -> None:
    assert import_time_advice(raised("RuntimeError", "no data")) == MAIN_GUARD
    divided = import_time_advice(raised("ZeroDivisionError", "division by zero"))
    assert divided.startswith("Look where the divisor")
    assert divided.endswith(MAIN_GUARD)
    unknown = import_time_advice(raised("TypeError", "unexpected keyword argument 'x'"))
    assert MAIN_GUARD not in unknown


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("No module named 'my_helpers'", "hand it in too"),
        ("No module named 'numpy.nothing'", "does not exist in the installed version"),
        ("cannot import name 'Conv3' from 'keras.layers'", "spelling of `Conv3`"),
        ("something else", "missing file"),
    ],
)
def test_a_failed_import_is_told_by_what_was_to_be_imported(message: str, hint: str) -> None:
    assert hint in import_advice(raised("ImportError", message))


def test_a_tensor_that_does_not_fit_is_told_with_its_shape() -> None:
    def limit(message: str) -> Incident:
        return Incident(
            kind=IncidentKind.LIMIT, stage="building", limit=LimitName.MEMORY, message=message
        )

    told = memory_advice(limit("OOM when allocating tensor with shape[451584,512] and type float"))
    assert told is not None
    assert "(451584, 512)" in told
    assert memory_advice(limit("cannot allocate memory")) is None
