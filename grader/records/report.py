"""The score report of one submission."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field

from grader.records.base import SCHEMA_VERSION, Record
from grader.records.result import CheckResult, Outcome
from grader.records.spec import Isolation
from grader.records.submission import FileRecord


class ReportStatus(StrEnum):
    """Whether there is a mark."""

    GRADED = "graded"
    WITHHELD = "withheld"


class AssignmentRef(Record):
    """Which assignment was graded."""

    id: str
    title: str
    digest: str
    """SHA-256 of the assignment file and its baselines."""


class SubmissionRef(Record):
    """Which submission was graded."""

    id: str
    digest: str
    files: tuple[FileRecord, ...]


class PartRef(Record):
    """A part, as the report heads it."""

    id: str
    title: str
    file: str


class SeedSet(StrEnum):
    """Which seeds the episodes were played on."""

    PUBLIC = "public"
    FINAL = "final"


class GradeReport(Record):
    """The report: `report.json`, and all that `report.html` shows."""

    schema_version: Literal[1] = SCHEMA_VERSION
    grader_version: str
    assignment: AssignmentRef
    submission: SubmissionRef
    isolation: Isolation
    """The isolation that was in force while student code ran."""
    seeds: SeedSet
    status: ReportStatus
    score: float | None = Field(description="Marks earned; null when withheld")
    max_score: float
    parts: tuple[PartRef, ...]
    results: tuple[CheckResult, ...]

    def of_part(self, part_id: str) -> tuple[CheckResult, ...]:
        """The results of one part, in report order."""
        return tuple(result for result in self.results if result.part == part_id)

    def outline(self) -> Self:
        """The report without words and pictures: what a class page shows."""
        results = tuple(
            result.model_copy(
                update={
                    "findings": tuple(finding.outline() for finding in result.findings),
                    "exhibits": (),
                }
            )
            for result in self.results
        )
        submission = self.submission.model_copy(update={"files": ()})
        return self.model_copy(update={"results": results, "submission": submission})

    def complete(self) -> bool:
        """Whether every required check got full marks."""
        return all(result.outcome is Outcome.PASSED for result in self.results if result.required)
