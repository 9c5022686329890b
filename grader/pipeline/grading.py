"""One submission from what was handed in to a report, with what an earlier run has left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grader.episodes.lanes import SpareJobs
from grader.errors import GraderFault
from grader.intake.discovery import Source, take_in
from grader.pipeline.collecting import Collected, collect, nothing_collected
from grader.pipeline.files import read_timings
from grader.pipeline.journal import Terms, entry_for
from grader.pipeline.judging import judge, was_run
from grader.pipeline.resuming import kept_evidence, kept_report
from grader.records.evidence import PartEvidence
from grader.records.journal import JournalEntry
from grader.records.report import GradeReport
from grader.records.submission import Submission
from grader.sandbox.server import WorkerSource


@dataclass(frozen=True)
class Graded:
    """What came of one submission."""

    report: GradeReport
    collected: Collected
    entry: JournalEntry
    """For the journal, the digests of the written files left open."""
    ran: bool = True
    """Whether anything was run, or everything judged from evidence that was kept."""


def unchanged_report(source: Source, terms: Terms, folder: Path) -> GradeReport | None:
    """The report of an earlier run, when nothing that decides it has changed since.

    Args:
        source: the submission.
        terms: what is asked.
        folder: its folder among the reports.
    """
    if not folder.is_dir():
        return None
    try:
        return kept_report(folder, take_in(source, terms.loaded.assignment), terms)
    except GraderFault:
        return None  # it cannot be read; grading it says so


def grade_one(
    source: Source,
    terms: Terms,
    workers: Callable[[], WorkerSource],
    *,
    folder: Path | None = None,
    on_part: Callable[[str], None] = lambda _: None,
    films: bool = True,
    spare: SpareJobs | None = None,
) -> Graded:
    """Takes in, runs and judges one submission.

    Args:
        source: the submission.
        terms: what is asked.
        workers: answers a source of workers; asked only when something has to be run.
        folder: where an earlier run may have left evidence; None grades everything.
        on_part: called with a part's id before it is run.
        films: whether films of episodes are wanted; a report that nobody writes down has none.
        spare: jobs that nobody uses, for parts that can do several things side by side.

    Raises:
        GraderFault: no worker can be started; the operator must act.
    """
    try:
        submission = take_in(source, terms.loaded.assignment)
    except GraderFault as fault:
        return withheld(source, terms, str(fault), stage="taking it in")
    kept = kept_evidence(folder, submission, terms) if folder is not None else {}
    pool = workers() if terms.parts.keys() - kept.keys() else None
    if pool is not None:
        kept = _kept_in_alike(kept, terms, pool)
    collected = collect(
        submission,
        terms.loaded,
        pool,
        seed_set=terms.seed_set,
        parts=frozenset(terms.parts),
        kept=kept,
        on_part=on_part,
        films=films,
        spare=spare,
    )
    if folder is not None and kept:
        collected = _with_earlier_timings(collected, folder)
    return _judged(submission, terms, collected, ran=pool is not None)


def withheld(source: Source, terms: Terms, message: str, *, stage: str) -> Graded:
    """A submission that nothing could be run of, for a reason on the grader's side.

    Args:
        source: the submission.
        terms: what is asked.
        message: the reason.
        stage: what was being done.
    """
    submission = Submission(id=source.id)
    collected = nothing_collected(
        submission, terms.loaded, seed_set=terms.seed_set, message=message, stage=stage
    )
    return _judged(submission, terms, collected)


def _judged(
    submission: Submission, terms: Terms, collected: Collected, *, ran: bool = True
) -> Graded:
    report = judge(collected.evidence, terms.loaded, public_only=terms.public_only)
    entry = entry_for(terms, submission, collected.evidence, report)
    return Graded(report, collected, entry, ran)


def _kept_in_alike(
    kept: Mapping[str, PartEvidence], terms: Terms, pool: WorkerSource
) -> Mapping[str, PartEvidence]:
    """Evidence of parts that this machine's strongest level would keep in just so."""
    if terms.isolation is not None:
        return kept
    return {
        part_id: part
        for part_id, part in kept.items()
        if not was_run(part) or part.isolation is pool.isolation
    }


def _with_earlier_timings(collected: Collected, folder: Path) -> Collected:
    timings = read_timings(folder) | collected.timings
    ordered = {
        part.part: timings[part.part] for part in collected.evidence.parts if part.part in timings
    }
    return replace(collected, timings=ordered)
