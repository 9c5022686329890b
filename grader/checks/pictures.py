"""What the report shows of a network's inside and of a convolution: nothing here earns a point."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.checks.references import cross_correlation_2d
from grader.records.arrays import ArrayRecord
from grader.records.evidence import FunctionEvidence, FunctionTrial
from grader.records.network_evidence import NetworkEvidence
from grader.records.network_pictures import FilteredImage, NetworkPictures, quantised

Array = npt.NDArray[Any]

_MAX_SIDE: Final = 128
"""Larger results are not shown."""


def network_exhibits(evidence: NetworkEvidence) -> tuple[NetworkPictures, ...]:
    """What the network makes of an image; empty for one that reads none."""
    return () if evidence.pictures is None else (evidence.pictures,)


def function_exhibits(evidence: FunctionEvidence) -> tuple[FilteredImage, ...]:
    """What the student's convolution makes of an image; empty where it was not tried."""
    trial = evidence.picture
    if trial is None:
        return ()
    image, kernel = _argument(trial, "image"), _argument(trial, "kernel")
    if image is None or kernel is None:
        return ()
    expected = cross_correlation_2d(image, kernel)
    received, remark = _received(trial)
    largest = _rounded(float(np.max(np.abs(expected), initial=0.0)))
    same_shape = received is not None and received.shape == expected.shape
    place = _telling_place(expected)
    difference = worst = value = None
    if received is not None and same_shape:
        error = received.astype(np.float64) - expected
        difference = ArrayRecord.of(quantised(error, largest, signed=True))
        finite = bool(np.isfinite(received).all())
        worst = _rounded(float(np.max(np.abs(error), initial=0.0))) if finite else None
        value = float(received[place]) if np.isfinite(received[place]) else None
    return (
        FilteredImage(
            image=ArrayRecord.of(quantised(image, 255.0, signed=False)),
            kernel=ArrayRecord.of(kernel.astype(np.float64)),
            expected=ArrayRecord.of(quantised(expected, largest, signed=True)),
            received=None
            if received is None
            else ArrayRecord.of(quantised(received, largest, signed=True)),
            difference=difference,
            largest=largest,
            largest_difference=worst,
            place=place,
            expected_value=float(expected[place]),
            received_value=value,
            remark=remark,
        ),
    )


def _argument(trial: FunctionTrial, name: str) -> Array | None:
    value = trial.arguments.get(name)
    return value.array() if isinstance(value, ArrayRecord) else None


def _received(trial: FunctionTrial) -> tuple[Array | None, str]:
    """The student's image, or why there is none to show."""
    if trial.incident is not None:
        return None, "your function did not answer for this image"
    values = None if trial.result is None else trial.result.array()
    if values is None or values.dtype.kind not in "iuf":
        return None, "your function returned no array of numbers for this image"
    if values.ndim != 2 or 0 in values.shape or max(values.shape) > _MAX_SIDE:
        return None, f"your function returned an array of shape {values.shape}, which is no image"
    return values, ""


def _telling_place(expected: Array) -> tuple[int, int]:
    """Where the result is largest: there every slip changes it."""
    row, column = np.unravel_index(int(np.argmax(np.abs(expected))), expected.shape)
    return int(row), int(column)


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
