"""What a pattern allows, written out: one plain network for each choice among alternatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from grader.records.patterns import (
    AnyOfPattern,
    FreeEntry,
    LayerEntry,
    LayerPattern,
    RepeatPattern,
)

MAX_VARIANTS: Final = 64
MAX_ENTRIES: Final = 400

Entries = tuple[LayerEntry | FreeEntry, ...]


@dataclass(frozen=True)
class Slot:
    """One entry of a written-out network.

    Attributes:
        entry: what is asked for.
        reads: indices of the slots it reads; −1 is the first input of the network, −2 the second.
    """

    entry: LayerEntry | FreeEntry
    reads: tuple[int, ...]


@dataclass(frozen=True)
class Variant:
    """A network without choices; slots stand after all that they read."""

    slots: tuple[Slot, ...]
    outputs: tuple[int, ...]


def variants_of(
    entries: Sequence[LayerPattern], inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[Variant, ...]:
    """All networks that a list of entries allows, in the order in which they are written.

    Args:
        entries: the list of an assignment.
        inputs: names of the network's inputs.
        outputs: names of the entries whose values are returned; empty for the last one.

    Raises:
        ValueError: there are too many, or a name is not known where it stands; the assignment's
            author must act.
    """
    written = list(islice(_written_out(tuple(entries)), MAX_VARIANTS + 1))
    if len(written) > MAX_VARIANTS:
        raise ValueError(f"alternatives and repeats allow more than {MAX_VARIANTS} networks")
    if any(len(flat) > MAX_ENTRIES for flat in written):
        raise ValueError(f"a network has more than {MAX_ENTRIES} layers")
    return tuple(dict.fromkeys(_wired(flat, inputs, outputs) for flat in written))


def _written_out(entries: tuple[LayerPattern, ...]) -> list[Entries]:
    """Every choice of the alternatives, bounded on the way so that nothing explodes."""
    found: list[Entries] = [()]
    for entry in entries:
        match entry:
            case AnyOfPattern():
                tails = [tail for choice in entry.choices for tail in _written_out(choice)]
            case RepeatPattern():
                blocks = _written_out(entry.layers)
                tails = [()] if entry.min == 0 else []
                grown: list[Entries] = [()]
                for times in range(1, entry.max + 1):
                    grown = [one + two for one in grown for two in blocks][: MAX_VARIANTS + 1]
                    tails += grown if times >= entry.min else []
            case _:
                tails = [(entry,)]
        found = [head + tail for head in found for tail in tails][: MAX_VARIANTS + 1]
    return found


def _wired(flat: Entries, inputs: Sequence[str], outputs: Sequence[str]) -> Variant:
    places = {name: -1 - number for number, name in enumerate(inputs)}
    slots: list[Slot] = []
    for index, entry in enumerate(flat):
        reads = tuple(_place(name, places) for name in entry.reads)
        slots.append(Slot(entry, reads or (index - 1,)))
        if entry.name is not None:
            places[entry.name] = index
    if not slots:
        raise ValueError("one of the alternatives is a network without layers")
    returned = tuple(_place(name, places) for name in outputs) or (len(slots) - 1,)
    return Variant(tuple(slots), returned)


def _place(name: str, places: dict[str, int]) -> int:
    if name not in places:
        raise ValueError(f"`{name}` is read or returned where there is no such layer")
    return places[name]
