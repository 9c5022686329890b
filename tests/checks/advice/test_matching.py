"""Exceptions are attributed by the stable parts of their message, and only where that is sure."""

from __future__ import annotations

from enum import StrEnum

import pytest

from grader.checks.advice.codes import (
    ImportCode,
    KerasCode,
    RelicCode,
    RunCode,
    SourceCode,
)
from grader.checks.advice.matching import RULES, matching_rule
from grader.checks.advice.notes import CODES_OF_HINTS
from grader.checks.advice.relics import argument_codes
from grader.checks.incidents import incident_finding
from grader.checks.network_codes import NetworkCode
from grader.records.catalogue import catalogue
from grader.records.incident import Frame, Incident, IncidentKind, LimitName


def raised(error_type: str, message: str, line: str = "", stage: str = "calling act") -> Incident:
    frames = (Frame(file="agent.py", line=3, function="act", text=line),) if line else ()
    return Incident(
        kind=IncidentKind.RAISED, stage=stage, error_type=error_type, message=message,
        frames=frames,
    )  # fmt: skip


INCOMPATIBLE = "Input 0 with name 'x' of layer 'model' is incompatible with the layer: expected "


@pytest.mark.parametrize(
    ("error_type", "message", "line", "code"),
    [
        # the source text
        ("SyntaxError", "(unicode error) 'utf-8' codec can't decode byte", "", SourceCode.ENCODING),
        ("SyntaxError", "Non-UTF-8 code starting with '\\xdc'", "", SourceCode.ENCODING),
        ("TabError", "inconsistent use of tabs and spaces", "", SourceCode.TABS),
        ("IndentationError", "unexpected indent", "  x = 1", SourceCode.INDENTATION),
        ("SyntaxError", "invalid syntax", "!pip install keras", SourceCode.MAGIC),
        ("SyntaxError", "invalid syntax", "%matplotlib inline", SourceCode.MAGIC),
        ("SyntaxError", "invalid syntax", "<<<<<<< HEAD", SourceCode.MERGE_MARKS),
        ("SyntaxError", "invalid character '\u201c' (U+201C)", "", SourceCode.CURLY_QUOTES),
        ("SyntaxError", "invalid character '\u2013' (U+2013)", "", SourceCode.CURLY_QUOTES),
        ("SyntaxError", "invalid non-printable character U+00A0", "", SourceCode.INVISIBLE),
        ("SyntaxError", "Missing parentheses in call to 'print'", "", SourceCode.PYTHON_2),
        ("SyntaxError", "'(' was never closed", "", SourceCode.NOT_CLOSED),
        ("SyntaxError", "unterminated string literal", "", SourceCode.NOT_CLOSED),
        ("SyntaxError", "invalid syntax. Maybe you meant '==' or ':='", "", SourceCode.ASSIGNMENT),
        ("SyntaxError", "'return' outside function", "", SourceCode.OUTSIDE),
        ("NameError", "name 'null' is not defined", "", SourceCode.NOTEBOOK),
        ("NotImplementedError", "", "", SourceCode.NOT_WRITTEN),
        ("EOFError", "EOF when reading a line", "", SourceCode.INPUT),
        # what examples cannot show by themselves
        (
            "ImportError",
            "cannot import name 'a' from partially initialized module 'b' (most "
            "likely due to a circular import)",
            "",
            ImportCode.CIRCULAR,
        ),
        (
            "ImportError",
            "attempted relative import with no known parent package",
            "",
            ImportCode.RELATIVE,
        ),
        ("URLError", "<urlopen error [Errno -3]>", "", ImportCode.NETWORK),
        ("OSError", "[Errno 101] Network is unreachable", "", ImportCode.NETWORK),
        ("ModuleNotFoundError", "No module named 'gym.spaces'", "", ImportCode.GYM),
        (
            "ModuleNotFoundError",
            "No module named 'tensorflow.keras.layers.core'",
            "",
            RelicCode.LAYER_MODULES,
        ),
        (
            "ModuleNotFoundError",
            "No module named 'tensorflow.keras.layers.experimental'",
            "",
            RelicCode.EXPERIMENTAL,
        ),
        (
            "ValueError",
            "The Conv2D op currently only supports the NHWC tensor format",
            "",
            NetworkCode.CHANNELS_FIRST,
        ),
        (
            "ValueError",
            f"{INCOMPATIBLE}shape=(None, 4), found shape=(1, 5)",
            "",
            KerasCode.OTHER_SIZE,
        ),
        (
            "ValueError",
            f"{INCOMPATIBLE}shape=(None, 4), found shape=(4,)",
            "",
            KerasCode.BATCH_MISSING,
        ),
        (
            "ValueError",
            f"{INCOMPATIBLE}shape=(None, 84, 84, 4), found shape=(32, 84, 4)",
            "",
            KerasCode.BATCH_MISSING,
        ),
        (
            "ValueError",
            f"{INCOMPATIBLE}shape=(None, 84, 84, 4), found shape=(1, 4, 84, 84)",
            "",
            KerasCode.OTHER_SIZE,
        ),
        (
            "ValueError",
            f"{INCOMPATIBLE}ndim=4, found ndim=5. Full shape received: (None, 1)",
            "",
            KerasCode.INPUT_WITH_BATCH,
        ),
        (
            "NotImplementedError",
            "Iterating over a symbolic KerasTensor is not supported.",
            "",
            KerasCode.SYMBOLIC_CONDITION,
        ),
        (
            "TypeError",
            "Conv2D.__init__() missing 1 required positional argument: 'filters'",
            "layers.Conv2D(in_channels=4, out_channels=32)",
            KerasCode.TORCH_ARGUMENTS,
        ),
        (
            "TypeError",
            "Dropout.__init__() missing 1 required positional argument: 'rate'",
            "layers.Dropout()",
            KerasCode.MISSING_ARGUMENT,
        ),
        ("TypeError", "too many positional arguments", "", RunCode.SELF_MISSING),
    ],
)
def test_an_error_has_its_code(error_type: str, message: str, line: str, code: StrEnum) -> None:
    rule = matching_rule(raised(error_type, message, line))
    assert rule is not None
    assert rule.code == code


