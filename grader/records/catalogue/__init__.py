"""The catalogue of finding codes: what each means, why it matters, how to mend it.

One TOML file per family of codes lies beside this module. A code is never reused.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from pydantic import Field

from grader.records.base import Record


class CatalogueEntry(Record):
    """What `grader explain` says about one code."""

    title: str = Field(min_length=1, max_length=120)
    """The problem in a few words."""
    what: str = Field(min_length=1)
    """What the grader saw."""
    why: str = Field(min_length=1)
    """Why it matters."""
    fix: str = Field(min_length=1)
    """How to mend it."""
    wrong: str = ""
    """Code that leads to this finding."""
    right: str = ""
    """The same code, mended."""


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """All entries by code, in order."""
    entries: dict[str, CatalogueEntry] = {}
    for resource in sorted(files(__package__).iterdir(), key=lambda item: item.name):
        if resource.name.endswith(".toml"):
            family = tomllib.loads(resource.read_text(encoding="utf-8"))
            for code, data in family.items():
                if code in entries:
                    raise ValueError(f"code {code} stands twice in the catalogue")
                entries[code] = CatalogueEntry.parse(data)
    return dict(sorted(entries.items()))
