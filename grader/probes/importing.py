"""Collects the evidence of a part, without the file's script where that stands in the way.

Many files train, play or ask something when they are imported. Where that fails, what the file
defines can be judged all the same: a fresh worker runs the definitions alone. The second attempt
has what is left of the part's limits, and nothing that the first one left behind.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from grader.probes.context import ProbeContext
from grader.records.evidence import PartEvidence
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.source import ImportMode

_UNREADABLE: Final = frozenset({"SyntaxError", "IndentationError", "TabError"})
_LIMITS: Final = frozenset({LimitName.CALL_WALL, LimitName.CALL_CPU, LimitName.OUTPUT})
"""Limits that a script hits by being one; memory, threads and files are another matter."""


def collect_evidence(context: ProbeContext) -> PartEvidence:
    """Evidence of a part, in the way of importing that its assignment allows.

    Raises:
        WorkerIncident: a probe did not handle an incident.
        GraderFault: the machinery failed; the operator must act.
    """
    mode = context.part.import_mode
    if mode is ImportMode.DEFINITIONS:
        return context.kind.collect(replace(context, definitions_only=True))
    whole = context.kind.collect(context)
    if (
        mode is ImportMode.WHOLE
        or whole.load is None
        or not _is_of_a_script(whole.load, context.part.file)
    ):
        return whole
    definitions = context.kind.collect(replace(context, definitions_only=True))
    if definitions.load is not None or not definitions.left_out or not definitions.symbols:
        return whole  # it was not the script that failed, or there is nothing beside it
    return definitions.model_copy(update={"script": whole.load})


def _is_of_a_script(incident: Incident, file: str) -> bool:
    """Whether an import may have failed by what a file does beside defining things."""
    if not incident.stage.startswith(f"importing {file}"):
        return False
    if incident.kind is IncidentKind.LIMIT:
        return incident.limit in _LIMITS
    if incident.kind is IncidentKind.EXITED:
        return bool(incident.frames)  # by `sys.exit`; other ends have no line
    return incident.kind is IncidentKind.RAISED and incident.error_type not in _UNREADABLE
