"""What a class reached: mean, median, distribution, and what was missed most often."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grader.records.report import GradeReport, ReportStatus
from grader.records.result import CheckResult, Outcome, Severity

BINS: Final = 10


@dataclass(frozen=True)
class Bin:
    """One column of the score distribution."""

    low_percent: int
    high_percent: int
    """Scores of exactly 100 % fall into the last bin, other bins leave their upper end out."""
    count: int


@dataclass(frozen=True)
class MissedCheck:
    """How often a check was not passed."""

    id: str
    title: str
    part: str
    missed: int
    """Submissions that did not pass it, skipped ones included."""
    skipped: int
    """Those among them where it was not run."""
    judged: int
    """Submissions that count: all but those where the grader failed in this check."""
    codes: tuple[tuple[str, int], ...]
    """The codes found most often, with the number of submissions, at most three."""

    @property
    def share(self) -> float:
        """Share of the submissions that did not pass."""
        return self.missed / self.judged


@dataclass(frozen=True)
class ClassFigures:
    """A class in numbers."""

    count: int
    graded: int
    withheld: int
    mean: float | None
    """Mean score in points of the graded submissions; None when there is none."""
    median: float | None
    max_score: float | None
    """None when the submissions do not share one maximum."""
    bins: tuple[Bin, ...]
    missed: tuple[MissedCheck, ...]
    """Most often missed first; checks that everyone passed are left out."""


def class_figures(reports: Sequence[GradeReport]) -> ClassFigures:
    """Sums up a class. Withheld marks count in no mean and no distribution.

    Args:
        reports: the reports of all submissions, in any order.
    """
    graded = [report for report in reports if report.status is ReportStatus.GRADED]
    scores = [report.score for report in graded if report.score is not None]
    maxima = {report.max_score for report in reports}
    shares = [
        report.score / report.max_score if report.max_score else 1.0
        for report in graded
        if report.score is not None
    ]
    return ClassFigures(
        count=len(reports),
        graded=len(graded),
        withheld=len(reports) - len(graded),
        mean=statistics.fmean(sorted(scores)) if scores else None,
        median=statistics.median(scores) if scores else None,
        max_score=maxima.pop() if len(maxima) == 1 else None,
        bins=_bins(shares),
        missed=_missed(reports),
    )


def _bins(shares: Sequence[float]) -> tuple[Bin, ...]:
    counts = Counter(min(max(int(share * BINS), 0), BINS - 1) for share in shares)
    width = 100 // BINS
    return tuple(
        Bin(low_percent=index * width, high_percent=(index + 1) * width, count=counts[index])
        for index in range(BINS)
    )


def _missed(reports: Sequence[GradeReport]) -> tuple[MissedCheck, ...]:
    by_check: dict[str, list[CheckResult]] = {}
    for report in reports:
        for result in report.results:
            by_check.setdefault(result.id, []).append(result)
    found: list[MissedCheck] = []
    for check, results in by_check.items():
        judged = [result for result in results if result.outcome is not Outcome.FAULT]
        missed = [result for result in judged if result.outcome is not Outcome.PASSED]
        if not missed:
            continue
        codes = Counter(
            code
            for result in missed
            for code in sorted({f.code for f in result.findings if f.severity is Severity.ERROR})
        )
        found.append(
            MissedCheck(
                id=check,
                title=missed[0].title,
                part=missed[0].part,
                missed=len(missed),
                skipped=sum(result.outcome is Outcome.SKIPPED for result in missed),
                judged=len(judged),
                codes=tuple(sorted(codes.items(), key=lambda item: (-item[1], item[0]))[:3]),
            )
        )
    # The sort is stable: checks missed equally often keep the order of the report.
    return tuple(sorted(found, key=lambda missed: -missed.share))
