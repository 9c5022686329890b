"""Judges of a `function` part: can it be called, and does it compute what it must?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.convolution_forms import (
    ConvolutionMistake,
    Mistakes,
    explanations,
    only_squares,
)
from grader.checks.interface import graded, interface_verdict, passed
from grader.checks.references import cross_correlation_2d
from grader.checks.trials import (
    cases_text,
    cover,
    fault_verdict,
    first_difference,
    incident_findings,
    matches,
    uncalled_verdict,
    worst,
)
from grader.errors import GraderFault
from grader.records.arrays import ArrayRecord
from grader.records.evidence import FunctionEvidence, FunctionTrial
from grader.records.incident import IncidentKind
from grader.records.result import Finding, Severity, Verdict
from grader.records.settings import ValuesSettings

Array = npt.NDArray[Any]
ROLE: Final = "function"


class FunctionCode(StrEnum):
    """Codes of findings about a function's values."""

    FLIPPED = "FN101"
    TRANSPOSED_KERNEL = "FN102"
    SAME_PADDING = "FN103"
    FULL_PADDING = "FN104"
    STRIDE_IGNORED = "FN105"
    STRIDE_ONE_AXIS = "FN106"
    STRIDE_SHAPE_ONLY = "FN107"
    TRANSPOSED = "FN108"
    OFF_BY_ONE = "FN109"
    OVERFLOW = "FN110"
    TRUNCATED = "FN111"
    CLIPPED = "FN112"
    AVERAGED = "FN113"
    CONSTANT = "FN114"
    SQUARE_ONLY = "FN115"
    WRONG_SHAPE = "FN120"
    WRONG_VALUES = "FN121"
    NOT_FINITE = "FN122"
    NOT_AN_ARRAY = "FN123"
    OTHER_TYPE = "FN130"
    MUTATED = "FN131"


_TOLD: Final[dict[ConvolutionMistake, tuple[FunctionCode, str, str]]] = {
    ConvolutionMistake.FLIPPED: (
        FunctionCode.FLIPPED, "The kernel is turned by 180° before it is multiplied.",
        "Multiply `image[i + m, j + n]` with `kernel[m, n]`, both counted forwards. "
        "`scipy.signal.convolve2d` and `np.convolve` turn the kernel; convolution layers do not."),
    ConvolutionMistake.TRANSPOSED_KERNEL: (
        FunctionCode.TRANSPOSED_KERNEL, "Rows and columns of the kernel are exchanged.",
        "The first index of image and kernel is the row: multiply `image[i + m, j + n]` with "
        "`kernel[m, n]`."),
    ConvolutionMistake.SAME: (
        FunctionCode.SAME_PADDING, "The image is padded as for 'same'.",
        "Leave the padding out: the window must lie inside the image as a whole ('valid')."),
    ConvolutionMistake.FULL: (
        FunctionCode.FULL_PADDING, "The image is padded as for 'full'.",
        "Leave the padding out: the window must lie inside the image as a whole. With scipy, say "
        "`mode='valid'`."),
    ConvolutionMistake.STRIDE_IGNORED: (
        FunctionCode.STRIDE_IGNORED, "The stride is ignored.",
        "Let the window start at row `i * stride` and column `j * stride`, and return only that "
        "many rows and columns."),
    ConvolutionMistake.STRIDE_DOWN_ONLY: (
        FunctionCode.STRIDE_ONE_AXIS, "The stride is applied to the rows only.",
        "Use it for the columns too: the window starts at column `j * stride`."),
    ConvolutionMistake.STRIDE_ACROSS_ONLY: (
        FunctionCode.STRIDE_ONE_AXIS, "The stride is applied to the columns only.",
        "Use it for the rows too: the window starts at row `i * stride`."),
    ConvolutionMistake.STRIDE_SHAPE_ONLY: (
        FunctionCode.STRIDE_SHAPE_ONLY,
        "The stride sets the size of the output, but the window still moves by one pixel.",
        "Cut the window out at `i * stride` and `j * stride`, not at `i` and `j`."),
    ConvolutionMistake.TRANSPOSED: (
        FunctionCode.TRANSPOSED, "Rows and columns of the output are exchanged.",
        "The first index of the output is the row: `out[i, j]` with `i` from the image's height."),
    ConvolutionMistake.OFF_BY_ONE: (
        FunctionCode.OFF_BY_ONE, "The output is one row or column too large or too small.",
        "The output has `(height - kernel_height) // stride + 1` rows, and columns alike."),
    ConvolutionMistake.OVERFLOW: (
        FunctionCode.OVERFLOW, "Sums are computed or stored in the integers of the input.",
        "Convert both inputs first, with `image.astype(float)`, and make the output with "
        "`np.zeros(shape)`, which is float64."),
    ConvolutionMistake.TRUNCATED: (
        FunctionCode.TRUNCATED, "Decimals are cut off.",
        "Make the output with `np.zeros(shape)`, without an integer dtype, and do not use `int`."),
    ConvolutionMistake.CLIPPED: (
        FunctionCode.CLIPPED, "Negative or large values are cut to a range.",
        "Return the sums as they are: no `np.clip`, no ReLU, no `abs`. What comes after the "
        "convolution is another layer's work."),
    ConvolutionMistake.AVERAGED: (
        FunctionCode.AVERAGED, "The sum is divided by the number of kernel elements.",
        "Use `np.sum(window * kernel)`, not `np.mean`."),
    ConvolutionMistake.CONSTANT: (
        FunctionCode.CONSTANT, "Every value of the output is the same.",
        "Check that the loop fills `out[i, j]` for every `i` and `j`, from the window at that "
        "place."),
}  # fmt: skip


