"""Pairing two graphs: the cheapest alignment over the orders in which branches can stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from typing import Final

from grader.checks.architecture.alignment import READS_COST, Alignment, Pair, align
from grader.checks.architecture.branches import forks_of, ordered_alike
from grader.checks.architecture.expected import ExpectedNetwork
from grader.checks.architecture.layers import Layer
from grader.checks.architecture.normal_form import NormalForm
from grader.checks.architecture.order import depth_first
from grader.records.layer_families import COMMUTATIVE, Attribute, Value

_MAX_ORDERS: Final = 24
"""Orders tried of the branches of one merge."""
_MAX_WORK: Final = 500_000
"""Pairs of layers looked at in all orders together. Of two networks of 200 layers, this is a dozen
orders and less than 0.1 s."""
_UNORDERED: Final = COMMUTATIVE | {"Concatenate"}
"""Merges whose inputs may stand in any order: behind a concatenation, the layers that read it are
learnt, in whatever order its numbers stand."""


@dataclass(frozen=True)
class Match:
    """The received layers in the order in which they are compared, paired with the expected.

    Attributes:
        pairs: places of expected layers, and of received ones in the normal form.
        free: places of received layers that cost nothing where they stand.
        astray: places of expected layers whose pair reads something else than asked.
        outputs_astray: whether the outputs are others than asked, although as many.
        cost: what decided between the orders.
    """

    pairs: tuple[Pair, ...]
    free: frozenset[int]
    astray: frozenset[int]
    outputs_astray: bool
    cost: int


def match(expected: ExpectedNetwork, form: NormalForm, *, surcharge: int = 0) -> Match:
    """The cheapest way of pairing the layers.

    Args:
        expected: the network asked for.
        form: the student's.
        surcharge: see `align`.

    Branches are first put into the order in which branches like them are asked for. Then, for each
    merge, other orders are tried, one merge after the other; that finds the best of all orders when
    merges do not depend on each other, and a good one otherwise.
    """
    reads: dict[int, Sequence[int]] = {
        place: layer.inputs for place, layer in enumerate(form.layers)
    }
    natural = list(range(len(form.layers)))
    best = _matched(expected, form, natural, surcharge)
    seen = {tuple(natural)}
    work = max(1, len(expected.layers) * len(form.layers))
    tries = _MAX_WORK // work
    chosen, outputs = dict(reads), list(form.outputs)
    alike = reads | ordered_alike(expected.layers, form.layers)
    row = depth_first(alike, outputs)
    if best.cost and tuple(row) not in seen:
        seen.add(tuple(row))
        found = _matched(expected, form, row, surcharge)
        if found.cost < best.cost:
            best, chosen = found, dict(alike)
    forks: list[int | None] = [*forks_of(form.layers)]
    if len(set(form.outputs)) > 1:
        forks.append(None)
    for fork in forks:
        branches = outputs if fork is None else chosen[fork]
        for order in islice(permutations(branches), 1, _MAX_ORDERS):
            if tries <= 0 or best.cost == 0:
                return best
            trial = chosen if fork is None else {**chosen, fork: order}
            returned = list(order) if fork is None else outputs
            row = depth_first(trial, returned)
            if tuple(row) in seen:  # a connection past some layers is no branch of its own
                continue
            seen.add(tuple(row))
            tries -= 1
            found = _matched(expected, form, row, surcharge)
            if found.cost < best.cost:
                best, chosen, outputs = found, trial, returned
    return best


def _matched(
    expected: ExpectedNetwork, form: NormalForm, order: Sequence[int], surcharge: int
) -> Match:
    """The cheapest pairing for one order of the branches."""
    early = _paired(expected, form, order, surcharge, late=False)
    if not early.astray and not early.outputs_astray:
        return early
    # Of equal layers behind each other, another one may be that which is missing.
    late = _paired(expected, form, order, surcharge, late=True)
    return min(early, late, key=lambda one: one.cost)


def _paired(
    expected: ExpectedNetwork, form: NormalForm, order: Sequence[int], surcharge: int, *, late: bool
) -> Match:
    row = [form.layers[place] for place in order]
    found: Alignment = align(expected.layers, row, late=late, surcharge=surcharge)
    pairs: tuple[Pair, ...] = tuple(
        (one, None if two is None else order[two]) for one, two in found.pairs
    )
    wiring = _Wiring(expected, form, pairs)
    astray = frozenset(one for one, two in pairs if one is not None and wiring.is_astray(one, two))
    outputs_astray = wiring.outputs_astray()
    return Match(
        pairs,
        frozenset(order[index] for index in found.free),
        astray,
        outputs_astray,
        found.cost + READS_COST * (len(astray) + outputs_astray),
    )


class _Wiring:
    """Which paired layers read what their partners read.

    A layer without a partner is looked through: what it reads counts as read by those behind it, so
    that a missing or extra layer does not make its neighbours wrong as well.
    """

    def __init__(self, expected: ExpectedNetwork, form: NormalForm, pairs: Sequence[Pair]) -> None:
        self.expected = expected
        self.form = form
        self.partner = {one: two for one, two in pairs if one is not None and two is not None}
        paired = set(self.partner.values())
        self._asked = _seen_through(expected.layers, set(self.partner), self.partner)
        self._found = _seen_through(form.layers, paired, {two: two for two in paired})

    def is_astray(self, one: int, two: int | None) -> bool:
        """Whether two paired layers of a kind read different things."""
        if two is None:
            return False
        asked, found = self.expected.layers[one], self.form.layers[two]
        if asked.kind != found.kind:
            return False
        wanted = [self._asked[index] for index in asked.inputs]
        given = [self._found[index] for index in found.inputs]
        if len(wanted) != len(given):
            # A branch that is missing or extra is told by its layers, not by what merges it.
            wanted = [self._asked[index] for index in asked.inputs if self._is_told(index)]
            paired = set(self.partner.values())
            given = [self._found[index] for index in found.inputs if index < 0 or index in paired]
        # Self-attention may name one layer twice or once.
        if len({frozenset(item) for item in wanted}) == len({frozenset(i) for i in given}) == 1:
            return not wanted[0] & given[0]
        return not _fits(wanted, given, ordered=asked.kind not in _UNORDERED)

    def _is_told(self, index: int) -> bool:
        return index < 0 or index in self.partner

    def outputs_astray(self) -> bool:
        """Whether the outputs stem from other layers than asked."""
        wanted = [self._asked[index] for index in self.expected.outputs]
        given = [self._found[index] for index in self.form.outputs]
        return len(wanted) == len(given) and not _fits(wanted, given, ordered=True)


def _seen_through(
    layers: Sequence[Layer], paired: set[int], name: Mapping[int, int]
) -> dict[int, frozenset[int]]:
    """For each place, and each input, the paired layers (by received place) it stands for.

    A layer without a partner stands for what it reads; if one that has a partner does the same to
    the same, also for that one.
    """
    seen: dict[int, frozenset[int]] = {}

    def of(index: int) -> frozenset[int]:
        return frozenset({index}) if index < 0 else seen[index]

    twins = {_twin(layers[place]): name[place] for place in sorted(paired, reverse=True)}
    for place, layer in enumerate(layers):
        if place in paired:
            seen[place] = frozenset({name[place]})
        else:
            seen[place] = frozenset().union(*(of(index) for index in layer.inputs))
            if _twin(layer) in twins:
                seen[place] |= {twins[_twin(layer)]}
    for index in {index for layer in layers for index in layer.inputs if index < 0} | {-1}:
        seen[index] = frozenset({index})
    return _Lenient(seen)


def _twin(layer: Layer) -> tuple[str, tuple[tuple[Attribute, Value], ...], tuple[int, ...]]:
    """What two layers have in common that do the same to the same, each with its own weights."""
    return layer.kind, tuple(sorted(layer.values.items())), layer.inputs


class _Lenient(dict[int, frozenset[int]]):
    """Inputs that nothing reads stand for themselves."""

    def __missing__(self, index: int) -> frozenset[int]:
        return frozenset({index})


def _fits(
    wanted: Sequence[frozenset[int]], given: Sequence[frozenset[int]], *, ordered: bool
) -> bool:
    if len(wanted) != len(given):
        return False
    if ordered or len(wanted) > 6:
        return all(one & two for one, two in zip(wanted, given, strict=True))
    return any(
        all(one & two for one, two in zip(wanted, order, strict=True))
        for order in permutations(given)
    )
