"""Every sample submission gets what its `expected.toml` says."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from grader.records.catalogue import catalogue

SAMPLES = Path(__file__).parents[2] / "submissions"
NAMES = sorted(file.parent.name for file in SAMPLES.glob("*/expected.toml"))


def _report(graded_class: Path, name: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((graded_class / name / "report.json").read_text())
    return report


def test_there_are_samples_enough() -> None:
    assert len(NAMES) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_judged_as_expected(graded_class: Path, name: str) -> None:
    expected = tomllib.loads((SAMPLES / name / "expected.toml").read_text())
    report = _report(graded_class, name)
    outcomes = {result["id"]: result["outcome"] for result in report["results"]}

    assert report["status"] == "graded"
    assert expected["score"]["min"] <= report["score"] <= expected["score"]["max"]
    not_handed_in = dict.fromkeys(outcomes.keys() - expected["outcomes"].keys(), "invalid")
    assert outcomes == expected["outcomes"] | not_handed_in


@pytest.mark.parametrize("name", NAMES)
def test_sample_gets_the_findings_it_is_about(graded_class: Path, name: str) -> None:
    expected = tomllib.loads((SAMPLES / name / "expected.toml").read_text())
    report = _report(graded_class, name)
    found = {
        result["id"]: {finding["code"] for finding in result["findings"]}
        for result in report["results"]
    }

    for check, codes in expected.get("codes", {}).items():
        assert set(codes) <= found[check]
    assert set().union(*found.values()) <= catalogue().keys()


@pytest.mark.parametrize("name", NAMES)
def test_checks_without_full_points_say_why_or_wait_for_one_that_does(
    graded_class: Path, name: str
) -> None:
    report = _report(graded_class, name)
    told = {result["part"] for result in report["results"] if result["findings"]}

    for result in report["results"]:
        if result["outcome"] in {"failed", "partial"}:
            assert result["findings"], result["id"]
        elif result["outcome"] in {"invalid", "skipped"}:
            assert result["part"] in told


def test_no_report_names_the_machine_or_the_scratch_folder(graded_class: Path) -> None:
    for file in graded_class.glob("*/report.json"):
        text = file.read_text()
        assert "/tmp/" not in text
        assert str(SAMPLES.parent) not in text


def test_reports_are_complete_and_small(graded_class: Path) -> None:
    for name in NAMES:
        folder = graded_class / name
        assert {file.name for file in folder.iterdir()} - {"episodes"} == {
            "report.html",
            "report.json",
            "timings.json",
            "journal.json",
            "evidence.json.gz",
        }
        assert (folder / "report.html").stat().st_size < 2_000_000
    assert (graded_class / "index.html").is_file()
    assert len((graded_class / "grades.csv").read_text().splitlines()) == len(NAMES) + 1
