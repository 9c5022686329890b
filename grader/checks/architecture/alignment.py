"""Pairing two networks at least cost, so that one mistake is told as one mistake.

Cost model (an edit distance over the layers, branch by branch, in whole numbers so that ties are
exact):

- an expected layer that is missing: 100, or nothing if it is optional; a received layer that is
  extra: 100, or nothing in a place where the assignment leaves such layers free;
- a layer in the place of one of the same kind: the sum over the attributes that differ of the
  costs in `_ATTRIBUTE_COSTS`. Filters, units and kernel say most about which layer is meant;
  padding, activation and options say little. The sum stays below 100, so two layers of one kind
  are paired rather than one called missing or extra, if the lengths allow it;
- a layer in the place of one of another kind: 150 in the same family (a separable convolution for
  a convolution, average for maximum pooling, a GRU for an LSTM, `Reshape` for `Flatten`) or when it
  is custom code that may be anything; 190 when both hold weights (a Dense for a convolution). Both
  are less than 200, the price of one missing and one extra layer. Otherwise 300: such a pair is
  never made;
- a paired layer that reads another place than asked: 10.

Branches that merge stand one after the other, in the order in which they are read; since that
order is a matter of taste, the received ones are tried in others as well (see `matching`).
Of several alignments that cost the same, the one is taken whose pairs stand nearest to the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from grader.checks.architecture.layers import (
    ATTENTIONS,
    CONVOLUTIONS,
    DROPOUTS,
    GLOBAL_POOLINGS,
    NORMALIZATIONS,
    POOLINGS,
    RECURRENT,
    ExpectedLayer,
    Freedom,
    Layer,
)
from grader.checks.architecture.preprocessing import PREPROCESSING_KINDS
from grader.checks.architecture.rules import Rule
from grader.records.layer_families import MERGES, Attribute, Value

MISSING_COST: Final = 100
EXTRA_COST: Final = 100
RELATED_COST: Final = 150
WEIGHTED_COST: Final = 190
UNRELATED_COST: Final = 300
READS_COST: Final = 10

_ATTRIBUTE_COSTS: Final = {
    Attribute.FILTERS: 15,
    Attribute.KERNEL_SIZE: 15,
    Attribute.STRIDES: 12,
    Attribute.PADDING: 7,
    Attribute.UNITS: 20,
    Attribute.POOL_SIZE: 15,
    Attribute.RATE: 15,
    Attribute.ACTIVATION: 8,
    Attribute.RETURN_SEQUENCES: 12,
    Attribute.BIDIRECTIONAL: 12,
    Attribute.INPUT_DIM: 8,
    Attribute.OUTPUT_DIM: 20,
    Attribute.NUM_HEADS: 15,
    Attribute.KEY_DIM: 15,
}
_OTHER_ATTRIBUTE_COST: Final = 5

MAX_LAYERS: Final = 2000
"""Received lists are longer only on purpose; of such a one the middle is not paired."""

Pair = tuple[int | None, int | None]
"""Indices of an expected and a received layer; None for a missing or an extra one."""


@dataclass(frozen=True)
class Alignment:
    """Two rows of layers, paired.

    Attributes:
        pairs: in order.
        free: received layers that stand in a place where they cost nothing.
        cost: by the model above, without what is read.
    """

    pairs: tuple[Pair, ...]
    free: frozenset[int]
    cost: int


def align(
    expected: Sequence[ExpectedLayer],
    received: Sequence[Layer],
    *,
    late: bool = False,
    surcharge: int = 0,
) -> Alignment:
    """The cheapest alignment.

    Args:
        expected: the layers asked for.
        received: the student's.
        late: whether, of several that cost the same, the one is taken whose pairs stand nearest to
            the output instead of the input.
        surcharge: what a pair of one kind costs on top if anything differs. With 100, a layer that
            stands elsewhere is rather missing here and extra there than paired with another.

    Takes time proportional to the product of the lengths: a few milliseconds for two lists of 200
    layers.
    """
    if len(received) <= MAX_LAYERS:
        return _align(expected, received, late=late, surcharge=surcharge)
    half = MAX_LAYERS // 2
    kept = [*range(half), *range(len(received) - half, len(received))]
    cut = [received[index] for index in kept]
    short = _align(expected, cut, late=late, surcharge=surcharge)
    aligned = [(one, None if two is None else kept[two]) for one, two in short.pairs]
    middle: list[Pair] = [(None, index) for index in range(half, len(received) - half)]
    place = next(
        (place for place, (_, index) in enumerate(aligned) if index is not None and index >= half),
        len(aligned),
    )
    return Alignment(
        (*aligned[:place], *middle, *aligned[place:]),
        frozenset(kept[index] for index in short.free),
        short.cost + len(middle) * EXTRA_COST,
    )


def _align(
    expected: Sequence[ExpectedLayer], received: Sequence[Layer], *, late: bool, surcharge: int
) -> Alignment:
    costs = _substitution_costs(expected, received, surcharge)
    rows, columns = len(expected), len(received)
    total = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    extras = np.arange(columns + 1, dtype=np.int64) * EXTRA_COST
    total[0] = extras
    steps = {
        freedom: np.array([_extra_cost(freedom, layer) for layer in received], dtype=np.int64)
        for freedom in {layer.freedom for layer in expected if layer.freedom is not None}
    }
    for row, layer in enumerate(expected):
        if layer.freedom is not None:
            passed = np.concatenate(([0], np.cumsum(steps[layer.freedom])))
            total[row + 1] = np.minimum.accumulate(total[row] - passed) + passed
            continue
        best = total[row] + _missing_cost(layer)
        best[1:] = np.minimum(best[1:], total[row, :-1] + costs[row])
        # total[row + 1, j] is the least of best[k] + EXTRA_COST · (j − k) over all k ≤ j.
        total[row + 1] = np.minimum.accumulate(best - extras) + extras
    pairs, free = _trace(total, expected, steps, costs if late else None)
    return Alignment(pairs, free, int(total[rows, columns]))


def _missing_cost(layer: ExpectedLayer) -> int:
    return 0 if layer.optional else MISSING_COST


def _extra_cost(freedom: Freedom, layer: Layer) -> int:
    free = freedom is Freedom.ANYTHING or (
        layer.kind in PREPROCESSING_KINDS and not layer.is_custom
    )
    return 0 if free else EXTRA_COST


def _trace(
    total: npt.NDArray[np.int64],
    expected: Sequence[ExpectedLayer],
    steps: dict[Freedom, npt.NDArray[np.int64]],
    first: npt.NDArray[np.int64] | None,
) -> tuple[tuple[Pair, ...], frozenset[int]]:
    """Walks back through the table of costs. Preferring gaps at the end brings pairs forward.

    With `first`, the costs of pairs, those at the end come first.
    """
    row, column = total.shape[0] - 1, total.shape[1] - 1
    pairs: list[Pair] = []
    free: set[int] = set()
    while row or column:
        here = total[row, column]
        freedom = expected[row - 1].freedom if row else None
        extra = EXTRA_COST if freedom is None or not column else steps[freedom][column - 1]
        if (
            first is not None
            and row
            and column
            and freedom is None
            and here == total[row - 1, column - 1] + first[row - 1, column - 1]
        ):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif column and here == total[row, column - 1] + extra:
            column -= 1
            pairs.append((None, column))
            if extra == 0:
                free.add(column)
        elif freedom is not None or (
            row and here == total[row - 1, column] + _missing_cost(expected[row - 1])
        ):
            row -= 1
            pairs.append((row, None))
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return tuple(reversed(pairs)), frozenset(free)


def _substitution_costs(
    expected: Sequence[ExpectedLayer], received: Sequence[Layer], surcharge: int
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
    custom = np.array([layer.is_custom for layer in received], dtype=bool)
    same = (one[:, None] == two[None, :]) & ~custom[None, :]
    differing = np.zeros_like(costs)
    attributes = {attribute for layer in expected for attribute in layer.rules}
    for attribute in sorted(attributes):
        cost = _ATTRIBUTE_COSTS.get(attribute, _OTHER_ATTRIBUTE_COST)
        differing += cost * ~_accepted(attribute, expected, received)
    differing += surcharge * (differing > 0)
    return np.where(same, differing, costs)


def _accepted(
    attribute: Attribute, expected: Sequence[ExpectedLayer], received: Sequence[Layer]
) -> npt.NDArray[np.bool_]:
    """(expected, received) whether a value is right; each rule meets each value once."""
    rules: dict[Rule | None, int] = {}
    values: dict[tuple[type, Value | None], int] = {}
    rows = [rules.setdefault(layer.rules.get(attribute), len(rules)) for layer in expected]
    columns = []
    for layer in received:
        value = layer.values.get(attribute)
        columns.append(values.setdefault((type(value), value), len(values)))
    table = np.array(
        [[rule is None or rule.accepts(value) for _, value in values] for rule in rules], dtype=bool
    ).reshape(len(rules), len(values))
    return table[np.array(rows, dtype=np.int64)[:, None], np.array(columns, dtype=np.int64)]


_HEAVY: Final = CONVOLUTIONS | RECURRENT | {"Dense"}
_FAMILIES: Final = {
    **dict.fromkeys(POOLINGS, "pooling"),
    **dict.fromkeys(GLOBAL_POOLINGS, "flatten"),
    **dict.fromkeys(CONVOLUTIONS, "convolution"),
    **dict.fromkeys(RECURRENT, "recurrent"),
    **dict.fromkeys(ATTENTIONS, "attention"),
    **dict.fromkeys(NORMALIZATIONS, "normalization"),
    **dict.fromkeys(DROPOUTS, "dropout"),
    **dict.fromkeys(MERGES, "merge"),
    **dict.fromkeys(("Flatten", "Reshape", "reshape", "Permute"), "flatten"),
    **dict.fromkeys(("slice", "gather", "reduce_mean", "reduce_max", "reduce_sum"), "flatten"),
}


def _other_kind_costs(kind: str, received: Sequence[Layer]) -> list[int]:
    """The cost of each received layer in the place of one of this kind, if it is of another."""
    family = _FAMILIES.get(kind)
    several = family in {"merge", "attention"}
    return [
        RELATED_COST
        if (several or len(other.inputs) < 2)
        and (other.is_custom or (family is not None and family == _FAMILIES.get(other.kind)))
        else WEIGHTED_COST
        if kind in _HEAVY and other.kind in _HEAVY
        else UNRELATED_COST
        for other in received
    ]
