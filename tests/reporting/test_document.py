import base64
import hashlib

import pytest
from jinja2 import UndefinedError

from grader.reporting import document


def test_policy_allows_exactly_the_style_and_script_of_the_page() -> None:
    policy = document.content_security_policy("a{}", "b()")

    for text in ("a{}", "b()"):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_missing_value_is_an_error_and_not_an_empty_place() -> None:
    with pytest.raises(UndefinedError):
        document.render_page("class_page.html.jinja", styles=(), scripts=())


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Use `strides=4`.", "Use <code>strides=4</code>."),
        ("`<b>` & `x`", "<code>&lt;b&gt;</code> &amp; <code>x</code>"),
        ("one ` alone", "one ` alone"),
        ("`two\nlines`", "`two\nlines`"),
        ("\x1b[31m\x1b\u202e", "\ufffd\ufffd"),
    ],
)
def test_back_ticks_become_code_and_everything_else_is_escaped(text: str, html: str) -> None:
    assert document.with_code(text) == html


def test_brackets_stay_together_and_can_still_be_copied() -> None:
    assert document.unbroken("strides (4, 4), <b>") == (
        'strides <span class="unbroken">(4, 4)</span>, &lt;b&gt;'
    )


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("alice", "alice"),
        ("a b/c?d#e", "a%20b%2Fc%3Fd%23e"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("//evil.example", "%2F%2Fevil.example"),
        ("chloé", "chlo%C3%A9"),
    ],
)
def test_name_is_one_segment_of_a_url(name: str, segment: str) -> None:
    assert document.url_segment(name) == segment


def test_anchor_has_no_character_that_ends_an_id() -> None:
    assert document.anchor("check", "network.architecture") == "check-network.architecture"
    assert document.anchor("check", 'a b"<') == "check-a-b-"
