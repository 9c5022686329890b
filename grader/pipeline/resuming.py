"""What an earlier run has finished, and how much of it still holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from grader.errors import GraderFault
from grader.exports.report_json import parse_report_json
from grader.pipeline.files import EVIDENCE_FILE, REPORT_FILE, TIMINGS_FILE, same_in_every_run
from grader.pipeline.journal import Terms, is_intact, read_entry, work_digest
from grader.pipeline.regrading import read_evidence
from grader.records.barriers import strength
from grader.records.evidence import PartEvidence
from grader.records.journal import JournalEntry, KeptPart
from grader.records.report import GradeReport, ReportStatus
from grader.records.spec import Isolation
from grader.records.submission import Submission

_STRONGEST: Final = max(Isolation, key=strength)


def kept_report(folder: Path, submission: Submission, terms: Terms) -> GradeReport | None:
    """The report of an earlier run, when grading again would write the same.

    Args:
        folder: the submission's folder among the reports.
        submission: what was handed in.
        terms: what is asked.

    Returns:
        None when anything that decides the report has changed, when the mark was withheld, or when
        a file is missing or is not as it was written.
    """
    entry = read_entry(folder)
    if entry is None or not _was_run_alike(entry, submission, terms):
        return None
    still_right = (
        entry.assignment == terms.loaded.digest
        and entry.public_only == terms.public_only
        and entry.judging == terms.software.judging
        and list(entry.parts) == list(terms.parts)
        and all(_holds(kept, part_id, entry, terms) for part_id, kept in entry.parts.items())
    )
    if not still_right or not is_intact(folder, entry, same_in_every_run(entry)):
        return None
    if not (folder / TIMINGS_FILE).is_file():
        return None
    try:
        return parse_report_json((folder / REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def kept_evidence(folder: Path, submission: Submission, terms: Terms) -> Mapping[str, PartEvidence]:
    """Evidence of an earlier run that another run would give again, by the part's id.

    Args:
        folder: the submission's folder among the reports.
        submission: what was handed in.
        terms: what is asked.
    """
    entry = read_entry(folder)
    if entry is None or not _was_run_alike(entry, submission, terms):
        return {}
    if not is_intact(folder, entry, (EVIDENCE_FILE,)):
        return {}
    try:
        evidence = read_evidence(folder / EVIDENCE_FILE)
    except GraderFault:
        return {}  # of a kind that is not installed any more, say
    return {
        part.part: part
        for part in evidence.parts
        if part.part in entry.parts and _holds(entry.parts[part.part], part.part, entry, terms)
    }


def _was_run_alike(entry: JournalEntry, submission: Submission, terms: Terms) -> bool:
    """Whether the same work was run by the same software, without a fault."""
    return (
        entry.submission == submission.id
        and entry.status is ReportStatus.GRADED
        and entry.running == terms.software.running
        and entry.seeds is terms.seed_set
        and entry.work == work_digest(submission)
    )


def _holds(kept: KeptPart, part_id: str, entry: JournalEntry, terms: Terms) -> bool:
    """Whether a part would be run in the same way, kept in as far as is asked for."""
    if kept.probing != terms.parts.get(part_id):
        return False
    if kept.isolation is None:
        return True
    if strength(kept.isolation) < strength(terms.loaded.assignment.isolation):
        return False
    if terms.isolation is not None:
        return kept.isolation is terms.isolation
    # The strongest is asked for. What that is on this machine shows only when a worker is started,
    # so a level that was asked for by name counts when there is none above it.
    return entry.asked_isolation is None or kept.isolation is _STRONGEST
