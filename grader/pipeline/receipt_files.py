"""The receipts of all episodes, a file for each: they show on appeal what was played."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from grader.errors import GraderFault
from grader.pipeline.durable import sync_folder, write_whole
from grader.records.agent_evidence import AgentEvidence
from grader.records.evidence import Evidence
from grader.records.journal import JournalEntry
from grader.records.receipts import receipt_text, receipts_of

EPISODES_FOLDER: Final = "episodes"


def receipt_contents(evidence: Evidence) -> dict[str, bytes]:
    """The receipts' files of a submission, by name within its folder."""
    return {
        f"{EPISODES_FOLDER}/{receipt.name}": receipt_text(receipt).encode()
        for part in evidence.parts
        if isinstance(part, AgentEvidence)
        for receipt in receipts_of(part, evidence.submission)
    }


def write_receipts(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes the receipts of a submission and removes those of episodes that are no more.

    Args:
        folder: the submission's folder among the reports.
        contents: the files, by name within it.

    Raises:
        GraderFault: one could not be written; the operator must act.
    """
    place = folder / EPISODES_FOLDER
    if place.is_symlink():  # what lies behind it is not this folder's, and would be removed
        raise GraderFault(f"{place} is a link; remove it, so that the receipts have their folder")
    for name, content in contents.items():
        write_whole(folder / name, content)
    if not place.is_dir():
        return
    try:
        for file in place.iterdir():
            if f"{EPISODES_FOLDER}/{file.name}" not in contents:
                file.unlink()
        if contents:
            sync_folder(place)
        else:
            place.rmdir()
    except OSError as error:
        raise GraderFault(f"{place} cannot be written: {error.strerror or error}") from error


def receipts_in(entry: JournalEntry) -> dict[str, str]:
    """Digests of the receipts that an entry speaks of, by name within the folder."""
    return {
        name: digest
        for name, digest in entry.files.items()
        if name.startswith(f"{EPISODES_FOLDER}/")
    }


def clear_partial_receipts(folder: Path) -> None:
    """Removes what a writer that was killed has left of a submission's receipts."""
    for file in (folder / EPISODES_FOLDER).glob(".*.partial"):
        with contextlib.suppress(OSError):
            file.unlink()