SLIP_CREDIT: Final = 0.5
"""Least share of the points when all that is wrong is one known slip."""
_SLIPS: Final = frozenset({
    FunctionCode.SQUARE_ONLY, *(told[0] for told in _TOLD.values()),
}) - {FunctionCode.CONSTANT}  # fmt: skip


@dataclass(frozen=True)
class _Answer:
    """A trial with its reference."""

    trial: FunctionTrial
    arguments: dict[str, Any]
    expected: Array
    received: Array | None
    right: bool


def _arguments(trial: FunctionTrial) -> dict[str, Any]:
    return {
        name: value.array() if isinstance(value, ArrayRecord) else value
        for name, value in trial.arguments.items()
    }


def _is_array_type(name: str) -> bool:
    return name.rpartition(".")[2] == "ndarray"


def judge_interface(given: JudgeInput) -> Verdict:
    """Whether the function is there and answers at least one call."""
    evidence: FunctionEvidence = given.evidence
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    outcomes = [(trial.label, trial.incident) for trial in evidence.trials]
    return uncalled_verdict(outcomes, f"`{evidence.file}`", evidence.place(ROLE)) or passed()


def judge_values(given: JudgeInput) -> Verdict:
    """Whether the values are those of the reference; the share of the cases that are.

    One known slip that explains all that is wrong costs at most half: a flipped kernel makes nearly
    every case wrong, and is one line.

    Raises:
        GraderFault: a recorded case does not fit the reference; the author of the cases must act.
    """
    evidence: FunctionEvidence = given.evidence
    settings: ValuesSettings = given.settings
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    outcomes = [(trial.label, trial.incident) for trial in evidence.trials]
    fault = fault_verdict(outcomes, f"`{evidence.file}`")
    if fault is not None:
        return fault
    answers = [_answer(trial, settings) for trial in evidence.trials]
    where = evidence.place(ROLE)
    wrong = _square_finding(answers, where) or (
        *_wrong_findings(answers, settings, where),
        *incident_findings(outcomes, where),
    )
    share = sum(answer.right for answer in answers) / len(answers)
    if len(wrong) == 1 and wrong[0].code in _SLIPS:
        share = max(share, SLIP_CREDIT)
    verdict = graded(share, (*wrong, *_warnings(answers, where)))
    return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})