@pytest.mark.parametrize(
    ("error_type", "message"),
    [
        ("ValueError", "something else"),
        ("TypeError", "f() got an unexpected keyword argument 'strides_'"),
        ("AttributeError", "'Agent' object has no attribute 'memory'"),
        ("AttributeError", "module 'keras' has no attribute 'quux'"),
        ("ModuleNotFoundError", "No module named 'my_gym'"),
        ("ModuleNotFoundError", "No module named 'torchlight'"),
        ("SyntaxError", "expected ':'"),
        ("TypeError", "act() takes 2 positional arguments but 3 were given"),
        ("AttributeError", "'Agent' object has no attribute 'n'"),
    ],
)
def test_what_is_not_sure_is_left_to_the_general_code(error_type: str, message: str) -> None:
    assert matching_rule(raised(error_type, message)) is None


def test_only_exceptions_are_attributed() -> None:
    limit = Incident(
        kind=IncidentKind.LIMIT, stage="calling act", limit=LimitName.MEMORY,
        error_type="MemoryError", message="'NoneType' object",
    )  # fmt: skip
    assert matching_rule(limit) is None
    assert incident_finding(limit).code == "GR205"


def test_a_name_that_is_like_another_is_offered() -> None:
    finding = incident_finding(
        raised("AttributeError", "module 'keras.layers' has no attribute 'Conv2d'")
    )
    assert finding.code == KerasCode.SPELLING
    assert (finding.try_ or "").startswith("Did you mean `Conv2D`?")
    argument = incident_finding(
        raised("ValueError", "Unrecognized keyword arguments passed to Dense: {'activations': 1}")
    )
    assert (argument.try_ or "").startswith("Did you mean `activation`?")
    unlike = incident_finding(
        raised("ValueError", "Unrecognized keyword arguments passed to Dense: {'quux': 1}")
    )
    assert unlike.code == KerasCode.UNKNOWN_ARGUMENT
    assert not (unlike.try_ or "").startswith("Did you mean")


def test_an_error_of_the_script_also_points_to_the_main_guard() -> None:
    name = raised("NameError", "name 'x' is not defined", stage="importing agent.py")
    assert "__main__" in (incident_finding(name).try_ or "")
    assert "__main__" not in (
        incident_finding(name.model_copy(update={"stage": "calling act"})).try_ or ""
    )


def test_all_arguments_of_an_old_keras_are_found_in_one_message() -> None:
    message = "Unrecognized keyword arguments passed to Conv2D: {'subsample': 1, 'border_mode': 2}"
    assert argument_codes(message) == (RelicCode.SUBSAMPLE, RelicCode.BORDER_MODE)
    assert argument_codes("no such thing as 'subsample'") == ()


@pytest.mark.parametrize("family", [RelicCode, ImportCode, SourceCode, RunCode, KerasCode])
def test_every_code_is_used(family: type[StrEnum]) -> None:
    by_rule = {str(rule.code) for rule in RULES}
    by_note = {str(code) for code in CODES_OF_HINTS.values()}
    script = {SourceCode.SCRIPT_LEFT_OUT, SourceCode.DEFINITIONS_ONLY}
    assert {str(code) for code in family} <= by_rule | by_note | script | {ImportCode.OLD_GYM}


def test_every_rule_has_words_in_the_catalogue() -> None:
    assert {str(rule.code) for rule in RULES} <= set(catalogue())
    assert all(rule.message or rule.types or rule.line for rule in RULES)
