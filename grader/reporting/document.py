"""One self-contained HTML page: the template engine, the inlined style and script, the policy.

A page loads nothing. Its content security policy forbids every source and allows exactly the style
and the script that were written here, by their digests, so that markup which slipped through
escaping could still run nothing and call nobody.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.records.text import clean_text
from grader.reporting import wording

SHOWN_CHARS: Final = 20_000
"""The most characters of one text that a page shows."""

_CODE_SPAN: Final = re.compile(r"`([^`\n]+)`")
_KEPT_TOGETHER: Final = re.compile(r"\([^()<>&]{1,24}\)|\d{1,6} × \d{1,6}")
_NOT_IN_ANCHOR: Final = re.compile(r"[^A-Za-z0-9._-]+")
_PARAGRAPH_END: Final = re.compile(r"\n\s*\n")


def render_page(
    template: str, *, styles: Iterable[str], scripts: Iterable[str], **values: Any
) -> str:
    """Renders a template to a page that needs nothing beside it.

    Args:
        template: name of the template, in `templates/`.
        styles: names of the style sheets to inline, in order.
        scripts: names of the scripts to inline, in order.
        values: what the template shows. Plain strings are escaped.

    Raises:
        jinja2.UndefinedError: the template asks for a value that is not there.
    """
    style = "\n".join(_resource(name) for name in styles)
    script = "\n".join(_resource(name) for name in scripts)
    return (
        _environment()
        .get_template(template)
        .render(
            # Both are files of this package and hold no text of anyone else.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            policy=content_security_policy(style, script),
            **values,
        )
        .rstrip()
        + "\n"
    )


def content_security_policy(style: str, script: str) -> str:
    """A policy that allows this style and this script, and nothing else."""
    return (
        "default-src 'none'; "
        f"style-src {_digest_source(style)}; "
        f"script-src {_digest_source(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def shown(value: object) -> object:
    """Text without what could hide or reorder other text; anything else as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean_text(value, SHOWN_CHARS)
    return value


def with_code(text: str) -> Markup:
    """Escaped text in which `back-ticked` words are set as code."""
    safe = str(escape(clean_text(text, SHOWN_CHARS)))
    return Markup(_CODE_SPAN.sub(r"<code>\1</code>", safe))  # noqa: S704 - escaped one line above


def unbroken(text: str | Markup) -> Markup:
    """Escaped text in which short brackets such as `(4, 4)` and products stay on one line.

    The spaces stay ordinary ones, so that what is copied from the page is still Python.
    """
    safe = text if isinstance(text, Markup) else escape(clean_text(text, SHOWN_CHARS))
    kept = _KEPT_TOGETHER.sub(r'<span class="unbroken">\g<0></span>', str(safe))
    return Markup(kept)  # noqa: S704 - escaped above


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, which blank lines divide."""
    return [part.strip() for part in _PARAGRAPH_END.split(text) if part.strip()]


def anchor(kind: str, name: str) -> str:
    """An element id for something that has a name."""
    return f"{kind}-{_NOT_IN_ANCHOR.sub('-', name)}"


def url_segment(name: str) -> str:
    """A name as one segment of a relative URL: no slash, no scheme."""
    return quote(name, safe="")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grader.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
    )
    filters: Mapping[str, Any] = {
        "with_code": with_code,
        "paragraphs": paragraphs,
        "url_segment": url_segment,
        "points": wording.points_text,
        "decimal": wording.decimal_text,
        "fixed": wording.fixed_text,
        "unbroken": unbroken,
        "percent": wording.share_text,
        "size": wording.size_text,
    }
    environment.filters.update(filters)
    environment.globals.update(
        anchor=anchor,
        count_of=wording.count_of,
        outcome_words=wording.OUTCOME_WORDS,
        outcome_notes=wording.OUTCOME_NOTES,
        row_words=wording.ROW_WORDS,
        severity_words=wording.SEVERITY_WORDS,
        status_words=wording.STATUS_WORDS,
        isolation_words=wording.ISOLATION_WORDS,
        seed_words=wording.SEED_WORDS,
    )
    return environment


@cache
def _resource(name: str) -> str:
    return files("grader.reporting").joinpath("templates", name).read_text(encoding="utf-8")


def _digest_source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
