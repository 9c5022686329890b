"""Writing results: whole files or none, so that an interruption leaves nothing half done."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from grader.assignments.loader import LoadedAssignment
from grader.errors import GraderFault
from grader.exports.grades_csv import grades_csv
from grader.exports.report_json import parse_report_json, report_json
from grader.pipeline.collecting import Collected
from grader.records.report import GradeReport, SeedSet
from grader.reporting.class_page import render_class_page
from grader.reporting.score_report import render_score_report

EVIDENCE_FILE: Final = "evidence.json.gz"


def _write(path: Path, content: bytes) -> None:
    """Writes a file by way of a temporary one beside it.

    Raises:
        GraderFault: it could not be written (no space, no permission); the operator must act.
    """
    temporary = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise GraderFault(f"{path} cannot be written: {error.strerror}") from error


def write_submission(out: Path, report: GradeReport, collected: Collected) -> None:
    """Writes `DIR/<submission>/` with report, timings and evidence.

    Raises:
        GraderFault: a file could not be written.
    """
    folder = out / report.submission.id
    timings = {
        "schema_version": 1,
        "parts": {part: asdict(timing) for part, timing in collected.timings.items()},
    }
    _write(folder / "timings.json", (json.dumps(timings, indent=2) + "\n").encode())
    evidence = collected.evidence.model_dump_json(by_alias=True).encode()
    _write(folder / EVIDENCE_FILE, gzip.compress(evidence, compresslevel=6, mtime=0))
    write_report(out, report)


def write_report(out: Path, report: GradeReport) -> None:
    """Writes the two forms of a report.

    Raises:
        GraderFault: a file could not be written.
    """
    folder = out / report.submission.id
    _write(folder / "report.html", render_score_report(report).encode())
    # Last, so that a folder with a report.json is a finished one.
    _write(folder / "report.json", report_json(report).encode())


def write_class(out: Path, reports: Sequence[GradeReport], loaded: LoadedAssignment) -> None:
    """Writes the class page and the table of grades.

    They cover the whole folder: grading one submission again, for an appeal say, must not drop
    the rest of the class from its own table.

    Raises:
        GraderFault: a file could not be written.
    """
    everyone = _with_earlier(out, reports, loaded.digest)
    title = loaded.assignment.title
    _write(out / "index.html", render_class_page(everyone, title).encode())
    _write(out / "grades.csv", grades_csv(everyone).encode())


def _with_earlier(
    out: Path, reports: Sequence[GradeReport], assignment_digest: str
) -> list[GradeReport]:
    """The reports, and those that stand in the folder from earlier runs of the same assignment."""
    found = {report.submission.id: report for report in reports}
    for file in sorted(out.glob("*/report.json")):
        if file.parent.name in found:
            continue
        try:
            earlier = parse_report_json(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # not ours, or of another version: left alone, and not counted
        if earlier.assignment.digest == assignment_digest and earlier.seeds is SeedSet.FINAL:
            found[earlier.submission.id] = earlier
    return [found[name] for name in sorted(found)]
