from __future__ import annotations

import io
import os
import socket
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from grader.errors import GraderFault
from grader.intake import admission
from grader.records.submission import Submission

Plant = Callable[[Mapping[str, str | bytes]], Path]
Take = Callable[[Path], Submission]


def reason(submission: Submission) -> str:
    assert submission.files == ()
    assert submission.refusal is not None
    assert submission.refusal.advice.endswith(".")
    return submission.refusal.reason


def paths(submission: Submission) -> list[str]:
    assert submission.refusal is None
    return [file.path for file in submission.files]


def test_files_are_taken_in_as_bytes_sorted_by_path(plant: Plant, taken: Take) -> None:
    root = plant({"b.h5": b"\x00\xff\r\n", "agent.py": "# coding: nonsense\n", "a/z.py": ""})
    submission = taken(root)
    assert paths(submission) == ["a/z.py", "agent.py", "b.h5"]
    assert submission.files[2].content == b"\x00\xff\r\n"
    assert submission.id == "someone"


def test_leftovers_are_left_out(plant: Plant, taken: Take) -> None:
    root = plant(
        {
            "agent.py": "",
            "agent.pyc": "",
            "__pycache__/agent.cpython-311.pyc": "",
            ".ipynb_checkpoints/agent.py": "",
            ".git/config": "",
            ".DS_Store": "",
            "data/Thumbs.db": "",
            "data/.hidden": "",
            "data/kept.npy": "",
            "__MACOSX/._agent.py": "",
            "expected.toml": "score = 100",
            "data/Expected.TOML": "score = 100",
            "venv/pyvenv.cfg": "",
            "venv/bin/python": "",
            "node_modules/x/index.js": "",
        }
    )
    (root / "venv" / "lib64").symlink_to("/")
    assert paths(taken(root)) == ["agent.py", "data/kept.npy"]


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (["alice/agent.py", "alice/lib/a.py"], ["agent.py", "lib/a.py"]),
        (["alice/agent.py", "notes/readme.md"], ["agent.py"]),
        (["alice/agent.py", "agent.py"], ["agent.py", "alice/agent.py"]),
        (["a/agent.py", "b/network.py"], ["a/agent.py", "b/network.py"]),
        (["a/b/agent.py"], ["a/b/agent.py"]),
        (["a/helper.py"], ["a/helper.py"]),
    ],
)
def test_the_one_folder_that_holds_the_answers_is_the_submission(
    plant: Plant, taken: Take, tree: list[str], expected: list[str]
) -> None:
    assert paths(taken(plant(dict.fromkeys(tree, "")))) == expected


