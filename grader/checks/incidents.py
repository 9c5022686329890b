"""What an incident means for a check, and how it is told to the student."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from grader.checks.advice.codes import RunCode
from grader.checks.advice.matching import matching_rule
from grader.checks.exception_advice import (
    MAIN_GUARD,
    SYNTAX_ADVICE,
    exception_advice,
    import_advice,
    import_time_advice,
    memory_advice,
)
from grader.records.catalogue import catalogue
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.result import Finding, Outcome, Severity, Verdict


class GeneralCode(StrEnum):
    """Codes of findings that any kind of part can have."""

    MISSING_FILE = "GR101"
    SYNTAX_ERROR = "GR102"
    IMPORT_RAISED = "GR103"
    MODULE_NOT_FOUND = "GR104"
    NAME_NOT_FOUND = "GR105"
    WRONG_KIND = "GR106"
    SIGNATURE = "GR107"
    RAISED = "GR108"
    EXITED = "GR109"
    UNREADABLE = "GR110"
    CALL_WALL = "GR201"
    CALL_CPU = "GR202"
    PART_WALL = "GR203"
    PART_CPU = "GR204"
    MEMORY = "GR205"
    RESIDENT = "GR206"
    PROCESSES = "GR207"
    OPEN_FILES = "GR208"
    FILE_SIZE = "GR209"
    OUTPUT = "GR210"
    REPLY = "GR211"
    SCRATCH = "GR212"
    THREADS = "GR213"
    REFUSED = "GR301"
    FAULT = "GR401"


SIGNATURE_ERROR: Final = "SignatureMismatch"
"""`error_type` of an incident whose callable could not take the arguments offered."""

_IMPORTING: Final = "importing "
"""How the stage of an incident begins when the file itself was being run."""

_INSTALLED_AT: Final = re.compile(r" \((?:/|[A-Za-z]:)[^()]*\)")
"""Where a package is installed, as Python adds it to the message of a failed import."""

_LIMITS: Final = {
    LimitName.CALL_WALL: (GeneralCode.CALL_WALL, "took too long on the clock",
        "Look for a loop that never ends, a sleep, or waiting for input."),
    LimitName.CALL_CPU: (GeneralCode.CALL_CPU, "used too much processor time",
        "Look for a loop that never ends, or training where only playing is asked for."),
    LimitName.PART_WALL: (GeneralCode.PART_WALL, "took too long in all",
        "Make each call cheaper: load weights once, call the model directly instead of "
        "`model.predict`."),
    LimitName.PART_CPU: (GeneralCode.PART_CPU, "used too much processor time in all",
        "Make each call cheaper: load weights once, call the model directly instead of "
        "`model.predict`."),
    LimitName.MEMORY: (GeneralCode.MEMORY, "asked for more memory than there is for it",
        "Look for arrays or lists that grow with every call, and for a replay buffer made "
        "when only playing is asked for."),
    LimitName.DATA: (GeneralCode.MEMORY, "asked for more memory than there is for it",
        "Look for arrays or lists that grow with every call, and for a replay buffer made "
        "when only playing is asked for."),
    LimitName.RESIDENT: (GeneralCode.RESIDENT, "filled more memory than there is for it",
        "Look for arrays or lists that grow with every call."),
    LimitName.PROCESSES: (GeneralCode.PROCESSES, "started other processes",
        "Do everything in this process: no subprocess, no multiprocessing."),
    LimitName.THREADS: (GeneralCode.THREADS, "started too many threads",
        "Do the work in one thread; wait for a thread before starting the next."),
    LimitName.OPEN_FILES: (GeneralCode.OPEN_FILES, "opened too many files",
        "Open files in a `with` block, so that they are closed again."),
    LimitName.FILE_SIZE: (GeneralCode.FILE_SIZE, "wrote a file that is too large",
        "Write nothing while being graded."),
    LimitName.SCRATCH: (GeneralCode.SCRATCH, "wrote more than there is room for",
        "Write nothing while being graded."),
    LimitName.SCRATCH_FILES: (GeneralCode.SCRATCH, "made too many files",
        "Write nothing while being graded."),
    LimitName.OUTPUT: (GeneralCode.OUTPUT, "printed too much",
        "Remove the `print` calls from loops."),
    LimitName.REPLY: (GeneralCode.REPLY, "returned something too large",
        "Return only what is asked for."),
}  # fmt: skip


def incident_finding(incident: Incident, place: str | None = None) -> Finding:
    """The finding that tells of an incident.

    Args:
        incident: what ended badly.
        place: `file:line` of what was called, for incidents that have no line of their own.
    """
    kind = incident.kind
    where = incident.where() or place
    if kind is IncidentKind.LIMIT and incident.limit is not None:
        return _limit(incident, incident.limit, where)
    if kind is IncidentKind.RAISED:
        return _raised(incident, where)
    code, claim, expected, advice = {
        IncidentKind.MISSING_FILE: (
            GeneralCode.MISSING_FILE, "The file was not handed in.", incident.stage,
            "Put the file at the top of the folder you hand in, with exactly this name.",
        ),
        IncidentKind.REFUSED: (
            GeneralCode.REFUSED, "The submission could not be taken in.",
            "a folder or a plain zip archive", "",
        ),
        IncidentKind.EXITED: (
            GeneralCode.EXITED, f"The process ended while {incident.stage}.", "an answer",
            "Remove calls of `exit`, `quit` and `os._exit`. If there are none, a library crashed: "
            "run the file on its own and look at the last lines it prints.",
        ),
        IncidentKind.PROTOCOL: (
            GeneralCode.UNREADABLE, _unreadable(incident),
            "a number, an array, or a list, tuple or dict of them",
            "Return plain numbers or arrays, and leave the grader's modules alone.",
        ),
        IncidentKind.FAULT: (
            GeneralCode.FAULT, "The grader failed here; this is not your mistake.", None,
            "Nothing to do: the mark is withheld until your instructor has graded this again.",
        ),
    }[kind]  # fmt: skip
    # What is wrong with an answer is a sentence of its own, and nothing that was received.
    received = "" if kind is IncidentKind.PROTOCOL else incident.message
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=_file(incident) or where,
        expected=expected, received=received or None, try_=advice or None,
    )  # fmt: skip


def _unreadable(incident: Incident) -> str:
    reason = f": {incident.message}" if incident.message else ""
    return f"No proper answer came back while {incident.stage}{reason}."


def _file(incident: Incident) -> str | None:
    """The innermost line, or the file that was being imported; None for other incidents."""
    file = incident.stage.removeprefix(_IMPORTING)
    return incident.where() or (file if file != incident.stage else None)


def _limit(incident: Incident, limit: LimitName, where: str | None) -> Finding:
    code, deed, advice = _LIMITS[limit]
    return Finding(
        code=code, severity=Severity.ERROR,
        claim=f"The code {deed} while {incident.stage}.",
        where=_file(incident) or where,
        expected=f"at most {incident.limit_value} ({limit})",
        received=incident.message or "more than that",
        try_=memory_advice(incident) or advice,
    )  # fmt: skip


def _raised(incident: Incident, where: str | None) -> Finding:
    received = ": ".join(part for part in (incident.error_type, incident.message) if part)
    importing = incident.stage.startswith(_IMPORTING)
    failed_import = incident.error_type in {"ModuleNotFoundError", "ImportError"}
    code: StrEnum
    if incident.error_type == SIGNATURE_ERROR:
        code, claim = GeneralCode.SIGNATURE, f"The arguments do not fit while {incident.stage}."
        expected, advice = (
            "parameters that what is offered can fill",
            "Use the assignment's parameters, and give each further one a default value.",
        )
        received = incident.message
    elif incident.error_type in {"SyntaxError", "IndentationError", "TabError"}:
        code, claim = GeneralCode.SYNTAX_ERROR, "Python cannot read the file."
        expected, advice = "valid Python", SYNTAX_ADVICE
    elif importing and failed_import:
        code, claim = GeneralCode.MODULE_NOT_FOUND, "An import in the file fails."
        expected, advice = (
            "imports of the standard library, numpy, gymnasium, tensorflow, keras, or files "
            "handed in",
            import_advice(incident),
        )
    elif importing:
        code, claim = GeneralCode.IMPORT_RAISED, "The file raises an error when it is imported."
        expected, advice = "a file that can be imported", import_time_advice(incident)
    else:
        code, claim = GeneralCode.RAISED, f"An error was raised while {incident.stage}."
        expected, advice = "a result, without an error", exception_advice(incident)
    if (rule := matching_rule(incident)) is not None:
        code, advice = rule.code, rule.advice(incident)
        claim = f"{catalogue()[code].title}: an error while {incident.stage}."
        if importing and isinstance(code, RunCode):
            advice = f"{advice} {MAIN_GUARD}"
    if failed_import:
        received = _INSTALLED_AT.sub("", received)
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=_file(incident) or where,
        expected=expected, received=received or None, try_=advice,
    )  # fmt: skip


def incident_outcome(incident: Incident) -> Outcome:
    """The outcome of a check that an incident ended.

    An exception in the student's code is a judged fact; a limit, a vanished process or an
    unreadable answer leaves the check without a judgement; a fault is the grader's.
    """
    if incident.kind is IncidentKind.FAULT:
        return Outcome.FAULT
    if incident.kind is IncidentKind.RAISED and not incident.stage.startswith(_IMPORTING):
        return Outcome.FAILED
    return Outcome.INVALID


def incident_verdict(incident: Incident, *further: Finding, place: str | None = None) -> Verdict:
    """No points, and the finding that says why.

    Args:
        incident: what ended badly.
        further: findings to tell after it.
        place: as for `incident_finding`.
    """
    return Verdict(
        outcome=incident_outcome(incident),
        fraction=0.0,
        findings=(incident_finding(incident, place), *further),
    )
