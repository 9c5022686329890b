"""From verdicts to the results of a submission: what is judged, skipped, invalid, or a fault."""

from __future__ import annotations

from collections.abc import Callable

from grader.records.result import CheckResult, Outcome, Verdict
from grader.records.spec import Assignment, Visibility

Judge = Callable[[str, str], Verdict]
"""Judges a check, given the ids of its part and its name."""


def selected_checks(assignment: Assignment, *, public_only: bool) -> tuple[str, ...]:
    """Ids of the checks to judge, in report order.

    Args:
        assignment: the assignment.
        public_only: leave out what students cannot run themselves.
    """
    return tuple(
        f"{part_id}.{name}"
        for part_id, part in assignment.parts.items()
        for name, check in part.checks.items()
        if not public_only or check.visibility is Visibility.PUBLIC
    )


def results_of(
    assignment: Assignment,
    selected: tuple[str, ...],
    judge: Judge,
    unloaded: frozenset[str] = frozenset(),
) -> tuple[CheckResult, ...]:
    """Judges the selected checks, those first that others require.

    A check whose requirement did not pass is skipped: one cause is told once. Requirements outside
    the selection count as met, and so do those whose verdict `opens`.

    Args:
        assignment: the assignment; its `requires` hold no cycle.
        selected: ids of the checks to judge.
        judge: the judgement of one check.
        unloaded: parts that could not be loaded; their checks are judged (invalid) regardless.
    """
    judged: dict[str, Verdict] = {}

    def verdict(check_id: str) -> Verdict:
        if check_id not in judged:
            part_id, _, name = check_id.partition(".")
            required = assignment.parts[part_id].checks[name].requires
            needed = [verdict(other) for other in required if other in selected]
            met = part_id in unloaded or all(
                other.outcome is Outcome.PASSED or other.opens for other in needed
            )
            judged[check_id] = (
                judge(part_id, name) if met else Verdict(outcome=Outcome.SKIPPED, fraction=0.0)
            )
        return judged[check_id]

    return tuple(_result(assignment, check_id, verdict(check_id)) for check_id in selected)


def _result(assignment: Assignment, check_id: str, verdict: Verdict) -> CheckResult:
    part_id, _, name = check_id.partition(".")
    check = assignment.parts[part_id].checks[name]
    return CheckResult(
        id=check_id,
        part=part_id,
        title=check.title,
        outcome=verdict.outcome,
        points=round(verdict.fraction * check.points, 2),
        max_points=check.points,
        visibility=check.visibility,
        required=check.required,
        requires=check.requires,
        findings=verdict.findings,
        exhibits=verdict.exhibits,
    )
