"""Every code that can be raised is explained, and every explanation has its code."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections import Counter
from enum import StrEnum

import pytest

import grader.checks
from grader.records.catalogue import FAMILIES, catalogue

CODE = re.compile(r"[A-Z]{2}\d{3}")


def code_enums() -> set[type[StrEnum]]:
    """All enums of finding codes in the modules of `grader.checks`."""
    found = set()
    for module in pkgutil.walk_packages(grader.checks.__path__, "grader.checks."):
        for _, item in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(item, StrEnum) and any(CODE.fullmatch(member) for member in item):
                found.add(item)
    return found


def test_all_families_are_found() -> None:
    families = {member[:2] for enum in code_enums() for member in enum}
    assert {"GR", "RA", "AG"} <= families


def test_an_enum_of_codes_holds_nothing_else() -> None:
    others = [repr(m) for enum in code_enums() for m in enum if not CODE.fullmatch(m)]
    assert others == []


def test_no_code_stands_for_two_things() -> None:
    counts = Counter(member.value for enum in code_enums() for member in enum)
    assert [code for code, count in counts.items() if count > 1] == []


def test_every_code_is_explained() -> None:
    raised = {member.value for enum in code_enums() for member in enum}
    assert sorted(raised - set(catalogue())) == []


def test_every_explanation_has_its_code() -> None:
    raised = {member.value for enum in code_enums() for member in enum}
    assert sorted(set(catalogue()) - raised) == []


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_an_entry_reads_well(code: str) -> None:
    entry = catalogue()[code]
    assert not entry.title.endswith(".")
    for text in (entry.what, entry.why, entry.fix):
        assert text.strip() == text
        assert text[-1] in ".:!?)"
    # What is wrong is of little use without what is right.
    assert entry.right or not entry.wrong


WITHOUT_EXAMPLE = {
    "GR101", "GR301", "GR401",  # nothing that stands in a file
    "EN121", "EN122", "FN121", "NW142", "NW152", "TR211",  # all kinds of things, or good news
    "NW123", "NW135", "NW140",
    "PY107", "PY206",  # bytes, and an assignment's setting
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(set(catalogue()) - WITHOUT_EXAMPLE))
def test_an_entry_shows_what_is_wrong_and_what_is_right(code: str) -> None:
    entry = catalogue()[code]
    assert entry.wrong.strip()
    assert entry.right.strip()
    assert entry.wrong != entry.right


def test_every_family_has_a_heading() -> None:
    assert {code[:2] for code in catalogue()} <= set(FAMILIES)


MEANT_TO_BE_BROKEN = {
    (code, "wrong")
    for code in ("GR102", "PY101", "PY103", "PY104", "PY105", "PY106", "PY108", "PY109", "PY110",
                 "PY111")
}  # fmt: skip
"""What these are about is text that Python cannot read."""


def is_python(fragment: str) -> bool:
    """Whether it can stand somewhere in a file: by itself, in a function, or in a list."""
    code = fragment.strip("\n")
    inside = textwrap.indent(code, "    ")
    for source in (code, f"def function():\n{inside}", f"class Kind:\n{inside}", f"[\n{code}\n]"):
        try:
            ast.parse(source)
        except SyntaxError:
            continue
        return True
    return False


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_examples_are_python(code: str) -> None:
    entry = catalogue()[code]
    for name, example in (("wrong", entry.wrong), ("right", entry.right)):
        assert is_python(example) != ((code, name) in MEANT_TO_BE_BROKEN), example
