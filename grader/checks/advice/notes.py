"""What is told of a part's source text: a script that was left out, relics, the line of a limit.

Hints are what the student's own process read in the text. They earn and cost nothing; a script
that kept the file from being imported costs half of the check of its interface.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from grader.checks.advice.codes import ImportCode, KerasCode, RelicCode, SourceCode
from grader.checks.advice.matching import matching_rule
from grader.checks.advice.old_gym import old_gym_notes
from grader.checks.advice.relics import ARGUMENTS
from grader.checks.incidents import incident_finding
from grader.records.catalogue import catalogue
from grader.records.evidence import PartEvidence
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Finding, Outcome, Severity, Verdict
from grader.records.source import HintKind, LeftOut, SourceHint

SCRIPT_SHARE: Final = 0.5
"""Share of the interface check that remains where the file had to be imported without its script.

What the file defines is there and right, so that everything else is judged; what it lacks is what
the check of the interface is about: that others can import it."""

_INTERFACE: Final = ".interface"
_MAX_NOTES: Final = 8
_MAX_LINES: Final = 5

CODES_OF_HINTS: Final[dict[HintKind, StrEnum]] = {
    HintKind.KERNEL_NUMBERS: RelicCode.KERNEL_NUMBERS,
    HintKind.LATER_INPUT_SHAPE: KerasCode.LATER_INPUT_SHAPE,
    HintKind.TRAINS: SourceCode.TRAINS,
    HintKind.PLAYS: SourceCode.TRAINS,
    HintKind.LOOPS: SourceCode.TRAINS,
    HintKind.SHOWS_WINDOW: SourceCode.WINDOW,
    HintKind.READS_INPUT: SourceCode.INPUT,
    HintKind.DOWNLOADS: SourceCode.DOWNLOAD,
    HintKind.SHADOWS: ImportCode.SHADOWED,
    HintKind.ABSOLUTE_PATH: ImportCode.ABSOLUTE_PATH,
}
"""Codes of the kinds that lead to one whatever their text says."""

_OF_A_SCRIPT: Final = frozenset({
    HintKind.LOOPS, HintKind.TRAINS, HintKind.PLAYS, HintKind.READS_INPUT, HintKind.SHOWS_WINDOW,
    HintKind.DOWNLOADS,
})  # fmt: skip


def load_findings(evidence: PartEvidence) -> tuple[Finding, ...]:
    """Why a part's file could not be loaded; first what ended it, then what may be behind it."""
    if evidence.load is None:
        return ()
    return (
        _importing(evidence, evidence.load),
        *_notes(evidence, (hint for hint in evidence.hints if hint.kind is HintKind.SHADOWS)),
        *old_gym_notes(evidence, Severity.NOTE),
    )


def with_source_notes(verdict: Verdict, evidence: PartEvidence, *, check: str) -> Verdict:
    """The verdict on a part's first check, with what is to be told of the source text.

    Args:
        verdict: of the check alone.
        evidence: of its part.
        check: id of the kind of check.
    """
    if evidence.script is not None:
        findings = (
            _importing(evidence, evidence.script),
            _left_out(evidence, SourceCode.SCRIPT_LEFT_OUT, Severity.WARNING),
        )
        changes: dict[str, object] = {"findings": (*verdict.findings, *findings)}
        if check.endswith(_INTERFACE) and verdict.outcome is Outcome.PASSED:
            changes |= {
                "outcome": Outcome.PARTIAL, "fraction": verdict.fraction * SCRIPT_SHARE,
                "opens": True,
            }  # fmt: skip
        return verdict.model_copy(update=changes)
    if verdict.outcome is not Outcome.PASSED:
        return verdict  # one cause is told once
    hints: Iterable[SourceHint] = evidence.hints
    notes: tuple[Finding, ...] = ()
    if evidence.left_out:
        notes = (_left_out(evidence, SourceCode.DEFINITIONS_ONLY, Severity.NOTE),)
        hints = [hint for hint in hints if not _inside(hint.line, evidence.left_out)]
    notes += (*_notes(evidence, hints), *old_gym_notes(evidence, Severity.NOTE))
    return verdict.model_copy(update={"findings": (*verdict.findings, *notes)})


