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
from grader.records.catalogue import catalogue

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


MEANT_TO_BE_BROKEN = {("GR102", "wrong")}


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
