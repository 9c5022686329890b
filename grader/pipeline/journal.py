"""The journal: beside each finished submission, what its report follows from.

The entry is written last. A submission is finished when its entry fits its files; whatever kills
the grader before that leaves it unfinished, and it is graded again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from grader.assignments.loader import LoadedAssignment
from grader.pipeline.collecting import part_digest
from grader.pipeline.judging import was_run
from grader.pipeline.software import Software, software
from grader.records.evidence import Evidence
from grader.records.journal import JournalEntry, KeptPart
from grader.records.report import GradeReport, SeedSet
from grader.records.spec import Isolation
from grader.records.submission import Submission
from grader.scoring.results import selected_checks

JOURNAL_FILE: Final = "journal.json"
_MAX_ENTRY_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Terms:
    """What a command asks of every submission; with the work itself it decides the report."""

    loaded: LoadedAssignment
    seed_set: SeedSet
    public_only: bool = False
    isolation: Isolation | None = None
    """The level asked for; None for the strongest that the machine has."""

    @property
    def software(self) -> Software:
        """The software that is at work."""
        return software()

    @cached_property
    def checks(self) -> tuple[str, ...]:
        """Ids of the checks to judge, in report order."""
        return selected_checks(self.loaded.assignment, public_only=self.public_only)

    @cached_property
    def parts(self) -> dict[str, str]:
        """For each part that a check looks at, the digest of how it is run."""
        wanted = dict.fromkeys(check.partition(".")[0] for check in self.checks)
        return {part_id: part_digest(self.loaded, part_id, self.seed_set) for part_id in wanted}


def work_digest(submission: Submission) -> str:
    """SHA-256 over what was handed in: the files, or the reason why they were refused."""
    summary = hashlib.sha256(submission.digest().encode())
    if submission.refusal is not None:
        summary.update(submission.refusal.model_dump_json().encode())
    return f"sha256:{summary.hexdigest()}"


def entry_for(
    terms: Terms, submission: Submission, evidence: Evidence, report: GradeReport
) -> JournalEntry:
    """The entry of a submission that has just been judged, its files left open."""
    return JournalEntry(
        submission=submission.id,
        work=work_digest(submission),
        assignment=terms.loaded.digest,
        seeds=terms.seed_set,
        public_only=terms.public_only,
        asked_isolation=terms.isolation,
        running=terms.software.running,
        judging=terms.software.judging,
        parts={
            part.part: KeptPart(
                probing=terms.parts[part.part],
                isolation=part.isolation if was_run(part) else None,
            )
            for part in evidence.parts
            if part.part in terms.parts
        },
        status=report.status,
        files={},
    )


def read_entry(folder: Path) -> JournalEntry | None:
    """The entry in a submission's folder; None when there is none that can be used."""
    try:
        with (folder / JOURNAL_FILE).open("rb") as stream:
            return JournalEntry.model_validate_json(stream.read(_MAX_ENTRY_BYTES))
    except (OSError, ValueError):
        return None


def is_intact(folder: Path, entry: JournalEntry, names: Iterable[str]) -> bool:
    """Whether files are, byte for byte, as they were when the entry was written."""
    try:
        return all(
            hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry.files[name]
            for name in names
        )
    except (OSError, KeyError):
        return False
