"""What comes back is searched for secrets, for the word of success, and for text that acts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from grader.selftest.breach import Canary
from grader.selftest.returned import Returned, not_inert, said

SECRETS = {"a guarded file": "grader-secret-0123456789abcdef0123456789abcdef"}
MARK = "gst0123456789ab"
HONEST = Returned(
    terminal="Convolution  10 of 10\n  error: expected a number :: received text\n",
    html=("<html><body title='a :: b'><p>&lt;gst0123456789ab&gt;</p></body></html>",),
    json=(json.dumps({"claim": "a line\nand a tab\t"}),),
)


def test_honest_text_sets_off_nothing() -> None:
    assert said(HONEST, SECRETS, "word") == []
    assert not_inert(HONEST, MARK) == []


@pytest.mark.parametrize("field", ["terminal", "html", "json"])
def test_a_secret_is_found_wherever_it_comes_back_even_when_cut(field: str) -> None:
    cut = SECRETS["a guarded file"][:30]
    text = json.dumps({"printed": cut}) if field == "json" else f"<p>{cut}</p>"
    value = text if field == "terminal" else (text,)
    found = said(replace(HONEST, **{field: value}), SECRETS, "word")
    assert [(breach.canary, breach.detail) for breach in found] == [
        (Canary.READ, "from a guarded file")
    ]


def test_the_word_of_success_is_found_with_what_follows_it() -> None:
    text = json.dumps({"printed": "BREACH-word 60 processes run\nmore"})
    found = said(replace(HONEST, json=(text,)), SECRETS, "word")
    assert [(breach.canary, breach.detail) for breach in found] == [
        (Canary.WITNESS, "60 processes run")
    ]
    assert said(replace(HONEST, json=(text,)), SECRETS, "other") == []


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\x07", "\u202egnorw", "\x9b31m", "a\rb", "\u200b", "\u2028"]
)
def test_control_characters_are_found(text: str) -> None:
    for changed in (
        replace(HONEST, terminal=text),
        replace(HONEST, json=(json.dumps({"printed": [text]}),)),
    ):
        assert [breach.canary for breach in not_inert(changed, MARK)] == [Canary.TEXT]


@pytest.mark.parametrize(
    "text", ["::error::passed", "  ::set-output name=score::100", "x ##[error]y", "##vso[task.x]"]
)
def test_commands_to_a_ci_are_found(text: str) -> None:
    found = not_inert(replace(HONEST, terminal=f"fine\n{text}\n"), MARK)
    assert [breach.canary for breach in found] == [Canary.TEXT]


@pytest.mark.parametrize(
    "markup",
    [
        f"<{MARK} onmouseover=alert(1)>",
        f'<p title="" {MARK}="1">',
        f"<script>var a = '</script><{MARK}>';</script>",
        '<a href="javascript:alert(1)">x</a>',
    ],
)
def test_foreign_markup_is_found(markup: str) -> None:
    found = not_inert(replace(HONEST, html=(f"<html>{markup}</html>",)), MARK)
    assert [breach.canary for breach in found] == [Canary.TEXT]
