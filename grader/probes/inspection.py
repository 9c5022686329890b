"""Asking the inspector, which serves many submissions one after the other."""

from __future__ import annotations

from typing import Any

from grader.records.messages import Request
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import WorkerSource


def ask_inspector(source: WorkerSource, request: Request, stage: str) -> Any:
    """Asks the inspector; once more in a fresh one where it ended.

    What it has used and kept for other submissions must not be held against this one.

    Args:
        source: whose inspector.
        request: what to do.
        stage: what that is for.

    Raises:
        WorkerIncident: it raised, or ended twice.
        GraderFault: there is no inspector; the operator must act.
    """
    try:
        return source.inspector().ask(request, stage)
    except WorkerIncident as incident:
        if not incident.final:
            raise
    return source.inspector().ask(request, stage)
