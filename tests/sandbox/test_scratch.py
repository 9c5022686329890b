from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from grader.sandbox.scratch import WorkFolder, remove_tree


def test_deep_folders_are_removed_without_recursion(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    here = os.open(root, os.O_RDONLY)
    try:
        for _ in range(1500):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    remove_tree(root)
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("here")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(kept, target_is_directory=True)
    (root / "file").symlink_to(kept / "file")
    (root / "dangling").symlink_to("nowhere")
    remove_tree(root)
    assert not root.exists()
    assert (kept / "file").read_text() == "here"


def test_permissions_are_no_obstacle(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "file").write_text("x")
    (root / "a" / "b").chmod(0)
    (root / "a").chmod(0)
    root.chmod(0)
    remove_tree(root)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove_tree(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_neighbours_stay(tmp_path: Path) -> None:
    (tmp_path / "root" / "inner").mkdir(parents=True)
    (tmp_path / "root.1").mkdir()
    (tmp_path / "root.1" / "file").write_text("kept")
    remove_tree(tmp_path / "root")
    assert (tmp_path / "root.1" / "file").read_text() == "kept"


def test_folder_that_is_swapped_for_a_link_leads_nowhere(tmp_path: Path) -> None:
    """As in a race with somebody who may rename the folder."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").touch()
    (tmp_path / "grader-work-x").symlink_to(victim, target_is_directory=True)
    remove_tree(tmp_path / "grader-work-x")
    assert (victim / "file").exists()


def test_names_that_stand_in_the_way_are_removed_too(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for number in range(4):
        (root / f".{number}.moved" / "a" / "b").mkdir(parents=True)
        (root / f".{number}.moved" / "file").touch()
    remove_tree(root)
    assert not root.exists()


def test_folder_of_a_process_that_was_killed_is_swept_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    running = WorkFolder()
    killed = WorkFolder()
    (killed.new("worker-") / "file").touch()
    os.close(killed._lock)  # as the end of the process does
    killed._lock = -1
    other = tmp_path / "grader-work-of-somebody-else"
    other.mkdir()
    if os.getuid() == 0:
        os.chown(other, 65534, 65534)
    for folder in (running.path, killed.path, other):
        os.utime(folder, (1, 1))
    WorkFolder().close()
    assert running.path.exists()
    assert not killed.path.exists()
    assert other.exists() == (os.getuid() == 0)
    running.close()
    assert not running.path.exists()
