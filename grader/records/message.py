"""What requests to a worker and its answers have in common."""

from __future__ import annotations

from pydantic import ConfigDict

from grader.records.base import Record


class Message(Record):
    """A record that may hold arrays."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
