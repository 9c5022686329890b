"""What to fix first: the findings behind the most points, causes before consequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grader.checks.incidents import GeneralCode
from grader.records.report import GradeReport
from grader.records.result import CheckResult, Finding, Outcome, Severity

MAX_FINDINGS: Final = 5

_JUDGED: Final = frozenset({Outcome.PARTIAL, Outcome.FAILED, Outcome.INVALID})


@dataclass(frozen=True)
class Priority:
    """One cause and what it costs."""

    part: str
    """Id of the part."""
    checks: tuple[CheckResult, ...]
    """The checks these findings stand in."""
    findings: tuple[Finding, ...]
    """What to mend, at most as many as there was room for."""
    more: int
    """Findings of the same checks that are left out."""
    points: float
    """Points lost in these checks and in those that wait for them."""
    waiting: int
    """Checks that were not judged because of these."""


def priorities(report: GradeReport, limit: int = MAX_FINDINGS) -> tuple[Priority, ...]:
    """The causes that cost most, most costly first; files that are missing after all others.

    Students check their work file by file, and know which ones they have not begun.
    What a check that was not judged costs counts for the check it waits for, so the cause stands
    on top and the consequence does not stand in the list at all. One finding that several checks
    of a part share is one cause. Faults of the grader are left out: they cost nothing.

    Args:
        report: the report of one submission.
        limit: the most findings in all. Each cause gets one before any gets a second.
    """
    results = {result.id: result for result in report.results}
    waiting = _waiting(results)
    causes = _causes(report.results)
    by_cost = sorted(
        ((_worth(checks, results, waiting), checks, found) for checks, found in causes.items()),
        key=lambda cause: -cause[0],
    )
    absent = [cause for cause in by_cost if _is_missing_file(cause[2])]
    present = [cause for cause in by_cost if not _is_missing_file(cause[2])]
    # One place is kept, so that a file that was forgotten does not go unnoticed.
    ranked = [*present[: max(1, limit - bool(absent))], *absent][:limit]
    room = limit - len(ranked)
    listed: list[Priority] = []
    for points, checks, found in ranked:
        shown = min(len(found), 1 + room)
        room -= shown - 1
        listed.append(
            Priority(
                part=results[checks[0]].part,
                checks=tuple(results[check] for check in checks),
                findings=tuple(found[:shown]),
                more=len(found) - shown,
                points=points,
                waiting=len({skipped for check in checks for skipped in waiting.get(check, ())}),
            )
        )
    return tuple(listed)


def _is_missing_file(findings: Sequence[Finding]) -> bool:
    return all(finding.code == GeneralCode.MISSING_FILE for finding in findings)


def _causes(results: Sequence[CheckResult]) -> dict[tuple[str, ...], list[Finding]]:
    """Findings by the checks they stand in, in report order."""
    stands_in: dict[tuple[str, Finding], list[str]] = {}
    for result in results:
        if result.outcome in _JUDGED and result.max_points > result.points:
            errors = [f for f in result.findings if f.severity is Severity.ERROR]
            for finding in errors or result.findings:
                checks = stands_in.setdefault((result.part, finding), [])
                if result.id not in checks:
                    checks.append(result.id)
    causes: dict[tuple[str, ...], list[Finding]] = {}
    for (_, finding), checks in stands_in.items():
        causes.setdefault(tuple(checks), []).append(finding)
    return causes


def _waiting(results: Mapping[str, CheckResult]) -> dict[str, set[str]]:
    """For each check that was judged and did not pass, the checks that wait for it.

    Those are the skipped ones, and those that could not be judged for a reason that the first
    check of their part tells.
    """
    waiting: dict[str, set[str]] = {}
    tells: dict[str, str] = {}
    for result in results.values():
        if result.outcome is Outcome.INVALID:
            if result.findings:
                tells.setdefault(result.part, result.id)
            elif result.part in tells:
                waiting.setdefault(tells[result.part], set()).add(result.id)
        if result.outcome is Outcome.SKIPPED:
            for cause in _roots(result, results, {result.id}):
                waiting.setdefault(cause, set()).add(result.id)
    return waiting


def _roots(
    skipped: CheckResult, results: Mapping[str, CheckResult], seen: set[str]
) -> tuple[str, ...]:
    roots: list[str] = []
    for name in skipped.requires:
        required = results.get(name)
        if required is None or name in seen:
            continue
        seen.add(name)
        if required.outcome is Outcome.SKIPPED:
            roots.extend(_roots(required, results, seen))
        elif required.outcome in _JUDGED:
            roots.append(name)
    return tuple(roots)


def _worth(
    checks: Sequence[str], results: Mapping[str, CheckResult], waiting: Mapping[str, set[str]]
) -> float:
    lost = set(checks).union(*(waiting.get(check, set()) for check in checks))
    # Sets of strings have another order in every process; sums of floats depend on theirs.
    return sum(results[name].max_points - results[name].points for name in sorted(lost))
