from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from grader.errors import GraderFault, UsageError
from grader.intake.discovery import MAX_ID_BYTES, Source, find_submissions, take_in
from grader.records.spec import Assignment

Plant = Callable[[Mapping[str, str | bytes]], Path]


def ids(*paths: Path, assignment: Assignment) -> list[str]:
    return [source.id for source in find_submissions(paths, assignment)]


def test_a_folder_with_a_file_that_is_asked_for_is_one_submission(
    plant: Plant, assignment: Assignment
) -> None:
    root = plant({"alice/network.py": "", "alice/other/agent.py": "", "alice/x.zip": ""})
    found = find_submissions([root / "alice"], assignment)
    assert found == (Source("alice", root / "alice"),)


def test_any_other_folder_holds_a_submission_in_each_folder_and_zip(
    plant: Plant, assignment: Assignment
) -> None:
    root = plant(
        {
            "bob/readme.txt": "",
            "alice/agent.py": "",
            "carol.zip": b"no zip",
            "Dora.ZIP": "",
            "README.md": "",
            "expected.toml": "",
            "manifest.json": "",
        }
    )
    (root / "eve").mkdir()
    assert ids(root, assignment=assignment) == ["Dora", "alice", "bob", "carol"]


def test_leftovers_are_no_submissions(plant: Plant, assignment: Assignment) -> None:
    root = plant(
        {
            ".git/config": "",
            ".hidden.zip": "",
            "__MACOSX/x": "",
            "__pycache__/agent.pyc": "",
            "node_modules/a/b.js": "",
            "venv/pyvenv.cfg": "",
            "venv/lib/agent.py": "",
            "only_hidden/.gitkeep": "",
            "only_caches/__pycache__/a.pyc": "",
            "deep/er/still/notes.txt": "",
        }
    )
    (root / "empty" / "emptier").mkdir(parents=True)
    assert ids(root, assignment=assignment) == ["deep"]


def test_a_folder_without_end_is_found_so_that_it_can_be_refused(
    tmp_path: Path, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.intake.discovery.MAX_ENTRIES", 20)
    for number in range(50):
        (tmp_path / "wide" / str(number)).mkdir(parents=True)
    assert ids(tmp_path, assignment=assignment) == ["wide"]


def test_a_virtual_environment_with_an_answer_in_it_is_a_submission(
    plant: Plant, assignment: Assignment
) -> None:
    root = plant({"alice/pyvenv.cfg": "", "alice/agent.py": ""})
    assert ids(root, assignment=assignment) == ["alice"]


def test_the_folder_of_reports_can_be_left_out(plant: Plant, assignment: Assignment) -> None:
    root = plant({"alice/agent.py": "", "reports/index.html": "", "reports/alice/r.html": ""})
    found = find_submissions([root], assignment, ignored=[root / "reports", root / "absent"])
    assert [source.id for source in found] == ["alice"]


def test_nothing_is_found_where_nothing_is(tmp_path: Path, assignment: Assignment) -> None:
    assert find_submissions([tmp_path], assignment) == ()
    assert find_submissions([], assignment) == ()


def test_the_current_folder_has_its_own_name(
    plant: Plant, assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plant({"alice/agent.py": ""})
    monkeypatch.chdir(root / "alice")
    assert find_submissions([Path()], assignment) == (Source("alice", root / "alice"),)
    monkeypatch.chdir(root)
    assert ids(Path(), Path("alice"), root, assignment=assignment) == ["alice"]


def test_a_link_named_by_the_caller_is_followed(plant: Plant, assignment: Assignment) -> None:
    root = plant({"real/agent.py": ""})
    (root / "link").symlink_to("real")
    assert find_submissions([root / "link"], assignment) == (Source("real", root / "real"),)


def test_a_link_among_submissions_is_found_and_then_refused(
    plant: Plant, assignment: Assignment
) -> None:
    root = plant({"class/alice/agent.py": "", "secret/agent.py": "SECRET"})
    (root / "class" / "bob").symlink_to(root / "secret")
    (root / "class" / "carol.zip").symlink_to(root / "secret" / "agent.py")
    (root / "class" / "loop").symlink_to("loop")
    found = find_submissions([root / "class"], assignment)
    assert [source.id for source in found] == ["alice", "bob", "carol"]
    for source in found[1:]:
        submission = take_in(source, assignment)
        assert submission.files == ()
        assert submission.refusal is not None
        assert "is a link to another place" in submission.refusal.reason


@pytest.mark.parametrize("name", ["absent", "absent.zip", "file.py", "file.zip.txt"])
def test_a_path_that_cannot_be_used_is_named(
    plant: Plant, assignment: Assignment, name: str
) -> None:
    root = plant({"file.py": "", "file.zip.txt": "", "alice/agent.py": ""})
    with pytest.raises(UsageError, match=name):
        find_submissions([root / "alice", root / name], assignment)


def test_a_pipe_is_no_path_to_wait_for(tmp_path: Path, assignment: Assignment) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(UsageError, match=r"pipe\.zip"):
        find_submissions([tmp_path / "pipe.zip"], assignment)


def test_ids_are_unique_whatever_the_order(plant: Plant, assignment: Assignment) -> None:
    root = plant(
        {
            "a/alice/agent.py": "",
            "b/Alice/agent.py": "",
            "b/alice-2/agent.py": "",
            "c/alice.zip": "",
        }
    )
    places = [root / "a", root / "b", root / "c"]
    found = find_submissions(places, assignment)
    assert found == find_submissions(places[::-1], assignment)
    assert {source.id: source.path for source in found} == {
        "Alice": root / "b" / "Alice",
        "alice-2": root / "b" / "alice-2",
        "alice-3": root / "a" / "alice",
        "alice-4": root / "c" / "alice.zip",
    }
    assert [source.id for source in found] == sorted(source.id for source in found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada Lovelace_12_assignsubmission", "Ada Lovelace_12_assignsubmission"),
        ("a\\b:c*d", "a_b_c_d"),
        ("new\nline\x1b[31m", "new_line_[31m"),
        ("\u202egnp.exe", "_gnp.exe"),
        ("-rf", "rf"),
        ("dots. .", "dots"),
        ("index.html", "index.html-2"),
        ("GRADES.csv", "GRADES.csv-2"),
        ("con", "con-2"),
        (unicodedata.normalize("NFD", "Zoë"), "Zoë"),
        ("x" * 250, "x" * MAX_ID_BYTES),
        ("ü" * 120, "ü" * (MAX_ID_BYTES // 2)),
    ],
)
def test_ids_are_safe_names_of_folders(
    plant: Plant, assignment: Assignment, name: str, expected: str
) -> None:
    root = plant({f"{name}/agent.py": ""})
    assert ids(root, assignment=assignment) == [expected]
    assert unicodedata.is_normalized("NFC", expected)


def test_a_name_that_is_no_text_gets_an_id(tmp_path: Path, assignment: Assignment) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "agent.py").touch()
    assert ids(tmp_path, assignment=assignment) == ["caf_"]


def test_finding_reads_no_content(plant: Plant, assignment: Assignment) -> None:
    root = plant({"alice/agent.py": "", "bomb.zip": b"PK\x05\x06 not a zip"})
    os.mkfifo(root / "alice" / "network.py")
    assert ids(root, assignment=assignment) == ["alice", "bomb"]


def test_what_is_gone_by_now_is_the_machines_fault(tmp_path: Path, assignment: Assignment) -> None:
    with pytest.raises(GraderFault, match="gone"):
        take_in(Source("gone", tmp_path / "gone"), assignment)
