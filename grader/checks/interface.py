"""The judge that all kinds share: is everything there that the part must define?"""

from __future__ import annotations

import difflib
from typing import Final

from grader.checks.incidents import GeneralCode, incident_verdict
from grader.records.evidence import PartEvidence, Symbol, Unresolved
from grader.records.result import Finding, Outcome, Severity, Verdict

_CLASS: Final = "_class"
"""How the roles of classes end; all other roles of such a part are methods."""


def unresolved_finding(evidence: PartEvidence, unresolved: Unresolved) -> Finding:
    """The finding for a role nothing was found for, with the nearest name that is there."""
    wanted = unresolved.accepted[0]
    if unresolved.wrong_kind is not None:
        return Finding(
            code=GeneralCode.WRONG_KIND,
            severity=Severity.ERROR,
            claim=f"`{wanted}` is there, but it is {unresolved.wrong_kind}.",
            where=evidence.file,
            expected=f"a {unresolved.role.replace('_', ' ')} named `{wanted}`",
            received=unresolved.wrong_kind,
            try_=f"Define `{wanted}` itself, and do not assign something else to the name.",
        )
    owner = _owner(evidence, unresolved.role)
    near = difflib.get_close_matches(wanted.lower(), [n.lower() for n in unresolved.available], 1)
    similar = next((name for name in unresolved.available if near and name.lower() == near[0]), "")
    accepted = ", ".join(f"`{name}`" for name in unresolved.accepted)
    defined = ", ".join(f"`{name}`" for name in unresolved.available[:12]) or "nothing"
    return Finding(
        code=GeneralCode.NAME_NOT_FOUND,
        severity=Severity.ERROR,
        claim=f"`{owner.name}` has no method `{wanted}`." if owner
        else f"`{wanted}` is not defined.",
        where=evidence.place(owner.role) if owner else evidence.file,
        expected=accepted if len(unresolved.accepted) == 1 else f"one of {accepted}",
        received=f"the names {defined}" if unresolved.available else "no public name at all",
        try_=f"Rename `{similar}` to `{wanted}`." if similar
        else f"Define `{wanted}` in the class `{owner.name}`." if owner
        else f"Define `{wanted}`.",
    )  # fmt: skip


def _owner(evidence: PartEvidence, role: str) -> Symbol | None:
    """The class that a missing method belongs to; None for what stands at the file's top level."""
    if role.endswith(_CLASS):
        return None
    return next((symbol for symbol in evidence.symbols if symbol.role.endswith(_CLASS)), None)


def interface_verdict(evidence: PartEvidence) -> Verdict | None:
    """The verdict if something is missing or cannot be made; None when all is well."""
    findings = tuple(unresolved_finding(evidence, missing) for missing in evidence.unresolved)
    if findings:
        return Verdict(outcome=Outcome.FAILED, fraction=0.0, findings=findings)
    if evidence.construction is not None:
        return incident_verdict(evidence.construction, place=_made(evidence))
    return None


def missing_role_verdict(evidence: PartEvidence, role: str) -> Verdict | None:
    """The verdict on a check of one role alone, if nothing was found for it; None otherwise."""
    findings = tuple(
        unresolved_finding(evidence, missing)
        for missing in evidence.unresolved
        if missing.role == role
    )
    return Verdict(outcome=Outcome.FAILED, fraction=0.0, findings=findings) if findings else None


def _made(evidence: PartEvidence) -> str:
    """`file:line` of the class (or builder) that something was made of."""
    kinds = (_CLASS, "builder")
    made = next((found for found in evidence.symbols if found.role.endswith(kinds)), None)
    return evidence.place(made.role) if made else evidence.file


def passed(*findings: Finding) -> Verdict:
    """Full points, with whatever is good to know."""
    return Verdict(outcome=Outcome.PASSED, fraction=1.0, findings=findings)


def graded(fraction: float, findings: tuple[Finding, ...]) -> Verdict:
    """A verdict whose outcome follows from the share of points earned."""
    share = min(max(fraction, 0.0), 1.0)
    outcome = (
        Outcome.PASSED if share == 1.0 else Outcome.FAILED if share == 0.0 else Outcome.PARTIAL
    )
    return Verdict(outcome=outcome, fraction=share, findings=findings)
