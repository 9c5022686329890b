from __future__ import annotations

import io
import stat
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.intake.discovery import Source, take_in
from grader.records.spec import Assignment
from grader.records.submission import Submission

MIB = 1 << 20
Take = Callable[[Path], Submission]
Judge = Callable[[bytes], Submission]


@pytest.fixture
def judge(tmp_path: Path, taken: Take) -> Iterator[Judge]:
    """Takes in an archive with these bytes; then sees that nothing was written anywhere near."""
    home = tmp_path / "deep" / "er"
    home.mkdir(parents=True)

    def judged(content: bytes) -> Submission:
        (home / "work.zip").write_bytes(content)
        return taken(home / "work.zip")

    yield judged
    assert {path.name for path in tmp_path.rglob("*")} == {"deep", "er", "work.zip"}


def reason(submission: Submission) -> str:
    assert submission.files == ()
    assert submission.refusal is not None
    assert submission.refusal.advice.endswith(".")
    assert submission.refusal.reason.isprintable()
    return submission.refusal.reason


def archive(
    *members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as opened:
        for name, content in members:
            opened.writestr(name, content)
    return stream.getvalue()


def info(name: str, **attributes: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFREG | 0o644) << 16
    for attribute, value in attributes.items():
        setattr(member, attribute, value)
    return member


def raw(
    *members: tuple[bytes, bytes],
    size_bytes: int | None = None,
    packed: bytes | None = None,
    method: int = 8,
    flags: int = 0,
    crc: int | None = None,
) -> bytes:
    """An archive made by hand, so that it can say things that no tool would write."""
    body, directory = b"", b""
    for name, content in members:
        data = packed if packed is not None else deflated(content)
        said = size_bytes if size_bytes is not None else len(content)
        common = struct.pack(
            "<HHHHHIIIHH", 20, flags, method, 0, 33,
            zlib.crc32(content) if crc is None else crc, len(data), said, len(name), 0,
        )  # fmt: skip
        directory += b"PK\x01\x02\x14\x03" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        directory += name
        body += b"PK\x03\x04" + common + name + data
    return body + directory + end_record(len(members), len(directory), len(body))


def end_record(count: int, directory_bytes: int, offset: int) -> bytes:
    fields = (0, 0, count, count, directory_bytes, offset, 0)
    return b"PK\x05\x06" + struct.pack("<HHHHIIH", *fields)


def deflated(content: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(content) + stream.flush()


GOOD = archive(("agent.py", b"x = 1\n" * 50), ("weights/w.npy", bytes(range(256))))


# --- what is taken ------------------------------------------------------------------------------


def test_files_are_read_from_stored_and_deflated_members(judge: Judge) -> None:
    members = (("b.bin", b"\x00" * 1000), ("agent.py", b"x = 1\n"), ("empty", b""))
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        submission = judge(archive(*members, method=method))
        assert submission.refusal is None
        assert {file.path: file.content for file in submission.files} == dict(members)
        assert [file.path for file in submission.files] == ["agent.py", "b.bin", "empty"]


def test_an_archive_of_a_folder_with_leftovers(judge: Judge) -> None:
    link = info("alice/venv/lib64", external_attr=(stat.S_IFLNK | 0o777) << 16)
    deep = "alice/venv/" + "/".join("abcdefghijklmnop") + "/x.py"
    submission = judge(
        archive(
            ("./", b""),
            ("alice/", b""),
            ("./alice/agent.py", b"1"),
            ("alice/agent.pyc", b""),
            ("alice/expected.toml", b"score = 100"),
            ("alice/.git/config", b""),
            ("__MACOSX/alice/._agent.py", b""),
            ("alice/venv/pyvenv.cfg", b""),
            (link, b"/usr/lib"),
            (deep, b""),
            ("alice/sub/data.csv", b"2"),
        )
    )
    assert submission.refusal is None
    assert [file.path for file in submission.files] == ["agent.py", "sub/data.csv"]


def test_names_in_utf8_are_read_whether_or_not_the_archive_says_so(judge: Judge) -> None:
    digests = {
        judge(raw(("größe.py".encode(), b"1"), flags=flags)).digest() for flags in (0, 0x800)
    }
    digests.add(judge(raw(("gro\u0308ße.py".encode(), b"1"))).digest())
    digests.add(judge(raw(("größe.py".encode("cp437"), b"1"))).digest())
    assert len(digests) == 1


def test_data_before_the_archive_and_a_comment_behind_it_change_nothing(judge: Judge) -> None:
    stream = io.BytesIO(GOOD)
    with zipfile.ZipFile(stream, "a") as opened:
        opened.comment = b"c" * 60_000
    assert judge(b"#!/bin/sh\n" + GOOD) == judge(GOOD) == judge(stream.getvalue())
    assert judge(GOOD).refusal is None


def test_an_archive_inside_the_archive_is_a_file_like_any_other(judge: Judge) -> None:
    inner = archive(("../../evil.py", b"x"))
    submission = judge(archive(("agent.py", b""), ("model.keras", inner)))
    assert [file.path for file in submission.files] == ["agent.py", "model.keras"]
    assert submission.files[1].content == inner


def test_an_empty_archive_is_a_submission_without_files(judge: Judge) -> None:
    assert judge(archive()) == Submission(id="someone")


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../evil.py", "leads out of the folder"),
        ("a/../../evil.py", "leads out of the folder"),
        ("a/..", "leads out of the folder"),
        ("../", "leads out of the folder"),
        ("__MACOSX/../../evil.py", "leads out of the folder"),
        ("/etc/passwd", "is absolute"),
        ("C:/Windows/evil.py", "is absolute"),
        ("c:evil.py", "is absolute"),
        ("..\\evil.py", "has a backslash in it"),
        ("sub\\agent.py", "has a backslash in it"),
        ("\\\\server\\share", "has a backslash in it"),
        ("a\x00.py", "has characters in it that cannot be shown"),
        ("a\x1b[31m.py", "has characters in it that cannot be shown"),
        ("a\u202eyp.exe", "has characters in it that cannot be shown"),
        ("", "A file has no name"),
        (".//.", "A file has no name"),
        ("x" * 241, "is too long: 241 bytes"),
        ("d/" * 12 + "x", "is nested too deep: 13 levels"),
    ],
)
def test_names_that_are_refused(judge: Judge, name: str, expected: str) -> None:
    hostile = raw((b"agent.py", b"1"), (name.encode(), b"x"), flags=0x800)
    assert expected in reason(judge(hostile))


