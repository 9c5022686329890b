"""Asking the inspector, which serves many submissions one after the other."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakSet

from grader.records.incident import IncidentKind
from grader.records.messages import Request
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import WorkerSource
from grader.sandbox.worker import Worker

_USED: Final[WeakSet[Worker]] = WeakSet()


def ask_inspector(source: WorkerSource, request: Request, stage: str) -> Any:
    """Asks the inspector; once more in a fresh one where it ended.

    What it has used and kept for other submissions must not be held against this one. A limit
    that a fresh one has hit is final.

    Args:
        source: whose inspector.
        request: what to do.
        stage: what that is for.

    Raises:
        WorkerIncident: it raised, hit a limit when fresh, or ended twice.
        GraderFault: there is no inspector; the operator must act.
    """
    inspector = source.inspector()
    fresh = inspector not in _USED
    _USED.add(inspector)
    try:
        return inspector.ask(request, stage)
    except WorkerIncident as error:
        if not error.final or (fresh and error.incident.kind is IncidentKind.LIMIT):
            raise
    again = source.inspector()
    _USED.add(again)
    return again.ask(request, stage)
