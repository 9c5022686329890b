"""How near two networks' outputs must be to count as the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.network_live import live_nodes
from grader.records.network_evidence import NetworkGraph

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

_USUAL_PART: Final = 1e-3
_TINY: Final = 1e-25
"""Below it, float32 comes near to numbers that it cannot hold with all digits."""


def tolerance_of(graph: NetworkGraph) -> float:
    """What is allowed between a network and its rebuilt form, by the precision it computes in.

    A network computes with 16 bits if everything with weights on the way to an output does. That
    precision is part of the claim; the rebuilt form does not come about where it is not so.
    """
    live = list(live_nodes(graph))
    names = {node.output_dtype for node in [n for n in live if n.parameters] or live}
    if not names or not names <= HALF_PRECISION_TOLERANCES.keys():
        return RELATIVE_TOLERANCE
    return max(HALF_PRECISION_TOLERANCES[name] for name in names)


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
    largest = float(np.max(np.abs(values), initial=0.0))
    return largest > _TINY and spread > tolerance * largest


def difference(
    first: Sequence[Array], second: Sequence[Array], usual: Sequence[Array] | None = None
) -> float | None:
    """Largest difference of several outputs, each relative to its largest value.

    Args:
        first: outputs of a network for a batch.
        second: those of another one.
        usual: what the first answers to ordinary inputs, where the batch may be one for which a
            sound network answers with nothing but rounding, or divides by 0.

    Returns:
        None where there are others, in number or shape, or some that are no finite numbers; with
        `usual`, numbers that are not finite may be the same in both.
    """
    if len(first) != len(second) or (usual is not None and len(usual) != len(first)):
        return None
    found = [
        _difference(a, np.asarray(b), None if usual is None else usual[place])
        for place, (a, b) in enumerate(zip(first, second, strict=True))
    ]
    return None if None in found else max(value for value in found if value is not None)


def _difference(first: Array, second: Array, usual: Array | None) -> float | None:
    if first.shape != second.shape or {first.dtype.kind, second.dtype.kind} - set("fiub"):
        return None
    a, b = first.astype(np.float64), second.astype(np.float64)
    known = np.isfinite(a) & np.isfinite(b)
    if not known.all() and (
        usual is None or not np.array_equal(a[~known], b[~known], equal_nan=True)
    ):
        return None
    a, b = a[known], b[known]
    scale = max(_largest(a), _largest(b), _TINY)
    if usual is not None and usual.dtype.kind in "fiub":
        scale = max(scale, _USUAL_PART * _largest(usual.astype(np.float64)))
    return _largest(a - b) / scale


def _largest(values: Array) -> float:
    finite_values = values[np.isfinite(values)]
    return float(np.max(np.abs(finite_values), initial=0.0))


def finite(outputs: Iterable[Array]) -> bool:
    """Whether all outputs are finite numbers."""
    return all(
        array.dtype.kind in "iub" or (array.dtype.kind == "f" and bool(np.isfinite(array).all()))
        for array in outputs
    )
