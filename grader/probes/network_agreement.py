"""How near two networks' outputs must be to count as the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.records.network_evidence import GraphNode, NetworkGraph

Array = npt.NDArray[Any]

RELATIVE_TOLERANCE: Final = 1e-4
"""Largest difference of outputs that counts as rounding, relative to the largest output.

A float32 sum of n terms is off by about sqrt(n) · 6e-8 of their size; the longest sum in the
networks of this subject has a few thousand terms, and a network has a handful of layers. That is
below 1e-5; ten times as much is allowed.
"""
HALF_PRECISION_TOLERANCES: Final = {"bfloat16": 8 * 2.0**-8, "float16": 8 * 2.0**-11}
"""The same for networks that compute with 16 bits.

The unit roundoff (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 2.1) times
8. TensorFlow sums in float32 here and rounds once per layer; errors of the rounding of single
layers have random signs and grow with the square root of their number, which is 8 for 64 layers.
"""


def tolerance_of(graph: NetworkGraph) -> float:
    """What is allowed between a network and its rebuilt form, by the precision it computes in.

    That precision is part of the claim; the rebuilt form does not come about where it is not so.
    """
    names = {node.output_dtype for node in _live(graph)}
    for precision, tolerance in HALF_PRECISION_TOLERANCES.items():
        if precision in names:
            return tolerance
    return RELATIVE_TOLERANCE


def _live(graph: NetworkGraph) -> Iterable[GraphNode]:
    wanted = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.index in wanted:
            wanted.update(node.inputs)
            yield node


def varies(outputs: Sequence[Array], tolerance: float = RELATIVE_TOLERANCE) -> bool:
    """Whether outputs differ from input to input by more than rounding; each of them."""
    return all(_varies(array, tolerance) for array in outputs)


def _varies(outputs: Array, tolerance: float) -> bool:
    if outputs.size == 0 or outputs.ndim == 0 or outputs.dtype.kind not in "fiub":
        return False
    values = outputs.reshape(len(outputs), -1).astype(np.float64)
    if not np.isfinite(values).all():
        return False
    spread = float(np.max(np.ptp(values, axis=0), initial=0.0)) if values.size else 0.0
    return spread > tolerance * float(np.max(np.abs(values), initial=0.0))


def difference(first: Sequence[Array], second: Sequence[Array]) -> float | None:
    """Largest difference of several outputs, each relative to its largest value.

    None where there are others, in number or shape, or some that are no finite numbers.
    """
    if len(first) != len(second):
        return None
    found = [_difference(a, np.asarray(b)) for a, b in zip(first, second, strict=True)]
    return None if None in found else max(value for value in found if value is not None)


def _difference(first: Array, second: Array) -> float | None:
    if first.shape != second.shape or {first.dtype.kind, second.dtype.kind} - set("fiub"):
        return None
    a, b = first.astype(np.float64), second.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    scale = max(float(np.max(np.abs(b), initial=0.0)), 1e-6)
    return float(np.max(np.abs(a - b), initial=0.0)) / scale


def finite(outputs: Iterable[Array]) -> bool:
    """Whether all outputs are finite numbers."""
    return all(
        array.dtype.kind in "iub" or (array.dtype.kind == "f" and bool(np.isfinite(array).all()))
        for array in outputs
    )
