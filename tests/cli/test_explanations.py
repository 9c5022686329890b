"""`grader explain` finds codes by number, by family and by words."""

from __future__ import annotations

import json

import pytest

from grader.cli.explanations import explanation, is_code, matches, overview
from grader.errors import UsageError
from grader.records.catalogue import FAMILIES, catalogue


def test_the_overview_has_a_heading_for_each_family() -> None:
    text = overview("text")
    assert all(f"  {code}  {entry.title}" in text for code, entry in catalogue().items())
    headings = [line for line in text.splitlines() if line in FAMILIES.values()]
    assert headings == [FAMILIES[name] for name in FAMILIES if any(
        code.startswith(name) for code in catalogue())]  # fmt: skip
    assert json.loads(overview("json")).keys() == catalogue().keys()


def test_words_find_the_codes_that_hold_them_titles_first() -> None:
    lines = matches(("Padding",), "text").splitlines()
    assert any(line.startswith("NW104") for line in lines)
    titles = ["padding" in line.lower() for line in lines if line and "explain" not in line]
    assert titles == sorted(titles, reverse=True)
    assert "KR102" in json.loads(matches(("padding", "border_mode"), "json"))


def test_one_match_is_explained_in_full() -> None:
    assert matches(("stable_baselines3",), "text") == explanation("IM103", "text")


def test_two_letters_list_a_family() -> None:
    listed = json.loads(matches(("kr",), "json"))
    assert set(listed) == {code for code in catalogue() if code.startswith("KR")}


def test_words_that_are_nowhere_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no finding is about 'quux'"):
        matches(("quux",), "text")


def test_an_unknown_code_is_a_usage_error_that_offers_others() -> None:
    with pytest.raises(UsageError, match="Did you mean"):
        explanation("KR10", "text")


@pytest.mark.parametrize(("text", "known"), [("NW102", True), ("nw1", True), ("relu", False)])
def test_codes_are_told_from_words(text: str, known: bool) -> None:
    assert is_code(text) is known
