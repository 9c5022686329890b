"""What came back from grading an attack, searched for secrets and for text that is not inert."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final

from grader.records.text import clean_line
from grader.selftest.breach import DETAIL_CHARS, Breach, Canary

_SECRET_CHARS: Final = 24
"""How much of a secret gives it away; what came back may have been cut."""
_OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_COMMAND: Final = re.compile(r"^\s*::|##\[|##vso\[|##teamcity\[", re.MULTILINE)


@dataclass(frozen=True)
class Returned:
    """Everything that a person or a program would read after grading."""

    terminal: str
    """What goes to standard output: a report's text and the class's."""
    html: tuple[str, ...]
    """The pages."""
    json: tuple[str, ...]
    """The data files, compressed ones unpacked."""


def said(returned: Returned, secrets: Mapping[str, str], word: str) -> list[Breach]:
    """The secrets that came back, and the word that an attack says when it succeeds.

    Args:
        returned: what came back.
        secrets: text of each secret by what it was kept in.
        word: said after `BREACH-`.
    """
    everything = "\n".join((returned.terminal, *returned.html, *returned.json))
    found = [
        Breach(Canary.READ, f"from {place}")
        for place, secret in secrets.items()
        if secret[:_SECRET_CHARS] in everything
    ]
    match = re.search(rf"BREACH-{word}([^\"\n\\]*)", everything)
    if match:
        found.append(Breach(Canary.WITNESS, clean_line(match.group(1).strip(), DETAIL_CHARS)))
    return found


def not_inert(returned: Returned, mark: str) -> list[Breach]:
    """Where a student's text would act on who reads it.

    Args:
        returned: what came back.
        mark: name of the tags and attributes that an attack tries to bring into a page.
    """
    found = []
    if control := _control(returned.terminal):
        found.append(Breach(Canary.TEXT, f"{control} in the terminal's text"))
    if _COMMAND.search(returned.terminal):
        found.append(Breach(Canary.TEXT, "a command to the CI in the terminal's text"))
    for text in returned.json:
        control = next(filter(None, map(_control, _texts(json.loads(text)))), None)
        if control:
            found.append(Breach(Canary.TEXT, f"{control} in a data file"))
            break
    for page in returned.html:
        reader = _Reader(mark)
        reader.feed(page)
        found.extend(Breach(Canary.TEXT, what) for what in reader.found[:1])
        if control := _control(page.replace("\r", "")):
            found.append(Breach(Canary.TEXT, f"{control} in a page"))
    return found


def _control(text: str) -> str | None:
    for char in text:
        if char not in "\n\t" and unicodedata.category(char) in _OBEYED:
            return f"U+{ord(char):04X}"
    return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


class _Reader(HTMLParser):
    """Finds markup that no template wrote."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self._mark = mark.lower()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._mark in tag or any(self._mark in name for name, _ in attrs):
            self.found.append("foreign markup in a page")
        for name, value in attrs:
            if name in {"href", "src"} and (value or "").strip().lower().startswith("javascript:"):
                self.found.append("a link that runs a program in a page")
