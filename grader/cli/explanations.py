"""What `grader explain` prints."""

from __future__ import annotations

import difflib
import json
import re
import textwrap
from typing import Final

from grader.errors import UsageError
from grader.records.catalogue import FAMILIES, CatalogueEntry, catalogue

_WIDTH: Final = 96
_CODE: Final = re.compile(r"[A-Za-z]{2}\d{1,4}")
_HOW_TO_GO_ON: Final = (
    "`grader explain CODE` says more about one of them, `grader explain WORD` finds codes by words."
)


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
    """All codes with their titles, by family."""
    entries = catalogue()
    if output_format == "json":
        return _titles(tuple(entries))
    blocks = []
    for family in dict.fromkeys([*FAMILIES, *(code[:2] for code in entries)]):
        lines = [f"  {code}  {entry.title}" for code, entry in entries.items()
                 if code.startswith(family)]  # fmt: skip
        if lines:
            blocks.append("\n".join([FAMILIES.get(family, family), *lines]))
    return "\n\n".join([*blocks, _HOW_TO_GO_ON]) + "\n"


def matches(words: tuple[str, ...], output_format: str) -> str:
    """The codes whose entries hold all of some words, those with all of them in the title first.

    A single match is explained in full. The two letters of a family list that.

    Raises:
        UsageError: no entry holds them all.
    """
    wanted = [word.lower() for word in words]
    if words[0].upper() in FAMILIES and len(words) == 1:
        family = words[0].upper()
        return _listed(
            tuple(code for code in catalogue() if code.startswith(family)), output_format
        )
    found = {
        code: all(word in entry.title.lower() for word in wanted)
        for code, entry in catalogue().items()
        if all(word in _searched(entry) for word in wanted)
    }
    if not found:
        raise UsageError(
            f"no finding is about {' '.join(words)!r}. `grader explain` lists all codes."
        )
    if len(found) == 1:
        return explanation(next(iter(found)), output_format)
    ordered = tuple(sorted(found, key=lambda code: not found[code]))
    return _listed(ordered, output_format)


def _listed(codes: tuple[str, ...], output_format: str) -> str:
    if output_format == "json":
        return _titles(codes)
    lines = [f"{code}  {catalogue()[code].title}" for code in codes]
    return "\n".join([*lines, "", _HOW_TO_GO_ON]) + "\n"


def is_code(text: str) -> bool:
    """Whether a text has the form of a code, known or not."""
    return _CODE.fullmatch(text.strip()) is not None


def _searched(entry: CatalogueEntry) -> str:
    return " ".join(
        (entry.title, entry.what, entry.why, entry.fix, entry.wrong, entry.right)
    ).lower()


def _titles(codes: tuple[str, ...]) -> str:
    titles = {code: catalogue()[code].title for code in codes}
    return json.dumps(titles, indent=2, ensure_ascii=False) + "\n"
