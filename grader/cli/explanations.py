"""What `grader explain` prints."""

from __future__ import annotations

import difflib
import json
import textwrap
from typing import Final

from grader.errors import UsageError
from grader.records.catalogue import CatalogueEntry, catalogue

_WIDTH: Final = 96


def explanation(code: str, output_format: str) -> str:
    """The catalogue's entry for a code.

    Raises:
        UsageError: there is no such code.
    """
    entries = catalogue()
    wanted = code.strip().upper()
    if wanted not in entries:
        near = difflib.get_close_matches(wanted, entries, 3, 0.5)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise UsageError(
            f"there is no finding code {wanted!r}.{hint} `grader explain` lists all codes."
        )
    entry = entries[wanted]
    if output_format == "json":
        return json.dumps({"code": wanted, **entry.plain()}, indent=2, ensure_ascii=False) + "\n"
    return _text(wanted, entry)


def _text(code: str, entry: CatalogueEntry) -> str:
    sections = [
        f"{code}  {entry.title}",
        f"What was seen\n{_wrapped(entry.what)}",
        f"Why it matters\n{_wrapped(entry.why)}",
        f"How to mend it\n{_wrapped(entry.fix)}",
    ]
    if entry.wrong:
        sections.append(f"Leads to this\n{_indented(entry.wrong)}")
    if entry.right:
        sections.append(f"Mended\n{_indented(entry.right)}")
    return "\n\n".join(sections) + "\n"


def _wrapped(text: str) -> str:
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(
        textwrap.fill(
            " ".join(paragraph.split()), _WIDTH, initial_indent="  ", subsequent_indent="  "
        )
        for paragraph in paragraphs
    )


def _indented(code: str) -> str:
    return textwrap.indent(code.strip("\n"), "    ")


def overview(output_format: str) -> str:
    """All codes with their titles."""
    entries = catalogue()
    if output_format == "json":
        titles = {code: entry.title for code, entry in entries.items()}
        return json.dumps(titles, indent=2, ensure_ascii=False) + "\n"
    lines = [f"{code}  {entry.title}" for code, entry in entries.items()]
    return "\n".join([*lines, "", "grader explain CODE says more about one of them."]) + "\n"
