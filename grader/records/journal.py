"""The journal's entry for a finished submission: what was graded, by what, and what was written."""

from __future__ import annotations

from typing import Final, Literal

from grader.records.base import Record
from grader.records.report import ReportStatus, SeedSet
from grader.records.spec import Isolation

JOURNAL_VERSION: Final = 1
"""Version of the entry's format; entries of another version are not used."""


class KeptPart(Record):
    """One part of a submission whose evidence was kept."""

    probing: str
    """`sha256:<hex>` over what decides how the part is run."""
    isolation: Isolation | None
    """What kept the student's code in; None when nothing was run."""


class JournalEntry(Record):
    """All that a report follows from, as digests, and the digests of the files that were written.

    An entry is written after the files it speaks of. A folder without an entry, or with one that
    does not fit its files, is unfinished.
    """

    schema_version: Literal[1] = JOURNAL_VERSION
    submission: str
    """Its id."""
    work: str
    """`sha256:<hex>` over its files, or over why it was refused."""
    assignment: str
    """Digest of the assignment and its baselines."""
    seeds: SeedSet
    public_only: bool
    asked_isolation: Isolation | None
    """The level that was asked for; None for the strongest that the machine had."""
    running: str
    """Digest of the software that runs submissions."""
    judging: str
    """Digest of the software that judges, scores and writes."""
    parts: dict[str, KeptPart]
    status: ReportStatus
    files: dict[str, str]
    """SHA-256 of each file that is the same in every run, by its name."""
