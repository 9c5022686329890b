"""Judges kept evidence again, after a rubric was mended: nothing is run, nothing can differ."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from grader.assignments.loader import (
    LoadedAssignment,
    missing_baselines,
    with_secret_seeds,
)
from grader.assignments.registry import UnknownKind, probe_kind
from grader.errors import GraderFault, UsageError
from grader.pipeline.collecting import probing_digest
from grader.pipeline.durable import locked
from grader.pipeline.files import EVIDENCE_FILE, clear_leftovers, write_class, write_report
from grader.pipeline.journal import read_entry
from grader.pipeline.judging import judge
from grader.pipeline.receipt_files import receipts_in
from grader.pipeline.software import software
from grader.records.base import SCHEMA_VERSION
from grader.records.evidence import Evidence
from grader.records.journal import JournalEntry
from grader.records.report import GradeReport, SeedSet

_MAX_EVIDENCE_BYTES: Final = 1 << 30


def read_evidence(file: Path) -> Evidence:
    """Evidence as it was kept.

    Raises:
        GraderFault: the file cannot be read or is damaged; its owner must act.
    """
    try:
        with gzip.open(file) as stream:
            data = json.loads(stream.read(_MAX_EVIDENCE_BYTES))
        if data["schema_version"] != SCHEMA_VERSION:
            raise GraderFault(f"{file} was written by another version of the grader")
        parts = tuple(
            probe_kind(part["kind"]).evidence.model_validate_json(json.dumps(part))
            for part in data.pop("parts")
        )
        evidence = Evidence.model_validate_json(json.dumps({**data, "parts": []}))
    except (OSError, EOFError, ValueError, KeyError, TypeError, UnknownKind) as error:
        kind = "is damaged" if isinstance(error, ValidationError) else f"cannot be read: {error}"
        raise GraderFault(f"{file} {kind}") from error
    return evidence.model_copy(update={"parts": parts})


def regrade(out: Path, loaded: LoadedAssignment) -> list[GradeReport]:
    """Judges everything in a folder of reports by the assignment as it is now.

    Args:
        out: a folder that `grader grade` has written.
        loaded: the assignment; its parts, names, settings of parts, limits and seeds must be those
            that were run. Points, titles, requirements and settings of checks may differ. Secret
            seeds and what the references reached on them stand in the evidence.

    Returns:
        The new reports, by submission. They are written in place of the old ones.

    Raises:
        UsageError: there is no evidence, the assignment asks for something else to be run, or
            another grader is writing there.
        GraderFault: evidence cannot be read, or a report cannot be written.
    """
    if not any(out.glob(f"*/{EVIDENCE_FILE}")):
        raise UsageError(f"{out} holds no {EVIDENCE_FILE}; grade first.")
    with locked(out):
        clear_leftovers(out)
        return _regrade(out, loaded)


def _regrade(out: Path, loaded: LoadedAssignment) -> list[GradeReport]:
    kept = [read_evidence(file) for file in sorted(out.glob(f"*/{EVIDENCE_FILE}"))]
    loaded = _as_played(kept, loaded, out)
    for evidence in kept:
        if evidence.probing_digest != probing_digest(loaded, evidence.seeds):
            raise UsageError(
                f"{evidence.submission.id} was run with other parts, names, settings, limits or "
                f"seeds than {loaded.path} asks for now; run `grader grade` again."
            )
    reports = [
        judge(evidence, loaded, public_only=evidence.seeds is SeedSet.PUBLIC) for evidence in kept
    ]
    for report in reports:
        write_report(out, report, _entry(out, report, loaded))
    write_class(out, reports, loaded)
    return reports


def _as_played(kept: Sequence[Evidence], loaded: LoadedAssignment, out: Path) -> LoadedAssignment:
    """The assignment with the secret seeds that were played, where they were secret."""
    first = kept[0]
    for evidence in kept:
        if (evidence.secret_seeds, evidence.references) != (first.secret_seeds, first.references):
            raise UsageError(
                f"{first.submission.id} and {evidence.submission.id} in {out} were run with seeds "
                "from different secrets, or one without; run `grader grade` again."
            )
    if first.secret_seeds is None:
        if missing := missing_baselines(loaded):
            raise UsageError(
                f"{loaded.path}: no reference results are recorded for {', '.join(missing)}; "
                f"run `grader baseline {loaded.path} --reference FOLDER` first."
            )
        return loaded
    counts = {len(seeds) for seeds in first.secret_seeds.values()}
    if counts != {loaded.assignment.seeds.final_count} or (
        first.secret_seeds.keys() != loaded.assignment.parts.keys()
    ):
        raise UsageError(
            f"{first.submission.id} was run with other parts or another number of seeds than "
            f"{loaded.path} asks for now; run `grader grade` again."
        )
    return with_secret_seeds(loaded, first.secret_seeds, first.references)


def _entry(out: Path, report: GradeReport, loaded: LoadedAssignment) -> JournalEntry | None:
    """The entry of what was run, with the rubric it is judged by now."""
    entry = read_entry(out / report.submission.id)
    if entry is None:
        return None
    return entry.model_copy(
        update={
            "assignment": loaded.digest,
            "judging": software().judging,
            "status": report.status,
            "files": {
                EVIDENCE_FILE: entry.files.get(EVIDENCE_FILE, ""),
                **receipts_in(entry),
            },
        }
    )
