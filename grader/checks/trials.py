"""What judges of called functions share: incidents over many calls, comparing, wording."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from grader.checks.incidents import incident_finding, incident_verdict
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Finding, Outcome, Verdict

Hypothesis = TypeVar("Hypothesis")
Named = tuple[str, Incident | None]
"""The name of a case and how it ended badly, if it did."""

_SHOWN_VALUES = 12
_SHOWN_CASES = 3


# --- incidents ----------------------------------------------------------------------------------


def fault_verdict(outcomes: Sequence[Named], what: str) -> Verdict | None:
    """The verdict when the grader failed in any case, or nothing was tried at all; else None.

    Args:
        outcomes: all cases that were tried.
        what: what should have been tried, for the operator.
    """
    if not outcomes:
        missing = Incident(
            kind=IncidentKind.FAULT, stage=f"trying {what}", message=f"{what} was never tried"
        )
        return incident_verdict(missing)
    faults = [end for _, end in outcomes if end is not None and end.kind is IncidentKind.FAULT]
    return incident_verdict(faults[0]) if faults else None


def uncalled_verdict(
    outcomes: Sequence[Named], what: str, place: str | None = None
) -> Verdict | None:
    """The verdict when not one case got an answer; None when at least one did.

    All raised: judged, no points. If a limit, an exit or an unreadable answer was among them, it
    stays open what the code would have done, and the outcome is the one of that incident.

    Args:
        outcomes: all cases that were tried.
        what: what should have been tried, for the operator.
        place: `file:line` of what was called.
    """
    fault = fault_verdict(outcomes, what)
    if fault is not None:
        return fault
    ends = [end for _, end in outcomes if end is not None]
    if len(ends) < len(outcomes):
        return None
    open_end = next((end for end in ends if end.kind is not IncidentKind.RAISED), ends[0])
    return incident_verdict(open_end).model_copy(
        update={"findings": incident_findings(outcomes, place)}
    )


def incident_findings(outcomes: Iterable[Named], place: str | None = None) -> tuple[Finding, ...]:
    """One finding for each different incident: the first in full, its other cases counted.

    Args:
        outcomes: all cases that were tried.
        place: `file:line` of what was called, for incidents that have no line of their own.
    """
    groups: dict[tuple[object, ...], list[tuple[str, Incident]]] = {}
    for label, end in outcomes:
        if end is not None:
            key = (end.kind, end.error_type, end.limit, end.where())
            groups.setdefault(key, []).append((label, end))
    findings = []
    for group in groups.values():
        label, end = group[0]
        first = incident_finding(end, place)
        cases = cases_text([name for name, _ in group])
        if label in end.stage:
            # The claim names the case already.
            more = len(group) - 1
            cases = f"and in {more} more {'case' if more == 1 else 'cases'}" if more else ""
        if not cases:
            findings.append(first)
            continue
        received = f"{first.received} ({cases})" if first.received else cases
        findings.append(first.model_copy(update={"received": received}))
    return tuple(findings)


def worst(outcome: Outcome, outcomes: Sequence[Named]) -> Outcome:
    """The outcome of a check with no points: invalid when a limit or an exit left it open."""
    if outcome is not Outcome.FAILED:
        return outcome
    kinds = {end.kind for _, end in outcomes if end is not None}
    return Outcome.INVALID if kinds - {IncidentKind.RAISED} else outcome


# --- comparing ----------------------------------------------------------------------------------


def matches(
    received: npt.NDArray[Any],
    expected: npt.NDArray[Any],
    absolute_tolerance: float,
    relative_tolerance: float,
) -> bool:
    """Whether two arrays have one shape and agree in every element.

    The relative tolerance is taken of the largest expected value, not of each one: single
    precision loses digits of a small result that is the difference of large products, and that is
    no mistake.
    """
    if received.shape != expected.shape:
        return False
    if expected.size == 0:
        return True
    scale = float(np.max(np.abs(expected)))
    # Shapes are compared first, so that nothing is broadcast.
    difference = np.abs(received.astype(np.float64) - expected)
    return bool(np.all(difference <= absolute_tolerance + relative_tolerance * scale))


def cover(
    wrong: Collection[int], explained: Mapping[Hypothesis, Collection[int]]
) -> tuple[tuple[tuple[Hypothesis, tuple[int, ...]], ...], tuple[int, ...]]:
    """The fewest causes that explain the wrong cases, found greedily.

    Args:
        wrong: numbers of the wrong cases.
        explained: for each possible cause the cases it explains; simpler causes first, since the
            first of equals is taken.

    Returns:
        The causes with the cases each was taken for, and the cases that none explains.
    """
    left = set(wrong)
    chosen: list[tuple[Hypothesis, tuple[int, ...]]] = []
    while left:
        best: Hypothesis | None = None
        gain: set[int] = set()
        for cause, cases in explained.items():
            found = left & set(cases)
            if len(found) > len(gain):
                best, gain = cause, found
        if best is None:
            break
        chosen.append((best, tuple(sorted(gain))))
        left -= gain
    return tuple(chosen), tuple(sorted(left))


# --- wording ------------------------------------------------------------------------------------


def number(value: float) -> str:
    """A number in at most six digits."""
    return f"{float(value):.6g}"


def show(array: npt.NDArray[Any]) -> str:
    """An array in a few words: its values when there are few, otherwise its shape."""
    if array.size == 1 and array.ndim == 0:
        return number(array.item())
    if array.size <= _SHOWN_VALUES:
        return str(np.vectorize(number, otypes=[object])(array).tolist()).replace("'", "")
    return f"an array of shape {array.shape}"


def first_difference(
    received: npt.NDArray[Any],
    expected: npt.NDArray[Any],
    absolute_tolerance: float,
    relative_tolerance: float,
) -> tuple[str, str]:
    """Expected and received, told by the first element that differs.

    Args:
        received: what came back, of the shape of `expected`.
        expected: what should have come back.
        absolute_tolerance: as for `matches`.
        relative_tolerance: as for `matches`.
    """
    if expected.ndim == 0:
        return number(expected.item()), number(received.item())
    scale = float(np.max(np.abs(expected), initial=0.0))
    values = received.astype(np.float64)
    near = np.abs(values - expected) <= absolute_tolerance + relative_tolerance * scale
    place = tuple(int(axis) for axis in np.argwhere(~near)[0])
    spot = f"at {list(place)}"
    return f"{number(expected[place])} {spot}", f"{number(values[place])} {spot}"


def cases_text(labels: Sequence[str]) -> str:
    """The cases something was seen in: the first by name, the rest named or counted."""
    if len(labels) == 1:
        return f"case “{labels[0]}”"
    others = labels[1:]
    if len(others) <= _SHOWN_CASES:
        named = ", ".join(f"“{label}”" for label in others)
        return f"case “{labels[0]}”, also {named}"
    return f"case “{labels[0]}” and {len(others)} more"
