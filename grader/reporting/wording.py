"""Numbers and enum members in plain words, the same on every page and in the terminal."""

from __future__ import annotations

import math
from typing import Final

from grader.records.report import GradeReport, ReportStatus, SeedSet
from grader.records.result import Outcome, RowStatus, Severity
from grader.records.spec import Isolation

OUTCOME_WORDS: Final = {
    Outcome.PASSED: "passed",
    Outcome.PARTIAL: "partly passed",
    Outcome.FAILED: "not passed",
    Outcome.SKIPPED: "skipped",
    Outcome.INVALID: "could not be judged",
    Outcome.FAULT: "withheld",
}
"""The outcome beside a check."""

OUTCOME_NOTES: Final = {
    Outcome.PASSED: "",
    Outcome.PARTIAL: "",
    Outcome.FAILED: "",
    Outcome.SKIPPED: "This check was not run, because one it builds on did not pass.",
    Outcome.INVALID: "This check could not look at your work, for the reason told in the first "
    "check of this part.",
    Outcome.FAULT: "The grader failed in this check. It is not your mistake and costs you nothing: "
    "the mark is withheld until this has been graded again.",
}
"""What an outcome means, where the word alone does not say it."""

ROW_WORDS: Final = {
    RowStatus.MATCHES: "matches",
    RowStatus.DIFFERS: "differs",
    RowStatus.MISSING: "missing",
    RowStatus.EXTRA: "extra",
    RowStatus.FREE: "allowed",
    RowStatus.PREPROCESSING: "preprocessing",
}
"""The status of one line of the layer table."""

SEVERITY_WORDS: Final = {
    Severity.ERROR: "Costs points",
    Severity.WARNING: "Costs nothing here",
    Severity.NOTE: "Good to know",
}

STATUS_WORDS: Final = {ReportStatus.GRADED: "graded", ReportStatus.WITHHELD: "withheld"}

ISOLATION_WORDS: Final = {
    Isolation.FULL: "full: own file system, process table and empty network, system-call filter",
    Isolation.RESTRICTED: "restricted: system-call filter and limited file access",
    Isolation.PROCESS: "process: a process of its own with limits, nothing more",
}

SEED_WORDS: Final = {
    SeedSet.PUBLIC: "public (a self-check; grading uses others)",
    SeedSet.FINAL: "final (those of grading)",
}


def points_text(points: float) -> str:
    """Points with at most two decimals and no idle zeros: `8`, `87.5`, `3.33`."""
    return decimal_text(points, 2)


def decimal_text(value: float, places: int) -> str:
    """A number with thousands separators and at most `places` decimals: `1,024.5`."""
    text = f"{value:,.{places}f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short == "-0" else short.replace("-", "−")


def fixed_text(value: float, places: int) -> str:
    """A number with thousands separators and exactly `places` decimals: `0.40`."""
    return f"{value + 0.0:z,.{places}f}".replace("-", "−")


def number_text(value: float) -> str:
    """A number with four significant digits, in plain decimals where that is readable."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "not a number"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}".replace("-", "−")
    places = max(0, 3 - math.floor(math.log10(abs(value))))
    return decimal_text(value, places)


def share_text(share: float) -> str:
    """A share in 0 to 1 as whole per cent; never 0 % or 100 % unless it is exactly that."""
    percent = round(100 * share)
    if percent == 100 and share < 1:
        percent = 99
    if percent == 0 and share > 0:
        percent = 1
    return f"{percent} %"


def count_of(number: int, noun: str) -> str:
    """`1 check`, `2 checks`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size_text(size_bytes: int) -> str:
    """A file size: `812 bytes`, `1.4 KiB`, `2.0 MiB`."""
    if size_bytes < 1024:
        return count_of(size_bytes, "byte")
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.1f} KiB"
    return f"{size_bytes / 1024 / 1024:.1f} MiB"


def passed_sentence(report: GradeReport) -> str:
    """How many checks passed, with those that were not run or not judged named apart."""
    outcomes = [result.outcome for result in report.results]
    passed = outcomes.count(Outcome.PASSED)
    if passed == len(outcomes):
        return f"All {count_of(passed, 'check')} passed." if passed != 1 else "The check passed."
    counts = [
        f"{outcomes.count(outcome)} {OUTCOME_WORDS[outcome]}"
        for outcome in Outcome
        if outcome is not Outcome.PASSED and outcome in outcomes
    ]
    return f"{passed} of {count_of(len(outcomes), 'check')} passed; {', '.join(counts)}."
