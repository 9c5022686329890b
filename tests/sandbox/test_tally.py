"""Counting what hostile code has written, without being led astray by it."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.records.incident import IncidentKind, LimitName
from grader.sandbox.tally import Tally, Uncountable

MEBIBYTE = 1 << 20
Student = Callable[..., Any]


def tally(folder: Path, most_files: int = 1000) -> Tally:
    return Tally(folder, (os.getpid(),), most_files, 64 * MEBIBYTE)


def test_files_are_counted_by_what_they_take_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "full").write_bytes(bytes(MEBIBYTE))
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "link").symlink_to("/")
    os.link(tmp_path / "folder" / "full", tmp_path / "other name")
    found = tally(tmp_path)
    found.take(mapped=False)
    assert found.files == 5
    assert MEBIBYTE <= found.size_bytes < 1.2 * MEBIBYTE


def test_counting_stops_where_it_was_told_to(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / str(number)).touch()
    found = tally(tmp_path, most_files=10)
    found.take(mapped=False)
    assert found.files == 11


def test_deleted_file_counts_while_it_is_open(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.write(bytes(MEBIBYTE))
        file.flush()
        (tmp_path / "file").unlink()
        found = tally(tmp_path)
        found.take(mapped=False)
        assert found.size_bytes >= MEBIBYTE


def test_deleted_file_counts_while_it_is_mapped(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb+") as file:
        file.write(bytes(MEBIBYTE))
        file.flush()
        held = mmap.mmap(file.fileno(), mmap.PAGESIZE, prot=mmap.PROT_READ)
    (tmp_path / "file").unlink()
    # Python keeps a descriptor beside the mapping; hostile code would not.
    with held:
        found = tally(tmp_path)
        found._count_mapped(os.getpid())
        assert found.size_bytes >= MEBIBYTE


def test_folders_too_deep_to_be_counted_are_told(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(80):
        os.mkdir("x" * 200, dir_fd=here)
        below = os.open("x" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    with pytest.raises(Uncountable):
        tally(tmp_path).take(mapped=False)


def test_folder_that_is_gone_counts_nothing(tmp_path: Path) -> None:
    found = tally(tmp_path / "gone")
    found.take(mapped=True)
    assert (found.files, found.size_bytes) == (0, 0)


DEEP = """
import os, time
def run():
    for number in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    for number in range(100):
        with open(f"file{number}", "wb") as file:
            file.write(bytes(8 << 20))
    time.sleep(30)
"""
MAPPED = """
import ctypes, os, time
def run():
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    for number in range(100):
        with open("file", "wb+") as file:
            file.write(bytes(8 << 20))
            file.flush()
            libc.mmap(None, ctypes.c_size_t(4096), 1, 1, file.fileno(), ctypes.c_long(0))
        os.unlink("file")
    time.sleep(30)
"""


@pytest.mark.parametrize("source", [DEEP, MAPPED], ids=["deep", "mapped"])
def test_disk_cannot_be_filled_out_of_sight(source: str, restricted_student: Student) -> None:
    incident = restricted_student(source, scratch_mb=96, call_wall_s=20).incident()
    assert incident.kind is IncidentKind.LIMIT
    assert incident.limit is LimitName.SCRATCH
