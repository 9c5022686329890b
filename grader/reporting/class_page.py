"""`index.html`: the class at a glance, and the way to every report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grader.records.catalogue import catalogue
from grader.records.report import GradeReport, PartRef
from grader.records.result import Outcome
from grader.reporting import plots
from grader.reporting.class_figures import class_figures
from grader.reporting.document import render_page

SHOWN_MISSED: Final = 6
"""Checks in the list of those most often missed; the rest are folded away."""


@dataclass(frozen=True)
class PartCell:
    """Points of one part in a row of the class table."""

    points: float
    max_points: float
    complete: bool


@dataclass(frozen=True)
class ClassRow:
    """One submission in the class table."""

    report: GradeReport
    cells: tuple[PartCell | None, ...]
    """One for each part of the class; None when this report does not have the part."""
    missed_parts: tuple[str, ...]
    """Ids of the parts that did not get full marks."""


def render_class_page(reports: Sequence[GradeReport], title: str) -> str:
    """The class page as one HTML page that needs no network; rows link to the reports beside it.

    Args:
        reports: the reports of all submissions, in any order.
        title: heading of the page, such as the assignment's title.
    """
    ordered = sorted(reports, key=lambda report: report.submission.id)
    parts = _parts(ordered)
    return render_page(
        "class_page.html.jinja",
        styles=("page.css", "class_page.css"),
        scripts=("details_in_print.js", "class_page.js"),
        title=title,
        figures=(figures := class_figures(ordered)),
        histogram=plots.histogram(figures.bins),
        plot_width=plots.WIDTH,
        shown_missed=SHOWN_MISSED,
        parts=parts,
        rows=[_row(report, parts) for report in ordered],
        codes={code: entry.title for code, entry in catalogue().items()},
    )


def _parts(reports: Sequence[GradeReport]) -> tuple[PartRef, ...]:
    parts: dict[str, PartRef] = {}
    for report in reports:
        for part in report.parts:
            parts.setdefault(part.id, part)
    return tuple(parts.values())


def _row(report: GradeReport, parts: Sequence[PartRef]) -> ClassRow:
    cells: list[PartCell | None] = []
    missed: list[str] = []
    for part in parts:
        results = report.of_part(part.id)
        if not results:
            cells.append(None)
            continue
        complete = all(result.outcome is Outcome.PASSED for result in results)
        cells.append(
            PartCell(
                points=sum(result.points for result in results),
                max_points=sum(result.max_points for result in results),
                complete=complete,
            )
        )
        if not complete:
            missed.append(part.id)
    return ClassRow(report=report, cells=tuple(cells), missed_parts=tuple(missed))
