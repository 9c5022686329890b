"""Writing results: whole files or none, and the journal's entry when all the others are there."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from grader.assignments.loader import LoadedAssignment
from grader.errors import GraderFault
from grader.exports.grades_csv import grades_csv
from grader.exports.report_json import parse_report_json, report_json
from grader.pipeline.collecting import Collected, PartTiming
from grader.pipeline.durable import remove_leftovers, sync_folder, write_whole
from grader.pipeline.journal import JOURNAL_FILE, is_intact, read_entry
from grader.pipeline.receipt_files import (
    EPISODES_FOLDER,
    clear_partial_receipts,
    receipt_contents,
    receipts_in,
    write_receipts,
)
from grader.pipeline.secrecy import text_without_seeds
from grader.probes.context import EpisodeTiming
from grader.records.journal import JournalEntry
from grader.records.report import GradeReport, SeedSet
from grader.reporting.class_page import render_class_page
from grader.reporting.score_report import render_score_report

EVIDENCE_FILE: Final = "evidence.json.gz"
REPORT_FILE: Final = "report.json"
PAGE_FILE: Final = "report.html"
TIMINGS_FILE: Final = "timings.json"
CLASS_FILE: Final = "index.html"
GRADES_FILE: Final = "grades.csv"
SAME_IN_EVERY_RUN: Final = (EVIDENCE_FILE, PAGE_FILE, REPORT_FILE)
"""Files of a submission whose bytes follow from what is graded; so do its receipts'."""

_FILES: Final = (*SAME_IN_EVERY_RUN, TIMINGS_FILE, JOURNAL_FILE)


def write_submission(
    out: Path, report: GradeReport, collected: Collected, entry: JournalEntry
) -> None:
    """Writes `DIR/<submission>/` with timings, evidence, receipts and report, then its entry.

    Raises:
        GraderFault: a file could not be written.
    """
    folder = out / report.submission.id
    write_whole(folder / TIMINGS_FILE, _timings_text(collected).encode())
    evidence = collected.evidence.model_dump_json(by_alias=True).encode()
    compressed = gzip.compress(evidence, compresslevel=6, mtime=0)
    write_whole(folder / EVIDENCE_FILE, compressed)
    receipts = receipt_contents(collected.evidence)
    write_receipts(folder, receipts)
    contents = {EVIDENCE_FILE: compressed, **receipts}
    files = {name: _sha256(content) for name, content in contents.items()}
    write_report(out, report, entry.model_copy(update={"files": files}))


def same_in_every_run(entry: JournalEntry) -> tuple[str, ...]:
    """Files of a submission whose bytes follow from what is graded, its receipts among them."""
    return (*SAME_IN_EVERY_RUN, *receipts_in(entry))


def _timings_text(collected: Collected) -> str:
    """The timings as JSON; the many numbers of an episode on one line."""
    parts = []
    for part, timing in collected.timings.items():
        plain: dict[str, Any] = asdict(timing)
        episodes = [f"\n        {json.dumps(each)}" for each in plain.pop("episodes")]
        lines = [f"{json.dumps(key)}: {json.dumps(plain[key])}" for key in plain]
        lines.append(f'"episodes": [{",".join(episodes)}]')
        body = ",\n      ".join(lines)
        parts.append(f"\n    {json.dumps(part)}: {{\n      {body}\n    }}")
    whole = ['"schema_version": 1', f'"parts": {{{",".join(parts)}\n  }}']
    if collected.retries:
        retries = [_without_seeds(why, collected) for why in collected.retries]
        whole.append(f'"retries": {json.dumps(retries)}')
    inside = ",\n  ".join(whole)
    return f"{{\n  {inside}\n}}\n"


def _without_seeds(text: str, collected: Collected) -> str:
    for seeds in (collected.evidence.secret_seeds or {}).values():
        text = text_without_seeds(text, seeds)
    return text


