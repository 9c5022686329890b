"""What is taken in of a submission, and what is refused, whatever it came in.

A folder and an archive are brought into one form, a listing of entries whose content has not been
read. The rules here turn a listing into files, or say in plain words why not. Because both forms
pass the same rules, the same files have the same digest either way.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from grader.errors import SubmissionRefused
from grader.records.submission import SubmittedFile
from grader.records.text import clean_line

MAX_FILES: Final = 2_000
"""Files of one submission, ignored ones not counted."""
MAX_TOTAL_BYTES: Final = 64 << 20
"""Bytes of all its files."""
MAX_FILE_BYTES: Final = 32 << 20
"""Bytes of one file."""
MAX_PATH_BYTES: Final = 240
"""Bytes (UTF-8) of one path inside the submission."""
MAX_DEPTH: Final = 12
"""Parts of one path, the file's own name counted."""
MAX_ENTRIES: Final = 20_000
"""Files and folders that are looked at, ignored ones counted."""

IGNORED_FOLDERS: Final = frozenset({"__pycache__", "__macosx", "node_modules"})
"""Left out wherever they stand, in lower case; so is everything whose name begins with a dot."""
IGNORED_FILES: Final = frozenset({"thumbs.db", "desktop.ini", "expected.toml"})
"""Left out wherever they stand, in lower case.

`expected.toml` is what a sample submission is expected to score: it is not part of the work, and
must never reach the process that is graded.
"""
IGNORED_SUFFIXES: Final = (".pyc", ".pyo")
ENVIRONMENT_MARK: Final = "pyvenv.cfg"
"""A folder that holds this file and none that is asked for is a virtual environment: left out."""

_SHOWN_CHARS: Final = 120
# Control and format characters (direction overrides among them), surrogates, private use.
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

ADVICE_CONTENT: Final = (
    "Hand in only your own code and the weights it loads: no datasets, environments or logs."
)
ADVICE_PLAIN: Final = (
    "Hand in a plain folder, or a zip archive of one, made with your system's own tool."
)
ADVICE_NAMES: Final = "Rename it, and hand it in again."


@dataclass(frozen=True)
class Entry:
    """One file of a listing; nothing of its content has been read."""

    path: str
    """Path inside the submission as `admitted_path` gives it."""
    size_bytes: int
    """What the folder or archive says the size is."""
    read: Callable[[], bytes]
    """Reads the content; raises `SubmissionRefused` when it is not what was announced."""


