"""How a request to a worker ended badly, and where in the student's files."""

from __future__ import annotations

from enum import StrEnum

from grader.records.base import Record


class IncidentKind(StrEnum):
    """What kept student code from answering."""

    MISSING_FILE = "missing_file"
    REFUSED = "refused"
    """The submission as a whole could not be taken in."""
    RAISED = "raised"
    """An exception left the student's code."""
    EXITED = "exited"
    """The process ended (exit, crash, kill) instead of answering."""
    LIMIT = "limit"
    """A limit was hit."""
    PROTOCOL = "protocol"
    """What came back was no answer to the question."""
    FAULT = "fault"
    """The grader or the machine failed."""


class LimitName(StrEnum):
    """The limits a worker can hit; named as in the assignment."""

    CALL_WALL = "call_wall_s"
    CALL_CPU = "call_cpu_s"
    PART_WALL = "part_wall_s"
    PART_CPU = "part_cpu_s"
    MEMORY = "memory_mb"
    DATA = "data_mb"
    RESIDENT = "resident_mb"
    PROCESSES = "processes"
    THREADS = "threads"
    OPEN_FILES = "open_files"
    FILE_SIZE = "file_mb"
    SCRATCH = "scratch_mb"
    SCRATCH_FILES = "scratch_files"
    OUTPUT = "output_kb"
    REPLY = "reply_mb"


class Frame(Record):
    """One line of a traceback, in the student's own files."""

    file: str
    line: int
    function: str
    text: str = ""
    """The source line."""


class Incident(Record):
    """How a request to the worker ended badly."""

    kind: IncidentKind
    stage: str
    """What was being done, such as `importing network.py` or `calling act (step 31)`."""
    error_type: str = ""
    """Exception class, for `raised`."""
    message: str = ""
    frames: tuple[Frame, ...] = ()
    """Outermost first."""
    limit: LimitName | None = None
    limit_value: str = ""
    """The value of the limit that was hit, with its unit."""

    def where(self) -> str | None:
        """The innermost line of the student's files, as `file:line`."""
        return f"{self.frames[-1].file}:{self.frames[-1].line}" if self.frames else None
