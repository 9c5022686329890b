"""`report.html`: the score report of one submission."""

from __future__ import annotations

from dataclasses import dataclass

from grader.records.catalogue import CatalogueEntry, catalogue
from grader.records.report import GradeReport, PartRef, ReportStatus
from grader.records.result import CheckResult, Outcome
from grader.reporting import plots, return_plots, returns_words
from grader.reporting.document import render_page
from grader.reporting.films import film_view
from grader.reporting.filtered import filtered_view
from grader.reporting.network_drawing import network_drawing
from grader.reporting.pictures import pictures_view
from grader.reporting.played import BAR_WIDTH, played_view
from grader.reporting.priorities import priorities
from grader.reporting.wording import passed_sentence, points_text


@dataclass(frozen=True)
class PartView:
    """A part with its results and sums."""

    ref: PartRef
    results: tuple[CheckResult, ...]
    points: float
    max_points: float
    passed: int
    faults: int
    x: float
    """Left end of the part's stretch of the score bar, in per cent of the bar."""
    width: float
    filled: float


def render_score_report(report: GradeReport) -> str:
    """The score report as one HTML page that needs no network and no other file.

    Args:
        report: the report of one submission.
    """
    return render_page(
        "score_report.html.jinja",
        styles=("page.css", "score_report.css", "network.css", "pictures.css", "film.css"),
        scripts=("details_in_print.js", "film.js"),
        report=report,
        page_title=f"{report.submission.id}: {score_words(report)}",
        withheld=report.status is ReportStatus.WITHHELD,
        faults=[result for result in report.results if result.outcome is Outcome.FAULT],
        passed_sentence=passed_sentence(report),
        share=report.score / report.max_score if report.score is not None and report.max_score
        else None,
        parts=part_views(report),
        priorities=priorities(report),
        part_files={part.id: part.file for part in report.parts},
        part_titles={part.id: part.title for part in report.parts},
        result_ids={result.id for result in report.results},
        explanations=_explanations(report),
        plots=plots,
        return_plots=return_plots,
        returns_words=returns_words,
        network_drawing=network_drawing,
        pictures_view=pictures_view,
        filtered_view=filtered_view,
        film_view=film_view,
        played_view=played_view,
        bar_width=BAR_WIDTH,
    )  # fmt: skip


def score_words(report: GradeReport) -> str:
    """The score in words: `87.5 of 100 points`, or that it is withheld."""
    if report.score is None:
        return "score withheld"
    return f"{points_text(report.score)} of {points_text(report.max_score)} points"


def part_views(report: GradeReport) -> tuple[PartView, ...]:
    """The parts with their sums, and where each stands on the score bar."""
    total = sum(result.max_points for result in report.results) or 1.0
    views: list[PartView] = []
    start = 0.0
    for part in report.parts:
        results = report.of_part(part.id)
        points = sum(result.points for result in results)
        max_points = sum(result.max_points for result in results)
        views.append(
            PartView(
                ref=part,
                results=results,
                points=points,
                max_points=max_points,
                passed=sum(result.outcome is Outcome.PASSED for result in results),
                faults=sum(result.outcome is Outcome.FAULT for result in results),
                x=round(100 * start / total, 3),
                width=round(100 * max_points / total, 3),
                filled=round(100 * points / total, 3),
            )
        )
        start += max_points
    return tuple(views)


def _explanations(report: GradeReport) -> dict[str, CatalogueEntry]:
    known = catalogue()
    codes = {finding.code for result in report.results for finding in result.findings}
    return {code: known[code] for code in sorted(codes) if code in known}
