"""A zip archive as a listing. Nothing is ever extracted: contents go from the archive to memory.

`zipfile` reads the central directory. Names, kinds, places and sizes of the entries are judged
here, and contents are unpacked here, with the announced size as the bound.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

from grader.errors import SubmissionRefused
from grader.intake.admission import (
    ADVICE_PLAIN,
    MAX_ENTRIES,
    MAX_TOTAL_BYTES,
    Entry,
    admitted_path,
    inner_path,
    is_environment,
    is_ignored,
    shown,
    too_many,
)
from grader.intake.folder import read_regular, refuse_unless_regular

MAX_ARCHIVE_BYTES: Final = MAX_TOTAL_BYTES + (16 << 20)
"""Bytes of the archive: all that is taken, stored without compression, and some room for names."""
MAX_RATIO: Final = 200
"""Bytes that one byte of the archive may stand for, in files above `RATIO_FREE_BYTES`."""
RATIO_FREE_BYTES: Final = 4 << 20
"""Bytes of one file up to which any ratio is taken: an array of zeros is no attack."""

_ENTRY_MARK: Final = b"PK\x01\x02"
_LOCAL_MARK: Final = b"PK\x03\x04"
_END_MARK: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_MAX_COMMENT_BYTES: Final = 0xFFFF
_LOCAL_HEADER: Final = struct.Struct("<4s2xHH16xHH")
"""Mark, flags, method, length of the name, length of the extra field."""
_LOCAL_BYTES: Final = _LOCAL_HEADER.size
# Archives inside the archive hold entry marks of their own; this many together are a flood.
_MAX_MARKS: Final = 2 * MAX_ENTRIES

_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_UTF8: Final = 0x800
_WINDOWS_LINK: Final = 0x400
_METHODS: Final = {
    1: "shrink", 6: "implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard",
    95: "XZ", 98: "PPMd",
}  # fmt: skip
_OTHER_FORMATS: Final = (
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip or tar.gz archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an XZ archive"),
    (b"%PDF", "a PDF document"),
    (b"<", "a web page"),
)
_ADVICE_DAMAGED: Final = "Make the zip archive again, open it once yourself, and hand that one in."
_ADVICE_METHOD: Final = (
    "Make a plain zip archive with your system's own tool (method Deflate, no password)."
)


@dataclass(frozen=True)
class _Member:
    """One entry of the central directory, and where its data lies."""

    info: zipfile.ZipInfo
    path: str
    start: int
    """Offset of its local header."""
    data: int
    """Offset of its first byte of data."""
    end: int


def list_archive(archive: Path, asked_for: Collection[str]) -> list[Entry]:
    """The files in a zip archive, ignored ones left out.

    Args:
        archive: where it lies.
        asked_for: names of the files the assignment asks for.

    Raises:
        SubmissionRefused: it is hostile, damaged, too large, or no zip archive.
        GraderFault: the machine could not read it; its operator must act.
    """
    content = read_regular(archive, archive.name, MAX_ARCHIVE_BYTES)
    _refuse_flood(content)
    infos, directory_start = _central_directory(content)
    if len(infos) > MAX_ENTRIES:
        raise too_many("entries", MAX_ENTRIES, len(infos))
    members = [_located(content, info) for info in infos]
    _refuse_overlaps(members, directory_start)
    environments = _environments((member.path for member in members), asked_for)
    entries = []
    for member in members:
        if member.info.orig_filename.endswith("/") or _is_left_out(member.path, environments):
            continue
        path = admitted_path(member.path)
        _refuse_member(member)
        entries.append(Entry(path, member.info.file_size, partial(_unpacked, content, member)))
    return entries


def _refuse_flood(content: bytes) -> None:
    """Refuses floods of entries before anything is made of them."""
    end = content.rfind(_END_MARK, max(0, len(content) - _END_BYTES - _MAX_COMMENT_BYTES))
    if end < 0 or end + _END_BYTES > len(content):
        raise SubmissionRefused(_no_zip(content), ADVICE_PLAIN)
    (announced,) = struct.unpack_from("<H", content, end + 10)
    if announced > MAX_ENTRIES:
        raise too_many("entries", MAX_ENTRIES)
    # The announced number can lie; each entry that can be read has a mark.
    if content.count(_ENTRY_MARK) > _MAX_MARKS:
        raise too_many("entries", MAX_ENTRIES)


def _no_zip(content: bytes) -> str:
    if not content:
        return "The file is empty."
    if content.startswith(_LOCAL_MARK):
        return "The zip archive is cut off: its end is missing."
    for mark, what in _OTHER_FORMATS:
        if content.startswith(mark):
            return f"It is called a zip archive, but it is {what}."
    return "It is called a zip archive, but it is none."


def _central_directory(content: bytes) -> tuple[list[zipfile.ZipInfo], int]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            return opened.infolist(), opened.start_dir
    except UnicodeDecodeError as error:
        raise SubmissionRefused(
            "A name in the zip archive says that it is UTF-8 and is not.",
            "Rename files that have unusual characters in their names, and make it again.",
        ) from error
    except NotImplementedError as error:
        raise SubmissionRefused(
            "The zip archive needs a newer format than is taken.", _ADVICE_METHOD
        ) from error
    except (
        zipfile.BadZipFile,
        ValueError,
        struct.error,
        OverflowError,
        EOFError,
        Warning,
    ) as error:
        raise SubmissionRefused("The zip archive is damaged.", _ADVICE_DAMAGED) from error


def _located(content: bytes, info: zipfile.ZipInfo) -> _Member:
    """Where an entry lies, from its local header, which must agree with the directory."""
    raw_name = _raw_name(info)
    path = inner_path(_name(info, raw_name))
    start = info.header_offset
    if start < 0 or start + _LOCAL_BYTES > len(content):
        raise _damaged(path)
    mark, flags, method, name_bytes, extra_bytes = _LOCAL_HEADER.unpack_from(content, start)
    name_start = start + _LOCAL_BYTES
    data = name_start + name_bytes + extra_bytes
    if (
        mark != _LOCAL_MARK
        or method != info.compress_type
        or (flags ^ info.flag_bits) & _ENCRYPTED
        or content[name_start : name_start + name_bytes] != raw_name
    ):
        raise SubmissionRefused(
            f"The zip archive says two different things about {shown(path)}.", _ADVICE_DAMAGED
        )
    return _Member(info, path, start, data, data + info.compress_size)


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


def _name(info: zipfile.ZipInfo, raw_name: bytes) -> str:
    """The name as meant: macOS writes UTF-8 without saying so."""
    try:
        return raw_name.decode("utf-8")
    except UnicodeDecodeError:
        return info.orig_filename


def _damaged(path: str) -> SubmissionRefused:
    return SubmissionRefused(
        f"The zip archive is damaged: {shown(path)} cannot be read.", _ADVICE_DAMAGED
    )


def _refuse_overlaps(members: Iterable[_Member], directory_start: int) -> None:
    """Refuses entries that share data: many large files out of one small one."""
    ordered = sorted(members, key=lambda member: (member.start, member.end))
    for member, following in pairwise(ordered):
        if member.end > following.start:
            raise SubmissionRefused(
                f"In the zip archive {shown(following.path)} lies inside {shown(member.path)}.",
                _ADVICE_DAMAGED,
            )
    if ordered and ordered[-1].end > directory_start:
        raise _damaged(ordered[-1].path)


def _environments(paths: Iterable[str], asked_for: Collection[str]) -> frozenset[str]:
    """Folders of virtual environments, judged as in a folder on disk."""
    contents: dict[str, set[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        contents.setdefault(folder, set()).add(name)
    return frozenset(
        folder for folder, names in contents.items() if folder and is_environment(names, asked_for)
    )


def _is_left_out(path: str, environments: frozenset[str]) -> bool:
    parts = path.split("/")
    return any(is_ignored(part) for part in parts) or any(
        "/".join(parts[:length]) in environments for length in range(1, len(parts))
    )


def _refuse_member(member: _Member) -> None:
    info, path = member.info, member.path
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode):
        refuse_unless_regular(path, mode)
    if info.external_attr & _WINDOWS_LINK:
        refuse_unless_regular(path, stat.S_IFLNK)
    if info.flag_bits & _ENCRYPTED:
        raise SubmissionRefused(f"The file {shown(path)} is encrypted.", _ADVICE_METHOD)
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        method = _METHODS.get(info.compress_type, f"number {info.compress_type}")
        raise SubmissionRefused(
            f"The file {shown(path)} is compressed by a method that is not taken ({method}).",
            _ADVICE_METHOD,
        )
    if info.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * info.compress_size):
        raise SubmissionRefused(
            f"The file {shown(path)} would unpack to more than {MAX_RATIO} times its size in the "
            "archive, as a zip bomb does.",
            "Hand in the file without data that only repeats itself.",
        )


def _unpacked(content: bytes, member: _Member) -> bytes:
    """The content of one entry: exactly as many bytes as announced, with the right checksum."""
    packed = memoryview(content)[member.data : member.end]
    size_bytes = member.info.file_size
    if member.info.compress_type == zipfile.ZIP_STORED:
        data = packed[: size_bytes + 1].tobytes()
        complete = len(packed) == size_bytes
    else:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = stream.decompress(packed, size_bytes + 1)
        except zlib.error as error:
            raise _damaged(member.path) from error
        if len(data) > size_bytes:
            raise SubmissionRefused(
                f"The file {shown(member.path)} unpacks to more than the zip archive announces.",
                _ADVICE_DAMAGED,
            )
        complete = stream.eof and not stream.unused_data and len(data) == size_bytes
    if not complete or zlib.crc32(data) != member.info.CRC:
        raise _damaged(member.path)
    return data
