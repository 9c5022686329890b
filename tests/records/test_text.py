"""Text from students is shown, never obeyed, and is the same in every run."""

from __future__ import annotations

import pytest

from grader.records.text import clean_line, clean_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1mshape (2, 3)\x1b[0m", "shape (2, 3)"),
        ("\x1b[38;5;208morange\x1b[m", "orange"),
        ("\x9b31mred", "red"),
        ("a\x1b[2K\x1b[1Gb", "ab"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bplain\x1bM", "plain"),
    ],
)
def test_escape_sequences_are_left_out_whole(text: str, shown: str) -> None:
    assert clean_text(text) == shown


@pytest.mark.parametrize(
    "text", ["\x1b", "\x1b[31", "\x1b]0;no end", "bell\x07", "\u202eback", "\ud800", "\x85"]
)
def test_what_is_no_whole_sequence_is_marked_and_not_obeyed(text: str) -> None:
    shown = clean_text(text)
    assert "\ufffd" in shown
    assert "\x1b" not in shown


def test_ordinary_text_stays_as_it_is() -> None:
    text = "äöü – 漢字 – 🎲\n\tkernel[1, 2] = 0x1f"
    assert clean_text(text) == text
    assert clean_text("one\r\ntwo") == "one\ntwo"


def test_memory_addresses_are_left_out_even_where_the_text_is_cut() -> None:
    assert clean_text("<Model at 0x7f3a5c001d90>") == "<Model at 0x…>"
    first, second = (f"{'x' * 10} at 0x7f{digit}a5c001d90 and more" for digit in "12")
    for limit in range(len(first)):
        assert clean_text(first, limit) == clean_text(second, limit)


def test_long_text_is_cut_with_a_mark() -> None:
    assert clean_text("abcdef", 6) == "abcdef"
    assert clean_text("abcdefg", 6) == "abcdef…"
    assert clean_text("\x1b[1mabcdef\x1b[0m", 6) == "abcdef"
    assert len(clean_text("\x1b[1m" * 100_000, 6)) <= 7


def test_a_line_is_one_line() -> None:
    assert clean_line("  a\n\tb  \r\n c ") == "a b c"
    assert clean_line("word " * 100, 9) == "word word…"