def write_report(out: Path, report: GradeReport, entry: JournalEntry | None) -> None:
    """Writes the two forms of a report, then the entry.

    Args:
        out: the folder of all reports.
        report: the report of one submission.
        entry: what the report follows from, with the digests of other files that it speaks of;
            None leaves the submission without one that fits.

    Raises:
        GraderFault: a file could not be written.
    """
    folder = out / report.submission.id
    contents = {
        PAGE_FILE: render_score_report(report).encode(),
        REPORT_FILE: report_json(report).encode(),
    }
    for name, content in contents.items():
        write_whole(folder / name, content)
    _sync(folder)
    if entry is None:
        return
    digests = {name: _sha256(content) for name, content in contents.items()}
    final = entry.model_copy(update={"files": {**entry.files, **digests}})
    write_whole(folder / JOURNAL_FILE, (final.model_dump_json(indent=2) + "\n").encode())
    _sync(folder)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sync(folder: Path) -> None:
    try:
        sync_folder(folder)
    except OSError as error:
        raise GraderFault(f"{folder} cannot be written: {error.strerror or error}") from error


def read_timings(folder: Path) -> dict[str, PartTiming]:
    """What the parts of a submission cost when they were run; empty when that is not known."""
    try:
        parts = json.loads((folder / TIMINGS_FILE).read_bytes())["parts"]
        return {str(part): _timing(timing) for part, timing in parts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _timing(data: dict[str, Any]) -> PartTiming:
    episodes = tuple(
        EpisodeTiming(**{**each, "steps_us": tuple(each["steps_us"])})
        for each in data.get("episodes", ())
    )
    return PartTiming(**{**data, "episodes": episodes})


def clear_leftovers(out: Path) -> None:
    """Removes the unfinished files of graders that were killed."""
    remove_leftovers(out, (CLASS_FILE, GRADES_FILE))
    for file in out.glob("*/.*.partial"):
        remove_leftovers(file.parent, _FILES)
    for place in out.glob(f"*/{EPISODES_FOLDER}"):
        clear_partial_receipts(place.parent)


def write_class(
    out: Path,
    reports: Sequence[GradeReport],
    loaded: LoadedAssignment,
    unfinished: Collection[str] = (),
) -> tuple[str, ...]:
    """Writes the class page and the table of grades.

    They cover the whole folder: grading one submission again, for an appeal say, must not drop
    the rest of the class from its own table.

    Args:
        out: the folder of all reports.
        reports: the reports of this run.
        loaded: the assignment.
        unfinished: ids of submissions whose reports in the folder, if any, are out of date.

    Returns:
        Ids of submissions that are left out because their files are not as they were written.

    Raises:
        GraderFault: a file could not be written.
    """
    everyone, damaged = _with_earlier(out, reports, loaded.digest, unfinished)
    title = loaded.assignment.title
    write_whole(out / CLASS_FILE, render_class_page(everyone, title).encode())
    write_whole(out / GRADES_FILE, grades_csv(everyone).encode())
    _sync(out)
    return damaged


def _with_earlier(
    out: Path,
    reports: Sequence[GradeReport],
    assignment_digest: str,
    unfinished: Collection[str],
) -> tuple[list[GradeReport], tuple[str, ...]]:
    """The reports, those of earlier runs of the same assignment, and which of these are damaged."""
    found = {report.submission.id: report for report in reports}
    damaged: list[str] = []
    for file in sorted(out.glob(f"*/{REPORT_FILE}")):
        folder = file.parent
        if folder.name in found or folder.name in unfinished:
            continue
        try:
            earlier = parse_report_json(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # not ours, or of another version: left alone, and not counted
        if earlier.assignment.digest != assignment_digest or earlier.seeds is not SeedSet.FINAL:
            continue
        entry = read_entry(folder)
        if entry is None or not is_intact(folder, entry, same_in_every_run(entry)):
            damaged.append(folder.name)
            continue
        found[earlier.submission.id] = earlier
    return [found[name] for name in sorted(found)], tuple(damaged)