def test_a_name_that_is_not_the_utf8_it_claims_to_be(judge: Judge) -> None:
    told = reason(judge(raw((b"\xff\xfe.py", b"1"), flags=0x800)))
    assert told == "A name in the zip archive says that it is UTF-8 and is not."


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (stat.S_IFLNK, "`x` is a link to another place."),
        (stat.S_IFIFO, "`x` is a pipe, not a file."),
        (stat.S_IFSOCK, "`x` is a socket, not a file."),
        (stat.S_IFCHR, "`x` is a device, not a file."),
        (stat.S_IFBLK, "`x` is a device, not a file."),
        (stat.S_IFDIR, "`x` is a folder, not a file."),
    ],
)
def test_links_and_special_files_are_refused(judge: Judge, kind: int, expected: str) -> None:
    member = info("x", external_attr=(kind | 0o777) << 16)
    assert reason(judge(archive(("agent.py", b""), (member, b"/etc/passwd")))) == expected


def test_links_made_by_windows_are_refused(judge: Judge) -> None:
    member = info("x", external_attr=0x400, create_system=0)
    assert reason(judge(archive((member, b"C:\\")))) == "`x` is a link to another place."


@pytest.mark.parametrize("flags", [0x1, 0x41, 0x2001])
def test_encrypted_members_are_refused(judge: Judge, flags: int) -> None:
    assert reason(judge(raw((b"agent.py", b"1"), flags=flags))) == (
        "The file `agent.py` is encrypted."
    )


@pytest.mark.parametrize(
    ("method", "name"),
    [(9, "Deflate64"), (12, "bzip2"), (14, "LZMA"), (93, "Zstandard"), (77, "number 77")],
)
def test_other_methods_of_compression_are_refused(judge: Judge, method: int, name: str) -> None:
    told = reason(judge(raw((b"agent.py", b"1"), method=method)))
    assert told == (f"The file `agent.py` is compressed by a method that is not taken ({name}).")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("a.py", "a.py", "The file `a.py` stands twice"),
        ("a.py", "./a.py", "The file `a.py` stands twice"),
        ("a.py", "b/../a.py", "leads out of the folder"),
        ("A.py", "a.py", "The file `a.py` stands beside `A.py`"),
        ("STRASSE", "straße", "stands beside"),
        ("\u00fc.py", "u\u0308.py", "stands twice"),
        ("lib", "lib/a.py", "`lib` is a folder and a file at the same time"),
    ],
)
def test_duplicates_are_refused(judge: Judge, first: str, second: str, expected: str) -> None:
    for names in ((first, second), (second, first)):
        members = [(name.encode(), b"x" * index) for index, name in enumerate(names)]
        assert expected in reason(judge(raw(*members, flags=0x800)))


