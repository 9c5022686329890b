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
    # Every third of the class; in the order of their names, all kinds of part are among them.
    folders = sorted(folder for folder in (root / "submissions").iterdir() if folder.is_dir())[::3]
    for folder in folders:
        shutil.copytree(folder, tmp_path / "handed_in" / folder.name)
    done = grader("grade", "handed_in", "--out", "B", "--jobs", "1", cwd=tmp_path)
    assert done.returncode == 1, done.stderr

    names = [folder.name for folder in folders]
    assert names == sorted(folder.name for folder in (tmp_path / "B").iterdir() if folder.is_dir())
    assert len(names) >= 40
    for name in names:
        for file in ("report.json", "report.html", "evidence.json.gz"):
            first = (graded_class / name / file).read_bytes()
            second = (tmp_path / "B" / name / file).read_bytes()
            if file.endswith(".gz"):
                first, second = gzip.decompress(first), gzip.decompress(second)
            assert first == second, f"{name}/{file}"
    rows = set((graded_class / "grades.csv").read_text().splitlines())
    assert set((tmp_path / "B" / "grades.csv").read_text().splitlines()) <= rows


def test_class_page_and_table_are_the_same_with_any_number_of_jobs(
    grader: Command, root: Path, tmp_path: Path
) -> None:
    samples = [
        root / "submissions" / name
        for name in (
            "convolution_loops",
            "network_stride_wrong",
            "training_mse",
            "agent_always_left",
        )
    ]
    for jobs in ("1", "2"):
        grader("grade", *samples, "--out", tmp_path / jobs, "--jobs", jobs)
    for file in ("index.html", "grades.csv"):
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


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
