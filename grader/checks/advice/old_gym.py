"""The lines of a file that were written for `gym`, and how each reads today."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from grader.checks.advice.codes import ImportCode
from grader.records.catalogue import catalogue
from grader.records.evidence import PartEvidence
from grader.records.result import Finding, Severity
from grader.records.source import HintKind

_MAX_SHOWN: Final = 4
_STEP: Final = re.compile(r"^(.+?),\s*(.+?),\s*(.+?),\s*(.+?)\s*=\s*(.+\.step\(.*)$")
_RESET: Final = re.compile(r"^(\w[\w.]*)\s*=\s*(.+\.reset\(.*)$")
_SEED: Final = re.compile(r"^(.*?)([\w.]+)\.seed\((.*)\)\s*(?:#.*)?$")
_DEFINED_RESET: Final = re.compile(r"^def reset\(self(?:,\s*(.*))?\)(.*)$")
_RETURNED_FOUR: Final = re.compile(r"^return\s+\(?(.+),\s*(.+),\s*(.+),\s*([^,]+?)\)?$")
_RETURNED: Final = re.compile(r"^return\s+(.+)$")


def _import(text: str) -> str | None:
    if re.match(r"(?:import gym|from gym)\b(?!nasium)", text) is None:
        return None
    alone = re.sub(r"\bimport gym(\s*(?:$|,|#))", r"import gymnasium as gym\1", text)
    return alone if alone != text else re.sub(r"\bgym\b", "gymnasium", text, count=1)


def _step(text: str) -> str | None:
    if (found := _STEP.match(text)) is None:
        return None
    observation, reward, done, info, call = found.groups()
    return (
        f"{observation}, {reward}, terminated, truncated, {info} = {call}; "
        f"{done} = terminated or truncated"
    )


def _reset(text: str) -> str | None:
    found = _RESET.match(text)
    return None if found is None else f"{found[1]}, info = {found[2]}"


def _seed(text: str) -> str | None:
    found = _SEED.match(text)
    return None if found is None else f"{found[2]}.reset(seed={found[3] or 'None'})"


def _defined_reset(text: str) -> str | None:
    found = _DEFINED_RESET.match(text)
    if found is None:
        return None
    others = f", {found[1]}" if found[1] else ""
    return f"def reset(self{others}, *, seed=None, options=None){found[2]}"


def _returned(text: str) -> str | None:
    if (found := _RETURNED_FOUR.match(text)) is not None:
        return f"return {found[1]}, {found[2]}, {found[3]}, False, {found[4]}"
    found = _RETURNED.match(text)
    return None if found is None else f"return {found[1]}, {{}}"


_REWRITES: Final[tuple[Callable[[str], str | None], ...]] = (
    _import, _step, _reset, _seed, _defined_reset, _returned,
)  # fmt: skip


def today(text: str) -> tuple[int, str] | None:
    """How a line that was written for `gym` reads today.

    Returns:
        Which kind of line it is, and the new text; None where none is known.
    """
    for kind, rewrite in enumerate(_REWRITES):
        if (new := rewrite(text)) is not None:
            return kind, new
    return None


def old_gym_notes(evidence: PartEvidence, severity: Severity) -> tuple[Finding, ...]:
    """The finding that shows the lines to change, the first of each kind; none without any."""
    lines: dict[int, tuple[int, str, str]] = {}
    count = 0
    for hint in evidence.hints:
        if hint.kind is HintKind.OLD_GYM and (found := today(hint.text)) is not None:
            count += 1
            lines.setdefault(found[0], (hint.line, hint.text, found[1]))
    if not lines:
        return ()
    shown = sorted(lines.values())[:_MAX_SHOWN]
    more = f" ({count} lines in all)" if count > len(shown) else ""
    entry = catalogue()[ImportCode.OLD_GYM]
    costs = "" if severity is Severity.ERROR else " This costs no points."
    return (
        Finding(
            code=ImportCode.OLD_GYM, severity=severity, claim=f"{entry.title}.{costs}",
            where=f"{evidence.file}:{shown[0][0]}",
            expected=_listed((line, new) for line, _, new in shown),
            received=_listed((line, old) for line, old, _ in shown) + more,
            try_=entry.fix,
        ),
    )  # fmt: skip


def _listed(lines: Iterable[tuple[int, str]]) -> str:
    return "; ".join(f"line {line}: `{text}`" for line, text in lines)