def test_two_thousand_files_are_taken_and_one_more_is_not(judge: Judge) -> None:
    members = [(f"f{number}", b"") for number in range(2001)]
    assert len(judge(archive(*members[:2000])).files) == 2000
    assert reason(judge(archive(*members))) == ("It holds 2001 files; at most 2000 are taken.")


def flood(count: int, announced: int) -> bytes:
    fields = (20, 20, 0, 0, 0, 33, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0)
    entry = b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", *fields)
    directory = b"".join(entry + b"f%06d" % number for number in range(count))
    return directory + end_record(announced, len(directory), 0)


@pytest.mark.parametrize(
    ("count", "announced", "told"),
    [
        (150_000, 0xFFFF, "more than 20000 entries"),
        (150_000, 3, "more than 20000 entries"),
        (40_000, 3, "40000 entries"),
    ],
)
def test_a_flood_of_entries_is_refused_fast_and_small(
    judge: Judge, count: int, announced: int, told: str
) -> None:
    hostile = flood(count, announced)
    assert bounded(judge, hostile) == f"It holds {told}; at most 20000 are taken."


def test_a_bomb_is_refused_by_what_it_announces(judge: Judge) -> None:
    packed = deflated(b"\0" * (300 * MIB))
    hostile = raw((b"agent.py", b""), packed=packed, size_bytes=300 * MIB)
    assert bounded(judge, hostile) == (
        "The file `agent.py` would unpack to more than 200 times its size in the archive, as a "
        "zip bomb does."
    )


@pytest.mark.parametrize("announced", [0, 10, MIB])
def test_a_bomb_that_lies_about_its_size_is_refused(judge: Judge, announced: int) -> None:
    packed = deflated(b"\0" * (300 * MIB))
    crc = zlib.crc32(b"\0" * announced)
    hostile = raw((b"agent.py", b""), packed=packed, size_bytes=announced, crc=crc)
    assert bounded(judge, hostile) == (
        "The file `agent.py` unpacks to more than the zip archive announces."
    )


def test_a_bomb_of_many_small_files_is_refused(judge: Judge) -> None:
    packed = deflated(b"\0" * (3 * MIB))
    names = [(b"f%d" % number, b"") for number in range(100)]
    hostile = raw(*names, packed=packed, size_bytes=3 * MIB, crc=zlib.crc32(b"\0" * (3 * MIB)))
    assert bounded(judge, hostile) == (
        "Its files are too large together: 300 MiB, at most 64 MiB are taken."
    )


def test_a_member_that_is_too_large_is_refused_unread(judge: Judge) -> None:
    hostile = raw((b"agent.py", b""), packed=bytes(MIB), size_bytes=33 * MIB)
    assert "is too large: 33 MiB, at most 32 MiB" in bounded(judge, hostile)


def test_entries_that_share_data_are_refused(judge: Judge) -> None:
    inner = raw((b"b.bin", b"y" * 1000))
    body, entry = inner[: inner.index(b"PK\x01\x02")], inner[inner.index(b"PK\x01\x02") :][:51]
    outer = raw((b"a.bin", body), packed=body, method=0)
    directory_start = 30 + 5 + len(body)
    listed = outer[directory_start:][:51] + entry[:42] + struct.pack("<I", 30 + 5) + entry[46:]
    whole = outer[:directory_start] + listed + end_record(2, len(listed), directory_start)
    assert reason(judge(whole)) == "In the zip archive `b.bin` lies inside `a.bin`."


def test_one_local_file_listed_many_times_is_refused(judge: Judge) -> None:
    single = raw((b"a.bin", b"x" * 1000))
    start = single.index(b"PK\x01\x02")
    entry = single[start : start + 46 + 5]
    listed = entry * 50
    whole = single[:start] + listed + end_record(50, len(listed), start)
    assert reason(judge(whole)) == "In the zip archive `a.bin` lies inside `a.bin`."


def test_data_that_reaches_into_the_directory_is_refused(judge: Judge) -> None:
    content = bytearray(raw((b"a.bin", b"x" * 1000)))
    at = content.index(b"PK\x01\x02")
    content[at + 20 : at + 24] = struct.pack("<I", len(content))
    assert reason(judge(bytes(content))) == ("The zip archive is damaged: `a.bin` cannot be read.")


@pytest.mark.parametrize(("where", "byte"), [(8, 0), (6, 1), (30, ord("z"))])
def test_headers_that_contradict_the_directory_are_refused(
    judge: Judge, where: int, byte: int
) -> None:
    content = bytearray(raw((b"a.bin", b"x" * 1000)))
    content[where] = byte
    assert reason(judge(bytes(content))) == (
        "The zip archive says two different things about `a.bin`."
    )


