"""`report.json`: one report as data, the same bytes whenever the same work is graded again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from grader.errors import GraderFault
from grader.records.report import GradeReport

# Other programs read these fields, and people read the file from the top: what is promised to them
# comes first, in the promised order, and whatever else there is follows.
_REPORT_FIRST: Final = (
    "schema_version", "assignment", "submission", "status", "score", "max_score", "results",
)  # fmt: skip
_ASSIGNMENT_FIRST: Final = ("id", "digest")
_RESULT_FIRST: Final = (
    "id", "part", "title", "outcome", "points", "max_points", "visibility", "requires", "findings",
)  # fmt: skip


def report_json(report: GradeReport) -> str:
    """A report as JSON text: indented by two spaces, a newline at the end, to be saved as UTF-8.

    Args:
        report: the report of one submission.

    Raises:
        GraderFault: the report holds a number that is not finite, which JSON cannot say; whoever
            maintains the check that produced it must act.
    """
    data = _ordered(report.plain(), _REPORT_FIRST)
    data["assignment"] = _ordered(data["assignment"], _ASSIGNMENT_FIRST)
    data["results"] = [_ordered(result, _RESULT_FIRST) for result in data["results"]]
    try:
        text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise GraderFault(
            f"the report of {report.submission.id} holds a number that is not finite"
        ) from error
    return text + "\n"


def parse_report_json(text: str) -> GradeReport:
    """Reads what `report_json` wrote.

    Args:
        text: the content of a `report.json`.

    Raises:
        pydantic.ValidationError: the text is not a report of this schema version.
    """
    return GradeReport.model_validate_json(text)


def _ordered(data: Mapping[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    return {key: data[key] for key in first} | {
        key: value for key, value in data.items() if key not in first
    }
