"""A rule ties an exception to a code of its own; the catalogue has the words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from grader.records.catalogue import catalogue
from grader.records.incident import Incident


@dataclass(frozen=True)
class Rule:
    """Which exceptions have a code.

    All that is given must fit. Patterns are searched for, and name the stable parts of a message
    only: versions of a library differ in the rest.
    """

    code: StrEnum
    message: re.Pattern[str] | None = None
    types: frozenset[str] = frozenset()
    """Classes of the exception; any when empty."""
    line: re.Pattern[str] | None = None
    """What the innermost line of the student's files holds."""
    near: tuple[str, ...] = ()
    """Names of which one must be like the one in the message's first group."""
    hint: bool = False
    """Whether the rule also holds where none of `near` is like it."""

    def fits(self, incident: Incident) -> bool:
        """Whether an exception is of this kind."""
        if self.types and incident.error_type not in self.types:
            return False
        text = incident.frames[-1].text if incident.frames else ""
        if self.line is not None and self.line.search(text) is None:
            return False
        if self.message is None:
            return True
        found = self.message.search(incident.message)
        return found is not None and (not self.near or self.hint or bool(self._meant(found[1])))

    def advice(self, incident: Incident) -> str:
        """What to try: the catalogue's words, behind the name that was probably meant."""
        fix = catalogue()[self.code].fix
        found = self.message.search(incident.message) if self.message and self.near else None
        meant = self._meant(found[1]) if found else ""
        return f"Did you mean `{meant}`? {fix}" if meant else fix

    def _meant(self, name: str) -> str:
        """The one of `near` that is like a name; empty when none is."""
        lower = {each.lower(): each for each in self.near}
        found = difflib.get_close_matches(name.lower(), lower, 1, 0.75)
        return lower[found[0]] if found else ""


def rule(
    code: StrEnum,
    message: str = "",
    *types: str,
    line: str = "",
    near: Iterable[str] = (),
    hint: bool = False,
) -> Rule:
    """A rule from patterns as texts; see `Rule`."""
    return Rule(
        code,
        re.compile(message) if message else None,
        frozenset(types),
        re.compile(line) if line else None,
        tuple(near),
        hint,
    )


def named(*names: str) -> str:
    """A pattern for one of several names between quotes."""
    return rf"['\"](?:{'|'.join(names)})['\"]"