def shown(name: str) -> str:
    """A file name as it may be printed."""
    return f"`{clean_line(name, _SHOWN_CHARS)}`"


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is left out: hidden things, caches, leftovers."""
    lowered = name.lower()
    return (
        lowered.startswith(".")
        or lowered in IGNORED_FOLDERS
        or lowered in IGNORED_FILES
        or lowered.endswith(IGNORED_SUFFIXES)
    )


def is_environment(names: Collection[str], asked_for: Collection[str]) -> bool:
    """Whether a folder with these entries is a virtual environment and no submission."""
    return ENVIRONMENT_MARK in names and not any(name in asked_for for name in names)


def inner_path(path: str) -> str:
    """A path without `.` parts, which must not lead out of the submission.

    Args:
        path: with `/` between its parts.

    Raises:
        SubmissionRefused: it is absolute, goes up, or has other separators.
    """
    if path.startswith("/") or (path[1:2] == ":" and path[0].isalpha()):
        raise SubmissionRefused(f"The path {shown(path)} is absolute.", ADVICE_PLAIN)
    if "\\" in path:
        raise SubmissionRefused(
            f"The path {shown(path)} has a backslash in it.",
            "Make the zip archive with your system's own tool, which writes `/` between folders.",
        )
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise SubmissionRefused(f"The path {shown(path)} leads out of the folder.", ADVICE_PLAIN)
    return "/".join(parts)


def admitted_path(path: str) -> str:
    """A path of a file that is taken in, in the one form in which it is stored.

    Args:
        path: with `/` between its parts.

    Returns:
        The path in Unicode's NFC form (macOS writes NFD), without `.` parts.

    Raises:
        SubmissionRefused: it leads out of the submission, or cannot be stored or shown safely.
    """
    inner = inner_path(path)
    if not inner:
        raise SubmissionRefused("A file has no name.", ADVICE_PLAIN)
    if any(unicodedata.category(char) in _UNSAFE for char in inner):
        raise SubmissionRefused(
            f"The name {shown(inner)} has characters in it that cannot be shown.", ADVICE_NAMES
        )
    stored = unicodedata.normalize("NFC", inner)
    depth = stored.count("/") + 1
    if depth > MAX_DEPTH:
        raise SubmissionRefused(
            f"The path {shown(stored)} is nested too deep: {depth} levels, at most {MAX_DEPTH} "
            "are taken.",
            "Hand in the folder with your files itself.",
        )
    size_bytes = len(stored.encode())
    if size_bytes > MAX_PATH_BYTES:
        raise SubmissionRefused(
            f"The path {shown(stored)} is too long: {size_bytes} bytes, at most {MAX_PATH_BYTES} "
            "are taken.",
            "Use shorter names.",
        )
    return stored


def too_many(what: str, limit: int, found: int | None = None) -> SubmissionRefused:
    """The refusal of a submission that holds more than `limit` files or entries."""
    count = f"{found} {what}" if found is not None else f"more than {limit} {what}"
    return SubmissionRefused(f"It holds {count}; at most {limit} are taken.", ADVICE_CONTENT)


def admit(entries: Sequence[Entry], asked_for: Collection[str]) -> tuple[SubmittedFile, ...]:
    """Reads a listing.

    When the top level has no file the assignment asks for, but exactly one folder in it has, that
    folder is the submission: this is what a zip archive of a folder looks like.

    Args:
        entries: the listing, ignored files left out.
        asked_for: names of the files the assignment asks for.

    Returns:
        The files, sorted by path.

    Raises:
        SubmissionRefused: the listing is too much, or a content is not what was announced.
    """
    if len(entries) > MAX_FILES:
        raise too_many("files", MAX_FILES, len(entries))
    listing = sorted(entries, key=lambda entry: entry.path)
    _refuse_collisions([entry.path for entry in listing])
    root = _root([entry.path for entry in listing], asked_for)
    listing = [entry for entry in listing if entry.path.startswith(root)]
    for entry in listing:
        refuse_size(entry.path, entry.size_bytes)
    _refuse_total(sum(entry.size_bytes for entry in listing))
    files = []
    total_bytes = 0
    for entry in listing:
        content = entry.read()
        total_bytes += len(content)
        _refuse_total(total_bytes)
        files.append(SubmittedFile(path=entry.path.removeprefix(root), content=content))
    return tuple(files)


def refuse_size(path: str, size_bytes: int, limit_bytes: int = MAX_FILE_BYTES) -> None:
    """Refuses a file that is too large.

    Raises:
        SubmissionRefused: it is.
    """
    if size_bytes > limit_bytes:
        raise SubmissionRefused(
            f"The file {shown(path)} is too large: {_mib(size_bytes)}, at most "
            f"{_mib(limit_bytes)} are taken.",
            ADVICE_CONTENT,
        )


def _refuse_total(size_bytes: int) -> None:
    if size_bytes > MAX_TOTAL_BYTES:
        raise SubmissionRefused(
            f"Its files are too large together: {_mib(size_bytes)}, at most "
            f"{_mib(MAX_TOTAL_BYTES)} are taken.",
            ADVICE_CONTENT,
        )


def _mib(size_bytes: int) -> str:
    """A size in MiB, rounded up so that one byte too many is not shown as the limit itself."""
    tenths = -(-size_bytes * 10 // (1 << 20))
    return f"{tenths / 10:.10g} MiB"


def _refuse_collisions(paths: Iterable[str]) -> None:
    """Refuses names that would be one and the same file on some machine."""
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        key = _folded(path)
        if key in seen:
            again = "twice" if seen[key] == path else f"beside {shown(seen[key])}"
            raise SubmissionRefused(
                f"The file {shown(path)} stands {again}; upper and lower case make no difference.",
                "Keep one of the two.",
            )
        seen[key] = path
        parts = path.split("/")
        for length in range(1, len(parts)):
            folder = "/".join(parts[:length])
            folders.setdefault(_folded(folder), folder)
    for key, folder in folders.items():
        if key in seen:
            raise SubmissionRefused(
                f"{shown(folder)} is a folder and a file at the same time.", "Keep one of the two."
            )


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())


def _root(paths: Iterable[str], asked_for: Collection[str]) -> str:
    """The folder that is the submission, as a prefix of paths; empty for the top level."""
    homes = {
        "".join(f"{part}/" for part in path.split("/")[:-1])
        for path in paths
        if path.rpartition("/")[2] in asked_for
    }
    below = [home for home in homes if home.count("/") == 1]
    return below[0] if "" not in homes and len(below) == 1 else ""
