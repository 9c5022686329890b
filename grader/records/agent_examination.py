"""What was tried with an agent beside playing: shifted starts, other weights, other episodes."""

from __future__ import annotations

from grader.records.base import Record


class AgentExamination(Record):
    """Trials that checks beside the performance ask for."""
