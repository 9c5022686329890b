"""The same input gives the same bytes, whatever the number of jobs and the folder."""

from __future__ import annotations

import csv
import gzip
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Command = Callable[..., CompletedProcess[str]]


def test_class_graded_with_one_job_from_elsewhere_is_byte_identical(
    grader: Command, graded_class: Path, root: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(root / "submissions", tmp_path / "handed_in")
    done = grader("grade", "handed_in", "--out", "B", "--jobs", "1", cwd=tmp_path)
    assert done.returncode == 1, done.stderr

    names = sorted(folder.name for folder in graded_class.iterdir() if folder.is_dir())
    assert names == sorted(folder.name for folder in (tmp_path / "B").iterdir() if folder.is_dir())
    assert len(names) >= 40
    assert copied.is_dir()
    for name in names:
        for file in ("report.json", "report.html", "evidence.json.gz"):
            first = (graded_class / name / file).read_bytes()
            second = (tmp_path / "B" / name / file).read_bytes()
            if file.endswith(".gz"):
                first, second = gzip.decompress(first), gzip.decompress(second)
            assert first == second, f"{name}/{file}"
    for file in ("index.html", "grades.csv"):
        assert (graded_class / file).read_bytes() == (tmp_path / "B" / file).read_bytes()


def test_zip_gets_the_same_report_as_the_folder(
    grader: Command, graded_class: Path, root: Path, tmp_path: Path
) -> None:
    name = "network_stride_wrong"
    with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
        for file in (root / "submissions" / name).iterdir():
            archive.write(file, f"{name}/{file.name}")
    done = grader("grade", tmp_path / f"{name}.zip", "--out", tmp_path / "out")
    assert done.returncode == 1
    first = (graded_class / name / "report.json").read_bytes()
    assert (tmp_path / "out" / name / "report.json").read_bytes() == first


def test_grading_one_again_keeps_the_rest_of_the_class_in_the_table(
    grader: Command, graded_class: Path, root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for name in ("network_dropout", "training_mse"):
        shutil.copytree(graded_class / name, out / name)
    done = grader("grade", root / "submissions" / "convolution_loops", "--out", out)
    assert done.returncode == 1
    with (out / "grades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["submission"] for row in rows] == [
        "convolution_loops",
        "network_dropout",
        "training_mse",
    ]