@pytest.mark.parametrize(
    "hostile",
    [
        raw((b"a", b"abc"), crc=1),
        raw((b"a", b"abc"), size_bytes=4),
        raw((b"a", b"abc"), packed=b"abcd", method=0),
        raw((b"a", b"abc"), packed=b"ab", method=0),
        raw((b"a", b"abc"), packed=deflated(b"abc") + b"more"),
        raw((b"a", b"abc"), packed=deflated(b"abc" * 50)[:-4], size_bytes=150),
        raw((b"a", b"abc"), packed=b"\xff\xff\xff"),
        raw((b"a", b"abc"), packed=b""),
    ],
    ids=["crc", "short", "long", "cut", "trailing", "unfinished", "garbage", "nothing"],
)
def test_damaged_contents_are_refused(judge: Judge, hostile: bytes) -> None:
    assert reason(judge(hostile)) == "The zip archive is damaged: `a` cannot be read."


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "The file is empty."),
        (GOOD[:200], "The zip archive is cut off: its end is missing."),
        (GOOD[:-10], "The zip archive is cut off: its end is missing."),
        (GOOD[50:], "The zip archive is damaged"),
        (b"Rar!\x1a\x07\x01\x00rest", "It is called a zip archive, but it is a RAR archive."),
        (b"7z\xbc\xaf\x27\x1crest", "It is called a zip archive, but it is a 7z archive."),
        (b"<!DOCTYPE html>", "It is called a zip archive, but it is a web page."),
        (b"\x1f\x8b\x08", "It is called a zip archive, but it is a gzip or tar.gz archive."),
        (b"import numpy", "It is called a zip archive, but it is none."),
        (b"PK\x05\x06", "It is called a zip archive, but it is none."),
        (end_record(1, 500, 10), "The zip archive is damaged."),
        (b"x" * 100 + end_record(1, 100, 0), "The zip archive is damaged."),
        (b"PK\x01\x02" + b"\xff" * 42 + end_record(1, 46, 0), "The zip archive "),
    ],
)
def test_what_is_no_whole_archive(judge: Judge, content: bytes, expected: str) -> None:
    assert reason(judge(content)).startswith(expected)


def test_an_archive_that_needs_a_newer_format(judge: Judge) -> None:
    content = bytearray(GOOD)
    content[content.index(b"PK\x01\x02") + 6] = 200
    assert reason(judge(bytes(content))) == "The zip archive needs a newer format than is taken."


def test_a_huge_archive_is_refused_unread(tmp_path: Path, taken: Take) -> None:
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate(1 << 40)
    told = reason(taken(tmp_path / "huge.zip"))
    assert told == "The file `huge.zip` is too large: 1048576 MiB, at most 80 MiB are taken."


def test_refusals_are_the_same_in_every_run(judge: Judge) -> None:
    hostile = archive(("../b", b""), ("../a", b""), ("/c", b""))
    assert {reason(judge(hostile)) for _ in range(3)} == {
        "The path `../b` leads out of the folder."
    }


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(GOOD)),
)
def test_no_damage_makes_the_grader_raise(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(GOOD)
    for place, byte in changes:
        content[place] = byte
    file = tmp_path_factory.getbasetemp() / "fuzzed.zip"
    file.write_bytes(content[:cut] if cut % 4 == 0 else content)
    submission = take_in(Source("someone", file), anything())
    assert submission.refusal is None or submission.files == ()


def anything() -> Assignment:
    check = {"interface": {"title": "c", "points": 1}}
    part = {"title": "p", "kind": "any", "file": "agent.py", "checks": check}
    seeds = {"public": [1], "final": [2]}
    return Assignment.parse({"id": "c", "title": "c", "seeds": seeds, "parts": {"p": part}})


def bounded(judge: Judge, hostile: bytes) -> str:
    """Why an archive is refused, in little time and memory."""
    tracemalloc.start()
    began = time.process_time()
    try:
        told = reason(judge(hostile))
        cpu_s = time.process_time() - began
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert cpu_s < 5
    assert peak_bytes < 100 * MIB
    return told


def test_an_archive_and_a_folder_with_the_same_files_are_equal(tmp_path: Path, taken: Take) -> None:
    tree: dict[str, bytes] = {"agent.py": b"1", "a/b.txt": b"2", "a-b": b"3", "a/B/c": b"4"}
    for name, content in tree.items():
        (tmp_path / "f" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "f" / name).write_bytes(content)
    (tmp_path / "f.zip").write_bytes(archive(*reversed(tree.items())))
    assert taken(tmp_path / "f") == taken(tmp_path / "f.zip")
