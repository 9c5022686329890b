"""What is told about a function's wrong answers: each cause once, by name where it is known."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from grader.checks.function_codes import FunctionCode
from grader.checks.function_reference import (
    Answer,
    FunctionReference,
    Mistakes,
    call_text,
    cases_of,
)
from grader.checks.trials import cover, first_difference
from grader.records.function_settings import ValuesSettings
from grader.records.result import Finding, Severity


def wrong_findings(
    answers: list[Answer], reference: FunctionReference, settings: ValuesSettings, where: str
) -> tuple[Finding, ...]:
    """All that is wrong with the values, each cause once.

    Args:
        answers: all of them, right and wrong.
        reference: what the function must compute.
        settings: the tolerances.
        where: `file:line` of the function.
    """
    nothing: list[Answer] = []
    infinite: list[Answer] = []
    wrong: list[Answer] = []
    for answer in answers:
        if answer.right or answer.trial.incident is not None:
            continue
        if answer.received is None or answer.received.dtype.kind not in "iuf":
            nothing.append(answer)
        elif not np.all(np.isfinite(answer.received)):
            infinite.append(answer)
        else:
            wrong.append(answer)
    findings = []
    if nothing:
        kind = nothing[0].received
        received = nothing[0].trial.result_type or "nothing"
        claim = "array of numbers" if "array" in reference.result else "number"
        findings.append(Finding(
            code=FunctionCode.NOT_AN_ARRAY, severity=Severity.ERROR,
            claim=f"What comes back is no {claim}.", where=where,
            expected=reference.result,
            received=f"{received if kind is None else f'an array of dtype {kind.dtype}'} "
            f"({cases_of(nothing)})",
            try_=reference.no_result_advice,
        ))  # fmt: skip
    if infinite:
        findings.append(Finding(
            code=reference.not_finite.code, severity=Severity.ERROR,
            claim=reference.not_finite.claim, where=where,
            expected=f"finite numbers, {call_text(infinite[0])}",
            received=f"NaN or infinity ({cases_of(infinite)})",
            try_=reference.not_finite.advice,
        ))  # fmt: skip
    return (*findings, *_explained_findings(wrong, reference, settings, where))


def _explained_findings(
    wrong: list[Answer], reference: FunctionReference, settings: ValuesSettings, where: str
) -> tuple[Finding, ...]:
    explained: dict[Mistakes, set[int]] = {}
    possible: list[tuple[Mistakes, ...]] = []
    for index, answer in enumerate(wrong):
        assert answer.received is not None
        possible.append(reference.explain(
            answer.arguments, answer.received,
            settings.absolute_tolerance, settings.relative_tolerance,
        ))  # fmt: skip
        for mistakes in possible[-1]:
            explained.setdefault(mistakes, set()).add(index)
    order = [str(mistake) for mistake in reference.told]
    causes, rest = cover(range(len(wrong)), dict(sorted(
        explained.items(), key=lambda item: (len(item[0]), sorted(map(order.index, item[0])))
    )))  # fmt: skip

    seen: dict[str, list[int]] = {}
    for mistakes, indices in causes:
        for mistake in sorted(mistakes, key=order.index):
            # A case shows a mistake only if it would look different without it: with stride 1
            # nobody can tell whether the stride is ignored.
            shown = [i for i in indices if mistakes - {mistake} not in possible[i]]
            seen.setdefault(mistake, []).extend(shown)
    findings = []
    for mistake in sorted(seen, key=order.index):
        told = reference.told[mistake]
        group = [wrong[i] for i in sorted(seen[mistake])]
        if group:
            findings.append(_finding(told.code, told.claim, told.advice, group, settings, where))
    return (*findings, *_unexplained(reference, [wrong[i] for i in rest], settings, where))


def _unexplained(
    reference: FunctionReference, wrong: list[Answer], settings: ValuesSettings, where: str
) -> tuple[Finding, ...]:
    shapes = [None if a.received is None else a.received.shape for a in wrong]
    right_shape = [shape == a.expected.shape for shape, a in zip(shapes, wrong, strict=True)]
    misshaped = [answer for answer, same in zip(wrong, right_shape, strict=True) if not same]
    misvalued = [answer for answer, same in zip(wrong, right_shape, strict=True) if same]
    findings = []
    if misshaped:
        findings.append(_finding(
            FunctionCode.WRONG_SHAPE, "The output has the wrong shape.",
            reference.shape_advice, misshaped, settings, where,
        ))  # fmt: skip
    if misvalued:
        findings.append(_finding(
            FunctionCode.WRONG_VALUES, "The values are wrong.",
            reference.values_advice, misvalued, settings, where,
        ))  # fmt: skip
    return tuple(findings)


def _finding(
    code: StrEnum,
    claim: str,
    advice: str,
    group: list[Answer],
    settings: ValuesSettings,
    where: str,
) -> Finding:
    first = group[0]
    assert first.received is not None
    if first.received.shape != first.expected.shape:
        expected, received = f"shape {first.expected.shape}", f"shape {first.received.shape}"
    else:
        expected, received = first_difference(
            first.received, first.expected,
            settings.absolute_tolerance, settings.relative_tolerance,
        )  # fmt: skip
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=where,
        expected=f"{expected}, {call_text(first)}", received=f"{received} ({cases_of(group)})",
        try_=advice,
    )  # fmt: skip


def warnings_of(
    answers: list[Answer], reference: FunctionReference, where: str
) -> tuple[Finding, ...]:
    """What costs nothing: another type of right values, arguments that are changed."""
    findings = []
    other = [
        a for a in answers
        if reference.numpy_only and a.right and a.trial.result_type
        and not _is_array_type(a.trial.result_type)
    ]  # fmt: skip
    if other:
        findings.append(Finding(
            code=FunctionCode.OTHER_TYPE, severity=Severity.WARNING,
            claim="The values are right, but they do not come as a numpy array.", where=where,
            expected="numpy.ndarray",
            received=f"{other[0].trial.result_type} ({cases_of(other)})",
            try_="Return `np.array(out)`.",
        ))  # fmt: skip
    changed = [a for a in answers if a.trial.mutated]
    if changed:
        names = " and ".join(f"`{name}`" for name in changed[0].trial.mutated)
        example = changed[0].trial.mutated[0]
        findings.append(Finding(
            code=FunctionCode.MUTATED, severity=Severity.WARNING,
            claim="The function changes the array it is given.", where=where,
            expected="arguments left as they were",
            received=f"{names} changed ({cases_of(changed)})",
            try_=f"Work on a copy (`{'image' if reference.numpy_only else example}.copy()`), or "
            "make new arrays: `a = a * 2`, not `a *= 2`.",
        ))  # fmt: skip
    return tuple(findings)


def _is_array_type(name: str) -> bool:
    return name.rpartition(".")[2] == "ndarray"