def test_the_digest_is_of_paths_and_contents_alone(plant: Plant, taken: Take) -> None:
    tree: dict[str, str | bytes] = {
        "agent.py": "a",
        "sub/weights.h5": b"\x01" * 1000,
        "sub/ü.txt": "x",
    }
    nfd: dict[str, str | bytes] = {
        "agent.py": "a",
        "sub/weights.h5": b"\x01" * 1000,
        "sub/u\u0308.txt": "x",
    }
    root = plant({f"one/{name}": content for name, content in tree.items()})
    plant({f"two/{name}": content for name, content in reversed(nfd.items())})
    plant({f"two/.git/{number}": "x" for number in range(3)})
    os.utime(root / "two" / "agent.py", (1, 1))
    (root / "two" / "agent.py").chmod(0o755)
    wrapped = io.BytesIO()
    with zipfile.ZipFile(wrapped, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in tree.items():
            archive.writestr(f"wrap/{name}", content)
    plant({"three.zip": wrapped.getvalue(), "other/agent.py": "b"})
    digests = {taken(root / name).digest() for name in ("one", "two", "three.zip")}
    assert len(digests) == 1
    assert taken(root / "other").digest() not in digests


def test_links_are_refused_and_not_followed(plant: Plant, taken: Take) -> None:
    root = plant({"secret.txt": "SECRET", "one/agent.py": "", "two/agent.py": ""})
    (root / "one" / "data.txt").symlink_to(root / "secret.txt")
    (root / "two" / "everything").symlink_to("/")
    assert reason(taken(root / "one")) == "`data.txt` is a link to another place."
    assert reason(taken(root / "two")) == "`everything` is a link to another place."


def test_a_file_replaced_by_a_link_before_it_is_read_is_refused(
    plant: Plant, taken: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plant({"secret.txt": "SECRET", "one/agent.py": "x"})
    real_lstat = Path.lstat

    def lstat_then_swap(path: Path) -> os.stat_result:
        status = real_lstat(path)
        if path.name == "agent.py":
            path.unlink()
            path.symlink_to(root / "secret.txt")
        return status

    monkeypatch.setattr(Path, "lstat", lstat_then_swap)
    with pytest.raises(GraderFault):
        taken(root / "one")


def test_special_files_are_refused_without_waiting(plant: Plant, taken: Take) -> None:
    root = plant({"one/agent.py": "", "two/agent.py": ""})
    os.mkfifo(root / "one" / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "two" / "s"))
        assert reason(taken(root / "one")) == "`pipe` is a pipe, not a file."
        assert reason(taken(root / "two")) == "`s` is a socket, not a file."


def test_a_pipe_called_zip_is_refused_without_waiting(tmp_path: Path, taken: Take) -> None:
    os.mkfifo(tmp_path / "x.zip")
    assert reason(taken(tmp_path / "x.zip")) == "`x.zip` is a pipe, not a file."


def test_too_many_files(plant: Plant, taken: Take) -> None:
    root = plant({f"f{number}": "" for number in range(admission.MAX_FILES)})
    assert len(paths(taken(root))) == admission.MAX_FILES
    plant({"one_more": ""})
    assert reason(taken(root)) == "It holds more than 2000 files; at most 2000 are taken."


def test_too_many_folders(tmp_path: Path, taken: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.intake.folder.MAX_ENTRIES", 30)
    for number in range(31):
        (tmp_path / f"{number % 2}" / str(number)).mkdir(parents=True)
    assert reason(taken(tmp_path)).startswith("It holds more than 30 files and folders")


def test_a_huge_file_is_refused_without_being_read(plant: Plant, taken: Take) -> None:
    root = plant({"agent.py": ""})
    with (root / "replay.npy").open("wb") as file:
        file.truncate(1 << 40)
    assert reason(taken(root)) == (
        "The file `replay.npy` is too large: 1048576 MiB, at most 32 MiB are taken."
    )


def test_files_that_are_too_large_together(plant: Plant, taken: Take) -> None:
    root = plant({})
    for name in ("a", "b", "c"):
        with (root / name).open("wb") as file:
            file.truncate(22 << 20)
    assert reason(taken(root)).startswith("Its files are too large together: 66 MiB, at most 64")


def test_one_byte_too_many_is_not_shown_as_the_limit(plant: Plant, taken: Take) -> None:
    root = plant({})
    with (root / "weights.h5").open("wb") as file:
        file.truncate((32 << 20) + 1)
    assert "32.1 MiB, at most 32 MiB" in reason(taken(root))


def test_a_path_as_long_and_deep_as_can_be_is_taken(plant: Plant, taken: Take) -> None:
    longest = "d" * 120 + "/" + "f" * 119
    deepest = "/".join("abcdefghijkl")
    assert paths(taken(plant({longest: "", deepest: ""}))) == [deepest, longest]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("d" * 120 + "/" + "f" * 120, "is too long: 241 bytes, at most 240"),
        ("ü" * 121, "is too long: 242 bytes"),
        ("/".join("abcdefghijklm"), "is nested too deep: 13 levels, at most 12"),
        ("back\\slash.py", "has a backslash in it"),
        ("new\nline.py", "has characters in it that cannot be shown"),
        ("\u202eyp.exe", "has characters in it that cannot be shown"),
    ],
)
def test_names_that_are_refused(plant: Plant, taken: Take, name: str, expected: str) -> None:
    told = reason(taken(plant({"agent.py": "", name: ""})))
    assert expected in told
    assert told.isprintable()
    assert len(told) < 300


def test_a_name_that_is_no_text_is_refused(tmp_path: Path, taken: Take) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.py")).touch()
    assert reason(taken(tmp_path)) == (
        "The name `caf\ufffd.py` has characters in it that cannot be shown."
    )


def test_names_that_differ_in_case_alone_are_refused(plant: Plant, taken: Take) -> None:
    root = plant({"agent.py": "a", "lib/Agent.py": "", "Lib/agent.py": ""})
    assert reason(taken(root)) == (
        "The file `lib/Agent.py` stands beside `Lib/agent.py`; upper and lower case make no "
        "difference."
    )


def test_a_file_and_a_folder_of_one_name_are_refused(plant: Plant, taken: Take) -> None:
    root = plant({"lib": "", "Lib/agent.py": ""})
    assert reason(taken(root)) == "`Lib` is a folder and a file at the same time."


def test_refusals_do_not_depend_on_where_the_folder_lies(plant: Plant, taken: Take) -> None:
    root = plant({"x/one/agent.py": "", "y/agent.py": ""})
    for folder in (root / "x" / "one", root / "y"):
        for name in ("b", "a", "c"):
            (folder / name).symlink_to("/")
    assert taken(root / "x" / "one") == taken(root / "y")
    assert "`a`" in reason(taken(root / "y"))


def test_an_empty_folder_is_a_submission_without_files(tmp_path: Path, taken: Take) -> None:
    assert paths(taken(tmp_path)) == []


def test_a_file_that_cannot_be_read_is_the_machines_fault(
    plant: Plant, taken: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plant({"agent.py": ""})

    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("grader.intake.folder.os.open", fail)
    with pytest.raises(GraderFault, match=r"cannot read `agent\.py` of a submission: Input/output"):
        taken(root)
