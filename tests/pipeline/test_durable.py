"""Files are whole or not there, and one grader at a time writes into a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.errors import GraderFault, UsageError
from grader.pipeline.durable import LOCK_FILE, locked, remove_leftovers, write_whole

HOLD = """
import sys, time
from pathlib import Path
from grader.pipeline.durable import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from grader.errors import GraderFault\n"
        "from grader.pipeline.durable import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    write_whole(Path(sys.argv[1]), b'x' * 2000)\n"
        "except GraderFault as fault:\n"
        "    print(fault)\n"
    )
    file = tmp_path / "report.json"
    file.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", program, file], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{file} cannot be written: File too large"
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_folders_above_are_made(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "report.json"
    write_whole(file, b"new")
    assert file.read_bytes() == b"new"


def test_file_in_the_way_of_a_folder_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(GraderFault, match="cannot be written"), locked(tmp_path / "out"):
        pytest.fail("there is nothing to lock")


def test_leftovers_of_these_files_alone_are_removed(tmp_path: Path) -> None:
    for name in (".report.json.partial", ".thesis.tex.partial", "report.json"):
        (tmp_path / name).write_text("x")
    remove_leftovers(tmp_path, ["report.json", "index.html"])
    left = sorted(file.name for file in tmp_path.iterdir())
    assert left == [".thesis.tex.partial", "report.json"]


def test_second_grader_is_refused_until_the_first_is_gone_however_it_went(tmp_path: Path) -> None:
    out = tmp_path / "out"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, out], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="another grader is writing into"), locked(out):
            pytest.fail("two graders hold the folder")
    finally:
        holder.kill()
        holder.communicate()
    with locked(out):
        assert (out / LOCK_FILE).exists()


def test_lock_is_not_inherited_by_what_the_grader_starts(tmp_path: Path) -> None:
    with locked(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with locked(tmp_path):
            assert child.poll() is None
    finally:
        child.kill()
        child.wait()
