from __future__ import annotations

import os
from pathlib import Path

from grader.sandbox.scratch import remove_tree


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
