"""Finding submissions in folders and archives, and taking them in one by one."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.errors import GraderFault, SubmissionRefused, UsageError
from grader.intake.admission import (
    MAX_ENTRIES,
    Entry,
    admit,
    is_environment,
    is_ignored,
    shown,
)
from grader.intake.archive import list_archive
from grader.intake.folder import list_folder, refuse_unless_regular
from grader.records.spec import Assignment
from grader.records.submission import Refusal, Submission

ARCHIVE_SUFFIX: Final = ".zip"
MAX_ID_BYTES: Final = 200
"""Longest id in UTF-8, the number behind it not counted; file systems take 255."""

# Names that other files of a report folder have, or that Windows keeps for itself.
_RESERVED: Final = frozenset(
    {"index.html", "grades.csv", "con", "prn", "aux", "nul"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)}
)
_UNSAFE_CHARS: Final = frozenset('/\\:*?"<>|')
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True)
class Source:
    """A submission that was found; nothing of its content has been read."""

    id: str
    """Unique among those found, upper and lower case apart or not; safe as a folder's name."""
    path: Path
    """The folder or archive."""


def files_asked_for(assignment: Assignment) -> frozenset[str]:
    """Names of the files that an assignment asks for."""
    return frozenset(part.file for part in assignment.parts.values())


def find_submissions(
    paths: Sequence[Path], assignment: Assignment, ignored: Collection[Path] = ()
) -> tuple[Source, ...]:
    """Finds submissions.

    A path is one submission (a folder or a `.zip`), or a folder that holds many. A folder is one
    submission when it holds, at its top, a file the assignment asks for; otherwise each folder and
    each `.zip` in it is one. Hidden things, caches, virtual environments, folders without any file
    and files that are no `.zip` are passed over there.

    Args:
        paths: as named by the caller.
        assignment: tells which files are asked for.
        ignored: folders that are no submissions wherever they lie, such as the one that reports
            are written to.

    Returns:
        What was found, sorted by id. The ids depend on what is found, not on the order of `paths`.

    Raises:
        UsageError: a path does not exist, cannot be read, or is neither a folder nor a `.zip`; the
            caller must act.
    """
    asked_for = files_asked_for(assignment)
    left_out = {path.resolve() for path in ignored}
    found: dict[Path, None] = {}
    for path in paths:
        try:
            found.update(dict.fromkeys(_found_at(path, asked_for, left_out)))
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    return _identified(found)


def _found_at(path: Path, asked_for: Collection[str], left_out: Collection[Path]) -> list[Path]:
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder")
    place = path.resolve()
    if not place.is_dir():
        if place.is_file() and _is_archive(place.name):
            return [place]
        raise UsageError(f"{path}: neither a folder nor a {ARCHIVE_SUFFIX} archive")
    entries = _entries(place)
    if any(name in asked_for and not _is_folder(entry) for name, entry in entries.items()):
        return [place]
    return [
        place / name
        for name, entry in entries.items()
        if not is_ignored(name)
        and place / name not in left_out
        and _is_submission(entry, asked_for)
    ]


def _entries(folder: Path | str) -> dict[str, os.DirEntry[str]]:
    with os.scandir(folder) as listing:
        return {entry.name: entry for entry in listing}


def _is_archive(name: str) -> bool:
    return name.lower().endswith(ARCHIVE_SUFFIX)


def _is_submission(entry: os.DirEntry[str], asked_for: Collection[str]) -> bool:
    if entry.is_dir(follow_symlinks=False):
        return _holds_files(entry.path, asked_for)
    # A link that looks like a submission is found here and refused when it is taken in.
    return _is_archive(entry.name) or (entry.is_symlink() and _is_folder(entry))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return Path(entry.path).is_dir()


def _holds_files(folder: str, asked_for: Collection[str]) -> bool:
    """Whether a folder holds a file, at any depth, that would be taken in.

    Folders that cannot be read, or hold folders without end, count: taking them in says why not.
    """
    pending = [folder]
    looked_at = 0
    while pending and looked_at <= MAX_ENTRIES:
        try:
            entries = _entries(pending.pop())
        except OSError:
            return True
        looked_at += len(entries)
        if is_environment(entries, asked_for):
            continue
        for name, entry in entries.items():
            if is_ignored(name):
                continue
            if not entry.is_dir(follow_symlinks=False):
                return True
            pending.append(entry.path)
    return bool(pending)


def _identified(found: Iterable[Path]) -> tuple[Source, ...]:
    """Gives each place an id: the plain name to the first of that name, suffixes to the others."""
    named = sorted((_safe_id(path), path.name, str(path), path) for path in found)
    taken = set(_RESERVED)
    sources = []
    repeated = []
    for name, _, _, path in named:
        if name.casefold() in taken:
            repeated.append((name, path))
        else:
            taken.add(name.casefold())
            sources.append(Source(name, path))
    for name, path in repeated:
        number = 2
        while f"{name}-{number}".casefold() in taken:
            number += 1
        taken.add(f"{name}-{number}".casefold())
        sources.append(Source(f"{name}-{number}", path))
    return tuple(sorted(sources, key=lambda source: source.id))


def _safe_id(path: Path) -> str:
    name = path.name
    if _is_archive(name) and not path.is_dir():
        name = name[: -len(ARCHIVE_SUFFIX)]
    safe = "".join(
        "_" if char in _UNSAFE_CHARS or unicodedata.category(char) in _UNSAFE_CATEGORIES else char
        for char in unicodedata.normalize("NFC", name)
    )
    # A leading dot hides a folder, a leading dash looks like an option, and Windows drops dots and
    # spaces at the end.
    capped = safe.lstrip(" .-").encode()[:MAX_ID_BYTES].decode(errors="ignore")
    return capped.rstrip(" .") or "submission"


def take_in(source: Source, assignment: Assignment) -> Submission:
    """Reads a submission: named bytes, nothing executed, nothing parsed, nothing written.

    What is left out, what is refused and the limits stand in `grader.intake.admission`. The same
    files have the same digest wherever they lie, in a folder or in an archive.

    Returns:
        The submission; with `refusal` and no files when it is hostile, damaged or too large.

    Raises:
        GraderFault: the machine could not read it (no permission, a failing disk, gone since it
            was found); its operator must act.
    """
    asked_for = files_asked_for(assignment)
    try:
        files = admit(_listing(source.path)(source.path, asked_for), asked_for)
    except SubmissionRefused as refused:
        return Submission(
            id=source.id, refusal=Refusal(reason=refused.reason, advice=refused.advice)
        )
    return Submission(id=source.id, files=files)


def _listing(path: Path) -> Callable[[Path, Collection[str]], list[Entry]]:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise GraderFault(f"cannot read {shown(path.name)}: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        return list_folder
    refuse_unless_regular(path.name, mode)
    return list_archive
