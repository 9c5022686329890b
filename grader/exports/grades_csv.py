"""`grades.csv`: one line per submission, for a grade book or a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from grader.records.report import GradeReport

HEADER: Final = ("submission", "score", "max_score", "status")

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters that make a spreadsheet read a cell as a formula, full-width forms included.

Source: OWASP, CSV Injection.
"""

_GUARD: Final = "'"


def grades_csv(reports: Sequence[GradeReport]) -> str:
    """The grades as CSV text, lines ended by a newline, sorted by submission.

    The score is empty when the mark is withheld. Numbers are written as in `report.json`.

    A student names their folder, and a spreadsheet would run a name such as `=HYPERLINK(…)`. So a
    name that starts with one of `FORMULA_STARTS` gets an apostrophe in front, which spreadsheets
    take for 'this is text'. A name that starts with an apostrophe of its own gets one too, so that
    removing one leading apostrophe always gives the name back.

    Args:
        reports: the reports of all submissions, in any order.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for report in sorted(reports, key=lambda report: report.submission.id):
        score = "" if report.score is None else repr(report.score)
        writer.writerow(
            (_guarded(report.submission.id), score, repr(report.max_score), report.status.value)
        )
    return text.getvalue()


def _guarded(name: str) -> str:
    return _GUARD + name if name.startswith((*FORMULA_STARTS, _GUARD)) else name
