"""A submission after intake: named bytes, nothing executed, nothing parsed."""

from __future__ import annotations

import hashlib

from pydantic import Field

from grader.records.base import Record


class FileRecord(Record):
    """One file of a submission, as reported."""

    path: str
    """Path inside the submission, with `/`."""
    size_bytes: int = Field(ge=0)
    sha256: str


class Refusal(Record):
    """Why a submission could not be taken in."""

    reason: str
    """What was found."""
    advice: str
    """What to hand in instead."""


class SubmittedFile(Record):
    """One file with its content."""

    path: str
    content: bytes = Field(repr=False)

    def record(self) -> FileRecord:
        """Path, size and digest of this file."""
        return FileRecord(
            path=self.path,
            size_bytes=len(self.content),
            sha256=hashlib.sha256(self.content).hexdigest(),
        )


class Submission(Record):
    """One student's work."""

    id: str
    """Name of the folder or archive it came from."""
    files: tuple[SubmittedFile, ...] = ()
    """Sorted by path."""
    refusal: Refusal | None = None
    """Set when it could not be taken in; then `files` is empty."""

    def digest(self) -> str:
        """SHA-256 over all paths and contents, as `sha256:<hex>`."""
        summary = hashlib.sha256()
        for file in self.files:
            record = file.record()
            summary.update(f"{record.path}\0{record.size_bytes}\0{record.sha256}\n".encode())
        return f"sha256:{summary.hexdigest()}"

    def has(self, path: str) -> bool:
        """Whether a file with this path was handed in."""
        return any(file.path == path for file in self.files)
