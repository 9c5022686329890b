"""From results to the report: the score, or that there is none."""

from __future__ import annotations

from grader import __version__
from grader.records.report import (
    AssignmentRef,
    GradeReport,
    PartRef,
    ReportStatus,
    SeedSet,
    SubmissionRef,
)
from grader.records.result import CheckResult, Outcome
from grader.records.spec import Assignment, Isolation


def build_report(
    assignment: Assignment,
    assignment_digest: str,
    submission: SubmissionRef,
    results: tuple[CheckResult, ...],
    *,
    seeds: SeedSet,
    isolation: Isolation,
) -> GradeReport:
    """The report of one submission. A single fault withholds the mark.

    Args:
        assignment: what was asked.
        assignment_digest: digest of the assignment and its baselines.
        submission: what was handed in.
        results: one result per check, in report order.
        seeds: which seeds the episodes were played on.
        isolation: the isolation in force.
    """
    withheld = any(result.outcome is Outcome.FAULT for result in results)
    parts = {result.part for result in results}
    return GradeReport(
        grader_version=__version__,
        assignment=AssignmentRef(
            id=assignment.id, title=assignment.title, digest=assignment_digest
        ),
        submission=submission,
        isolation=isolation,
        seeds=seeds,
        status=ReportStatus.WITHHELD if withheld else ReportStatus.GRADED,
        score=None if withheld else round(sum(result.points for result in results), 2),
        max_score=round(sum(result.max_points for result in results), 2),
        parts=tuple(
            PartRef(id=part_id, title=part.title, file=part.file)
            for part_id, part in assignment.parts.items()
            if part_id in parts
        ),
        results=results,
    )
