"""Pairing two lists of layers at least cost, so that one mistake is told as one mistake.

Cost model (an edit distance over layers, in whole numbers so that ties are exact):

- an expected layer that is missing: 100; a received layer that is extra: 100;
- a layer in the place of one of the same kind: the sum over the attributes that differ of the
  costs in `_ATTRIBUTE_COSTS`. Filters, units and kernel say most about which layer is meant;
  padding, activation and options say little. The sum stays below 100, so two layers of one kind
  are paired rather than one called missing or extra, if the lengths allow it;
- a layer in the place of one of another kind: 150 in the same family (a separable convolution for
  a convolution, average for maximum pooling, `Reshape` for `Flatten`) or when it is custom code
  that may be anything; 190 when both hold weights (a Dense for a convolution). Both are less than
  200, the price of one missing and one extra layer. Otherwise 300: such a pair is never made.

Of several alignments that cost the same, the one is taken whose pairs stand nearest to the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from grader.checks.architecture.layers import (
    CONVOLUTIONS,
    POOLINGS,
    Attribute,
    Layer,
    Value,
)
from grader.records.network_evidence import NodeSource

MISSING_COST: Final = 100
EXTRA_COST: Final = 100
RELATED_COST: Final = 150
WEIGHTED_COST: Final = 190
UNRELATED_COST: Final = 300

_ATTRIBUTE_COSTS: Final = {
    Attribute.FILTERS: 15,
    Attribute.KERNEL_SIZE: 15,
    Attribute.STRIDES: 12,
    Attribute.PADDING: 7,
    Attribute.UNITS: 20,
    Attribute.POOL_SIZE: 15,
    Attribute.RATE: 15,
    Attribute.ACTIVATION: 8,
    Attribute.DATA_FORMAT: 5,
    Attribute.DILATION_RATE: 5,
    Attribute.GROUPS: 5,
    Attribute.USE_BIAS: 5,
    Attribute.WEIGHTS: 5,
}

MAX_LAYERS: Final = 2000
"""Received lists are longer only on purpose; of such a one the middle is not paired."""

Pair = tuple[int | None, int | None]
"""Indices of an expected and a received layer; None for a missing or an extra one."""


def align(expected: Sequence[Layer], received: Sequence[Layer]) -> tuple[Pair, ...]:
    """The cheapest alignment, in order.

    Takes time proportional to the product of the lengths: a few milliseconds for two lists of 200
    layers.
    """
    if len(received) > MAX_LAYERS:
        half = MAX_LAYERS // 2
        kept = [*range(half), *range(len(received) - half, len(received))]
        pairs = _align(expected, [received[index] for index in kept])
        aligned = [(one, None if two is None else kept[two]) for one, two in pairs]
        middle: list[Pair] = [(None, index) for index in range(half, len(received) - half)]
        place = next(
            (
                place
                for place, (_, index) in enumerate(aligned)
                if index is not None and index >= half
            ),
            len(aligned),
        )
        return (*aligned[:place], *middle, *aligned[place:])
    return _align(expected, received)


def _align(expected: Sequence[Layer], received: Sequence[Layer]) -> tuple[Pair, ...]:
    costs = _substitution_costs(expected, received)
    rows, columns = len(expected), len(received)
    total = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    extras = np.arange(columns + 1, dtype=np.int64) * EXTRA_COST
    total[0] = extras
    for row in range(rows):
        best = total[row] + MISSING_COST
        best[1:] = np.minimum(best[1:], total[row, :-1] + costs[row])
        # total[row + 1, j] is the least of best[k] + EXTRA_COST · (j − k) over all k ≤ j.
        total[row + 1] = np.minimum.accumulate(best - extras) + extras
    return _trace(total)


def _trace(total: npt.NDArray[np.int64]) -> tuple[Pair, ...]:
    """Walks back through the table of costs. Preferring gaps at the end brings pairs forward."""
    row, column = total.shape[0] - 1, total.shape[1] - 1
    pairs: list[Pair] = []
    while row or column:
        here = total[row, column]
        if column and here == total[row, column - 1] + EXTRA_COST:
            column -= 1
            pairs.append((None, column))
        elif row and here == total[row - 1, column] + MISSING_COST:
            row -= 1
            pairs.append((row, None))
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return tuple(reversed(pairs))


def _substitution_costs(
    expected: Sequence[Layer], received: Sequence[Layer]
) -> npt.NDArray[np.int64]:
    """(expected, received) costs of pairing each layer with each."""
    kinds = {layer.kind for layer in (*expected, *received)}
    numbers = {kind: number for number, kind in enumerate(sorted(kinds))}
    one = np.array([numbers[layer.kind] for layer in expected], dtype=np.int64)
    two = np.array([numbers[layer.kind] for layer in received], dtype=np.int64)
    costs = np.full((len(expected), len(received)), UNRELATED_COST, dtype=np.int64)
    rows: dict[str, list[int]] = {}
    for row, layer in enumerate(expected):
        if layer.kind not in rows:
            rows[layer.kind] = _other_kind_costs(layer.kind, received)
        costs[row] = rows[layer.kind]
    custom = np.array([_is_custom(layer) for layer in received], dtype=bool)
    same = (one[:, None] == two[None, :]) & ~custom[None, :]
    differing = np.zeros_like(costs)
    for attribute, cost in _ATTRIBUTE_COSTS.items():
        codes: dict[Value | None, int] = {}
        left = _codes(expected, attribute, codes)
        right = _codes(received, attribute, codes)
        differing += cost * (left[:, None] != right[None, :])
    return np.where(same, differing, costs)


def _codes(
    layers: Sequence[Layer], attribute: Attribute, codes: dict[Value | None, int]
) -> npt.NDArray[np.int64]:
    return np.array(
        [codes.setdefault(layer.values.get(attribute), len(codes)) for layer in layers],
        dtype=np.int64,
    )


def _other_kind_costs(kind: str, received: Sequence[Layer]) -> list[int]:
    """The cost of each received layer in the place of one of this kind, if it is of another."""
    family = _family(kind)
    rivals = CONVOLUTIONS | {"Dense"} if kind in {"Conv2D", "Dense"} else frozenset()
    return [
        RELATED_COST
        if other.inputs == 1 and (_is_custom(other) or (family and family == _family(other.kind)))
        else WEIGHTED_COST
        if other.kind in rivals
        else UNRELATED_COST
        for other in received
    ]


def _is_custom(layer: Layer) -> bool:
    return layer.source is NodeSource.UNKNOWN


def _family(kind: str) -> str:
    if kind in {"Flatten", "Reshape", "reshape"} or kind.startswith("Global"):
        return "flatten"
    return "convolution" if kind in CONVOLUTIONS else "pooling" if kind in POOLINGS else ""