def _answer(trial: FunctionTrial, settings: ValuesSettings) -> _Answer:
    arguments = _arguments(trial)
    try:
        expected = cross_correlation_2d(**arguments)
    except (TypeError, ValueError) as error:
        raise GraderFault(f"case {trial.label!r} does not fit the reference: {error}") from error
    received = trial.result.array() if trial.result is not None else None
    right = (
        trial.incident is None
        and received is not None
        and received.dtype.kind in "iuf"
        and matches(received, expected, settings.absolute_tolerance, settings.relative_tolerance)
    )
    return _Answer(trial, arguments, expected, received, right)


def _square_finding(answers: list[_Answer], where: str) -> tuple[Finding, ...]:
    """The finding when all is right that is square, and nothing else; empty otherwise."""
    kinds = {a.trial.incident.kind for a in answers if a.trial.incident is not None}
    what = only_squares([(a.arguments["image"], a.arguments["kernel"], a.right) for a in answers])
    if what is None or kinds - {IncidentKind.RAISED}:
        return ()
    wrong = [answer for answer in answers if not answer.right]
    first = next((a for a in wrong if a.trial.incident is not None), wrong[0])
    end = first.trial.incident
    if end is not None:
        received = ": ".join(part for part in (end.error_type, end.message) if part)
    else:
        received = "no array" if first.received is None else f"shape {first.received.shape}"
    return (Finding(
        code=FunctionCode.SQUARE_ONLY, severity=Severity.ERROR,
        claim=f"Only square {what} come out right.",
        where=(end.where() if end is not None else None) or where,
        expected=f"shape {first.expected.shape}, {_call(first)}",
        received=f"{received} ({_cases([first, *(a for a in wrong if a is not first)])})",
        try_="Take both sides from both arrays: `height, width = image.shape` and "
        "`kernel_height, kernel_width = kernel.shape`; rows belong to heights, columns to widths.",
    ),)  # fmt: skip


def _wrong_findings(
    answers: list[_Answer], settings: ValuesSettings, where: str
) -> tuple[Finding, ...]:
    """All that is wrong with the values, each cause once."""
    nothing: list[_Answer] = []
    infinite: list[_Answer] = []
    wrong: list[_Answer] = []
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
        findings.append(Finding(
            code=FunctionCode.NOT_AN_ARRAY, severity=Severity.ERROR,
            claim="What comes back is no array of numbers.", where=where,
            expected="a numpy.ndarray of numbers",
            received=f"{received if kind is None else f'an array of dtype {kind.dtype}'} "
            f"({_cases(nothing)})",
            try_="Return the output array; a function without `return` returns None.",
        ))  # fmt: skip
    if infinite:
        findings.append(Finding(
            code=FunctionCode.NOT_FINITE, severity=Severity.ERROR,
            claim="There are values that are not finite (NaN or infinity).", where=where,
            expected=f"finite numbers, {_call(infinite[0])}",
            received=f"NaN or infinity ({_cases(infinite)})",
            try_="Start from `np.zeros`, not `np.empty`, and do not divide by a sum that can be 0.",
        ))  # fmt: skip
    return (*findings, *_explained_findings(wrong, settings, where))


def _explained_findings(
    wrong: list[_Answer], settings: ValuesSettings, where: str
) -> tuple[Finding, ...]:
    explained: dict[Mistakes, set[int]] = {}
    possible: list[tuple[Mistakes, ...]] = []
    for index, answer in enumerate(wrong):
        assert answer.received is not None
        possible.append(explanations(
            answer.arguments["image"], answer.arguments["kernel"],
            int(answer.arguments.get("stride", 1)), answer.received,
            settings.absolute_tolerance, settings.relative_tolerance,
        ))  # fmt: skip
        for mistakes in possible[-1]:
            explained.setdefault(mistakes, set()).add(index)
    order = list(ConvolutionMistake)
    causes, rest = cover(range(len(wrong)), dict(sorted(
        explained.items(), key=lambda item: (len(item[0]), sorted(map(order.index, item[0])))
    )))  # fmt: skip

    seen: dict[ConvolutionMistake, list[int]] = {}
    for mistakes, indices in causes:
        for mistake in sorted(mistakes, key=order.index):
            # A case shows a mistake only if it would look different without it: with stride 1
            # nobody can tell whether the stride is ignored.
            shown = [i for i in indices if mistakes - {mistake} not in possible[i]]
            seen.setdefault(mistake, []).extend(shown)
    findings = []
    for mistake in sorted(seen, key=order.index):
        code, claim, advice = _TOLD[mistake]
        group = [wrong[i] for i in sorted(seen[mistake])]
        findings.append(_finding(code, claim, advice, group, settings, where))
    return (*findings, *_unexplained_findings([wrong[i] for i in rest], settings, where))