def _importing(evidence: PartEvidence, incident: Incident) -> Finding:
    """What ended an import, at the line that probably did where it has none of its own."""
    finding = incident_finding(incident)
    ends = {IncidentKind.LIMIT, IncidentKind.EXITED}
    if incident.frames or incident.kind not in ends:
        return finding
    line = next((hint.line for hint in evidence.hints if hint.kind in _OF_A_SCRIPT), None)
    if line is None:
        return finding
    return finding.model_copy(update={"where": f"{evidence.file}:{line}"})


def _left_out(evidence: PartEvidence, code: StrEnum, severity: Severity) -> Finding:
    entry = catalogue()[code]
    lines = ", ".join(_lines(each) for each in evidence.left_out[:_MAX_LINES])
    more = " and more" if len(evidence.left_out) > _MAX_LINES else ""
    return Finding(
        code=code, severity=severity, claim=f"{entry.title}.",
        where=f"{evidence.file}:{evidence.left_out[0].first_line}" if evidence.left_out
        else evidence.file,
        expected="imports, functions, classes and simple assignments at the top level",
        received=f"not run: {lines}{more}", try_=entry.fix,
    )  # fmt: skip


def _lines(each: LeftOut) -> str:
    if each.first_line == each.last_line:
        return f"line {each.first_line} (`{each.text}`)"
    return f"lines {each.first_line} to {each.last_line} (`{each.text}`)"


def _inside(line: int, left_out: tuple[LeftOut, ...]) -> bool:
    return any(each.first_line <= line <= each.last_line for each in left_out)


def _notes(evidence: PartEvidence, hints: Iterable[SourceHint]) -> tuple[Finding, ...]:
    """A warning for each code that the hints lead to, with the lines."""
    found: dict[StrEnum, list[SourceHint]] = {}
    for hint in hints:
        if (code := _code(hint)) is not None:
            found.setdefault(code, []).append(hint)
    return tuple(_note(evidence, code, hints) for code, hints in list(found.items())[:_MAX_NOTES])


def _note(evidence: PartEvidence, code: StrEnum, hints: list[SourceHint]) -> Finding:
    entry = catalogue()[code]
    lines = dict.fromkeys(hint.line for hint in hints)
    shown = ", ".join(str(line) for line in list(lines)[:_MAX_LINES])
    more = " and more" if len(lines) > _MAX_LINES else ""
    return Finding(
        code=code, severity=Severity.WARNING, claim=f"{entry.title}. This costs no points.",
        where=f"{evidence.file}:{hints[0].line}",
        received=f"`{hints[0].text}`"
        + (f" (and on the lines {shown}{more})" if len(lines) > 1 else ""),
        try_=entry.fix,
    )  # fmt: skip


def _code(hint: SourceHint) -> StrEnum | None:
    """The code that a hint leads to; None where the text leads to none."""
    match hint.kind:
        case HintKind.OLD_ARGUMENT:
            return next((code for code, names in ARGUMENTS.items() if hint.text in names), None)
        case HintKind.OLD_CALL:
            owner, _, name = hint.text.rpartition(".")
            module = "module 'tensorflow' " if owner == "tf" else ""
            return _of("AttributeError", f"{module}has no attribute '{name}'")
        case HintKind.OLD_IMPORT:
            module, _, name = hint.text.rpartition(".")
            missing = f"cannot import name '{name}' from '{module}'"
            return _of("ImportError", missing) or _of(
                "ModuleNotFoundError", f"No module named '{hint.text}'"
            )
    return CODES_OF_HINTS.get(hint.kind)


def _of(error_type: str, message: str) -> StrEnum | None:
    """The code that an exception with this message would have."""
    incident = Incident(
        kind=IncidentKind.RAISED, stage="reading", error_type=error_type, message=message
    )
    rule = matching_rule(incident)
    return None if rule is None else rule.code
