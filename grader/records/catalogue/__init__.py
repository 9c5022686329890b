"""The catalogue of finding codes: what each means, why it matters, how to mend it.

One TOML file per family of codes lies beside this module. A code is never reused.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

from pydantic import Field

from grader.records.base import Record

FAMILIES: Final[dict[str, str]] = {
    "GR": "Files, limits and the grader",
    "IM": "Imports, packages and files",
    "PY": "The source text, and files that are scripts",
    "RT": "Errors while the code runs",
    "KR": "Relics of Keras 1, Keras 2 and TensorFlow 1",
    "KE": "Errors of Keras",
    "NW": "The network",
    "TR": "The loss and the training step",
    "LS": "Other loss functions",
    "TU": "Updates of a target network",
    "RB": "Replay buffers",
    "WT": "First weights, and gradients",
    "RA": "The random agent",
    "AG": "The agent",
    "EN": "The environment",
    "FN": "Functions",
}
"""What the codes that begin with two letters are about, in the order in which they are listed."""


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