def _unexplained_findings(
    wrong: list[_Answer], settings: ValuesSettings, where: str
) -> tuple[Finding, ...]:
    shapes = [None if a.received is None else a.received.shape for a in wrong]
    right_shape = [shape == a.expected.shape for shape, a in zip(shapes, wrong, strict=True)]
    misshaped = [answer for answer, same in zip(wrong, right_shape, strict=True) if not same]
    misvalued = [answer for answer, same in zip(wrong, right_shape, strict=True) if same]
    findings = []
    if misshaped:
        findings.append(_finding(
            FunctionCode.WRONG_SHAPE, "The output has the wrong shape.",
            "Return a two-dimensional array with `(height - kernel_height) // stride + 1` rows, "
            "and columns alike, even when that is 1.", misshaped, settings, where,
        ))  # fmt: skip
    if misvalued:
        findings.append(_finding(
            FunctionCode.WRONG_VALUES, "The values are wrong.",
            "Compute one small case by hand: `out[i, j]` is the sum of `image[i * stride + m, "
            "j * stride + n] * kernel[m, n]` over all `m` and `n`.", misvalued, settings, where,
        ))  # fmt: skip
    return tuple(findings)


def _finding(
    code: FunctionCode,
    claim: str,
    advice: str,
    group: list[_Answer],
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
        expected=f"{expected}, {_call(first)}", received=f"{received} ({_cases(group)})",
        try_=advice,
    )  # fmt: skip


def _warnings(answers: list[_Answer], where: str) -> tuple[Finding, ...]:
    findings = []
    other = [
        a for a in answers
        if a.right and a.trial.result_type and not _is_array_type(a.trial.result_type)
    ]  # fmt: skip
    if other:
        findings.append(Finding(
            code=FunctionCode.OTHER_TYPE, severity=Severity.WARNING,
            claim="The values are right, but they do not come as a numpy array.", where=where,
            expected="numpy.ndarray",
            received=f"{other[0].trial.result_type} ({_cases(other)})",
            try_="Return `np.array(out)`.",
        ))  # fmt: skip
    changed = [a for a in answers if a.trial.mutated]
    if changed:
        names = " and ".join(f"`{name}`" for name in changed[0].trial.mutated)
        findings.append(Finding(
            code=FunctionCode.MUTATED, severity=Severity.WARNING,
            claim="The function changes the array it is given.", where=where,
            expected="arguments left as they were",
            received=f"{names} changed ({_cases(changed)})",
            try_="Work on a copy (`image.copy()`), or make new arrays: `a = a * 2`, not `a *= 2`.",
        ))  # fmt: skip
    return tuple(findings)


def _cases(group: list[_Answer]) -> str:
    return cases_text([answer.trial.label for answer in group])


def _call(answer: _Answer) -> str:
    parts = [
        f"{name} {value.dtype} {value.shape}"
        if isinstance(value, np.ndarray)
        else f"{name} {value}"
        for name, value in answer.arguments.items()
    ]
    return f"for {', '.join(parts)}"


CHECKS: Final = (
    CheckKind(
        id="function.interface", settings=NoSettings, judge=judge_interface,
        description="The function is defined and can be called.",
    ),
    CheckKind(
        id="function.values", settings=ValuesSettings, judge=judge_values,
        description="The share of cases, edge cases included, where it gives the reference's "
        "values within a tolerance; one known slip alone costs at most half.",
    ),
)  # fmt: skip
