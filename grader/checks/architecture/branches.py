"""Bringing the branches of a student's network into the order in which they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from grader.checks.architecture.layers import Layer
from grader.records.layer_families import Attribute

_LONGEST: Final = 12
"""Layers of a branch that are looked at, from its end."""
_TELLING: Final = (
    Attribute.UNITS,
    Attribute.FILTERS,
    Attribute.KERNEL_SIZE,
    Attribute.POOL_SIZE,
    Attribute.ACTIVATION,
)
Key = tuple[object, ...]
"""What a branch looks like; equal for equal branches."""


def forks_of(layers: Sequence[Layer]) -> list[int]:
    """Places of the layers that read several others."""
    return [place for place, layer in enumerate(layers) if len(set(layer.inputs)) > 1]


def ordered_alike(asked: Sequence[Layer], received: Sequence[Layer]) -> dict[int, tuple[int, ...]]:
    """For each received layer that reads several, an order in which to read them.

    Each is put into the order of the layer asked for whose branches are most like its own; of
    several, the one at the nearest place among them.

    Args:
        asked: the layers asked for.
        received: the student's layers.

    Returns:
        What each of these layers reads, by its place.
    """
    readers = _readers(asked)
    wanted = [_keys(asked, readers, place) for place in forks_of(asked)]
    readers = _readers(received)
    found: dict[int, tuple[int, ...]] = {}
    for number, place in enumerate(forks_of(received)):
        inputs = received[place].inputs
        keys = _keys(received, readers, place)
        likeness = [
            (sum((Counter(keys) & Counter(one)).values()), -abs(number - index), index)
            for index, one in enumerate(wanted)
        ]
        best = max(likeness, default=(0, 0, 0))
        found[place] = _arranged(inputs, keys, wanted[best[2]]) if best[0] else inputs
    return found


def _arranged(
    inputs: tuple[int, ...], keys: Sequence[Key], wanted: Sequence[Key]
) -> tuple[int, ...]:
    """The inputs in the wanted order; those that are not wanted take the places that are left."""
    left = list(zip(keys, inputs, strict=True))
    slots: list[int | None] = []
    for key in wanted:
        at = next((number for number, (own, _) in enumerate(left) if own == key), None)
        slots.append(None if at is None else left.pop(at)[1])
    others = [index for _, index in left]
    filled = [others.pop(0) if slot is None and others else slot for slot in slots]
    return (*(slot for slot in filled if slot is not None), *others)


def _keys(layers: Sequence[Layer], readers: Counter[int], place: int) -> list[Key]:
    return [_key(layers, readers, index) for index in layers[place].inputs]


def _readers(layers: Sequence[Layer]) -> Counter[int]:
    return Counter(index for layer in layers for index in set(layer.inputs))


def _key(layers: Sequence[Layer], readers: Counter[int], index: int) -> Key:
    key: list[object] = []
    while index >= 0 and readers[index] == 1 and len(key) < _LONGEST:
        layer = layers[index]
        key.append((layer.kind, *(layer.values.get(attribute) for attribute in _TELLING)))
        if len(layer.inputs) != 1:
            break
        index = layer.inputs[0]
    return tuple(key) if key else (index if index < 0 else "shared",)
