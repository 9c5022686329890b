"""The reference of `cross_correlation_2d`: what is told of its known mistakes."""

from __future__ import annotations

from typing import Final

from grader.checks.convolution_forms import ConvolutionMistake, explanations, only_squares
from grader.checks.function_codes import FunctionCode
from grader.checks.function_reference import (
    Answer,
    Arguments,
    Array,
    FunctionReference,
    Mistakes,
    Told,
    call_text,
    cases_of,
)
from grader.checks.references import cross_correlation_2d
from grader.records.incident import IncidentKind
from grader.records.result import Finding, Severity

_TOLD: Final[dict[str, Told]] = {
    ConvolutionMistake.FLIPPED: Told(
        FunctionCode.FLIPPED, "The kernel is turned by 180° before it is multiplied.",
        "Multiply `image[i + m, j + n]` with `kernel[m, n]`, both counted forwards. "
        "`scipy.signal.convolve2d` and `np.convolve` turn the kernel; convolution layers do not."),
    ConvolutionMistake.TRANSPOSED_KERNEL: Told(
        FunctionCode.TRANSPOSED_KERNEL, "Rows and columns of the kernel are exchanged.",
        "The first index of image and kernel is the row: multiply `image[i + m, j + n]` with "
        "`kernel[m, n]`."),
    ConvolutionMistake.SAME: Told(
        FunctionCode.SAME_PADDING, "The image is padded as for 'same'.",
        "Leave the padding out: the window must lie inside the image as a whole ('valid')."),
    ConvolutionMistake.FULL: Told(
        FunctionCode.FULL_PADDING, "The image is padded as for 'full'.",
        "Leave the padding out: the window must lie inside the image as a whole. With scipy, say "
        "`mode='valid'`."),
    ConvolutionMistake.STRIDE_IGNORED: Told(
        FunctionCode.STRIDE_IGNORED, "The stride is ignored.",
        "Let the window start at row `i * stride` and column `j * stride`, and return only that "
        "many rows and columns."),
    ConvolutionMistake.STRIDE_DOWN_ONLY: Told(
        FunctionCode.STRIDE_ONE_AXIS, "The stride is applied to the rows only.",
        "Use it for the columns too: the window starts at column `j * stride`."),
    ConvolutionMistake.STRIDE_ACROSS_ONLY: Told(
        FunctionCode.STRIDE_ONE_AXIS, "The stride is applied to the columns only.",
        "Use it for the rows too: the window starts at row `i * stride`."),
    ConvolutionMistake.STRIDE_SHAPE_ONLY: Told(
        FunctionCode.STRIDE_SHAPE_ONLY,
        "The stride sets the size of the output, but the window still moves by one pixel.",
        "Cut the window out at `i * stride` and `j * stride`, not at `i` and `j`."),
    ConvolutionMistake.TRANSPOSED: Told(
        FunctionCode.TRANSPOSED, "Rows and columns of the output are exchanged.",
        "The first index of the output is the row: `out[i, j]` with `i` from the image's height."),
    ConvolutionMistake.OFF_BY_ONE: Told(
        FunctionCode.OFF_BY_ONE, "The output is one row or column too large or too small.",
        "The output has `(height - kernel_height) // stride + 1` rows, and columns alike."),
    ConvolutionMistake.OVERFLOW: Told(
        FunctionCode.OVERFLOW, "Sums are computed or stored in the integers of the input.",
        "Convert both inputs first, with `image.astype(float)`, and make the output with "
        "`np.zeros(shape)`, which is float64."),
    ConvolutionMistake.TRUNCATED: Told(
        FunctionCode.TRUNCATED, "Decimals are cut off.",
        "Make the output with `np.zeros(shape)`, without an integer dtype, and do not use `int`."),
    ConvolutionMistake.CLIPPED: Told(
        FunctionCode.CLIPPED, "Negative or large values are cut to a range.",
        "Return the sums as they are: no `np.clip`, no ReLU, no `abs`. What comes after the "
        "convolution is another layer's work."),
    ConvolutionMistake.AVERAGED: Told(
        FunctionCode.AVERAGED, "The sum is divided by the number of kernel elements.",
        "Use `np.sum(window * kernel)`, not `np.mean`."),
    ConvolutionMistake.CONSTANT: Told(
        FunctionCode.CONSTANT, "Every value of the output is the same.",
        "Check that the loop fills `out[i, j]` for every `i` and `j`, from the window at that "
        "place.", is_slip=False),
}  # fmt: skip


def _square_finding(answers: list[Answer], where: str) -> tuple[Finding, ...]:
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
        expected=f"shape {first.expected.shape}, {call_text(first)}",
        received=f"{received} ({cases_of([first, *(a for a in wrong if a is not first)])})",
        try_="Take both sides from both arrays: `height, width = image.shape` and "
        "`kernel_height, kernel_width = kernel.shape`; rows belong to heights, columns to widths.",
    ),)  # fmt: skip


def _explain(
    arguments: Arguments, received: Array, absolute: float, relative: float
) -> tuple[Mistakes, ...]:
    stride = int(arguments.get("stride", 1))
    return tuple(
        frozenset(map(str, mistakes))
        for mistakes in explanations(
            arguments["image"], arguments["kernel"], stride, received, absolute, relative
        )
    )


CONVOLUTION: Final = FunctionReference(
    compute=cross_correlation_2d, explain=_explain, told=_TOLD, numpy_only=True,
    pattern=_square_finding,
    shape_advice="Return a two-dimensional array with `(height - kernel_height) // stride + 1` "
    "rows, and columns alike, even when that is 1.",
    values_advice="Compute one small case by hand: `out[i, j]` is the sum of `image[i * stride + "
    "m, j * stride + n] * kernel[m, n]` over all `m` and `n`.",
)  # fmt: skip
