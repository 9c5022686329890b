"""The exception that carries an incident from a worker to the probe that asked."""

from __future__ import annotations

from grader.errors import GraderError
from grader.records.incident import Incident, IncidentKind


class WorkerIncident(GraderError):
    """Student code did not answer; the incident says why.

    Attributes:
        incident: what happened.
        at: index of the call that failed, where several were asked for at once.
    """

    def __init__(self, incident: Incident, at: int | None = None) -> None:
        self.incident = incident
        self.at = at
        super().__init__(f"{incident.kind} while {incident.stage}: {incident.message}")

    @property
    def final(self) -> bool:
        """Whether the worker is gone; after an exception it goes on answering."""
        return self.incident.kind is not IncidentKind.RAISED
