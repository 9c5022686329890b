"""A folder as a listing: links and special files are never followed, opened or waited for."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Final

from grader.errors import GraderFault, SubmissionRefused
from grader.intake.admission import (
    ADVICE_PLAIN,
    MAX_ENTRIES,
    MAX_FILE_BYTES,
    MAX_FILES,
    Entry,
    admitted_path,
    is_environment,
    is_ignored,
    refuse_size,
    shown,
    too_many,
)

# A pipe is opened without waiting for its other end, a link not at all. Systems that lack a flag
# are left with the check of the file's type before it is opened.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_SPECIAL: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def list_folder(folder: Path, asked_for: Collection[str]) -> list[Entry]:
    """The files in a folder and the folders below it, ignored ones left out.

    Args:
        folder: where the submission lies.
        asked_for: names of the files the assignment asks for.

    Raises:
        SubmissionRefused: it holds links, special files, or too much.
        GraderFault: the machine could not read it; its operator must act.
    """
    entries: list[Entry] = []
    looked_at = 0
    pending = [(folder, "")]
    while pending:
        place, prefix = pending.pop()
        found = _scan(place, prefix or ".", MAX_ENTRIES - looked_at)
        looked_at += len(found)
        if prefix and is_environment(found, asked_for):
            continue
        for name, status in found.items():
            if is_ignored(name):
                continue
            path = admitted_path(prefix + name)
            if stat.S_ISDIR(status.st_mode):
                pending.append((place / name, f"{path}/"))
                continue
            refuse_unless_regular(path, status.st_mode)
            read = partial(read_regular, place / name, path, MAX_FILE_BYTES)
            entries.append(Entry(path, status.st_size, read))
            if len(entries) > MAX_FILES:
                raise too_many("files", MAX_FILES)
    return entries


def refuse_unless_regular(path: str, mode: int) -> None:
    """Refuses links and special files.

    Args:
        path: as told to the student.
        mode: `st_mode` of the file itself, links not followed.

    Raises:
        SubmissionRefused: it is no regular file.
    """
    if stat.S_ISREG(mode):
        return
    if stat.S_ISLNK(mode):
        raise SubmissionRefused(
            f"{shown(path)} is a link to another place.",
            "Put the file itself there instead of the link.",
        )
    raise SubmissionRefused(
        f"{shown(path)} is {_SPECIAL.get(stat.S_IFMT(mode), 'a special file')}, not a file.",
        ADVICE_PLAIN,
    )


def read_regular(file: Path, path: str, limit_bytes: int) -> bytes:
    """The content of one file, which is neither followed nor waited for if it is no file.

    Args:
        file: where it lies.
        path: as told to the student.
        limit_bytes: the most that is read.

    Raises:
        SubmissionRefused: it is a link, a special file, or too large.
        GraderFault: the machine could not read it, or it changed meanwhile; its operator must act.
    """
    try:
        refuse_unless_regular(path, file.lstat().st_mode)
        descriptor = os.open(file, _FLAGS)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            refuse_unless_regular(path, status.st_mode)
            refuse_size(path, status.st_size, limit_bytes)
            content = stream.read(status.st_size + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(content) != status.st_size:
        raise GraderFault(f"{shown(path)} of a submission changed while it was read")
    return content


def _scan(place: Path, path: str, budget: int) -> dict[str, os.stat_result]:
    """Names and stats of what lies in a folder, sorted so that every run meets the same first."""
    found: dict[str, os.stat_result] = {}
    try:
        with os.scandir(place) as listing:
            for item in listing:
                if len(found) == budget:
                    raise too_many("files and folders", MAX_ENTRIES)
                found[item.name] = item.stat(follow_symlinks=False)
    except OSError as error:
        raise _unreadable(path, error) from error
    return dict(sorted(found.items()))


def _unreadable(path: str, error: OSError) -> GraderFault:
    return GraderFault(f"cannot read {shown(path)} of a submission: {error.strerror or error}")
