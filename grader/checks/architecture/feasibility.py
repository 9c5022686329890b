"""Whether the layers an assignment asks for can follow each other.

Where several values are accepted the smallest stands for all: the smallest window fits where any
does, and the smallest units give the fewest parameters.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any, Final

from grader.assignments.positions import KeyPath
from grader.assignments.problems import Problem
from grader.checks.architecture.expected import canonical_shapes, layer_of, sides_of
from grader.checks.architecture.layers import ATTENTIONS, RECURRENT, ExpectedLayer
from grader.checks.architecture.rules import WINDOWS, Rule
from grader.checks.architecture.shapes import Shape, output_shape
from grader.records.layer_families import FAMILIES, MERGES, Attribute, Value
from grader.records.network_settings import NetworkSettings
from grader.records.patterns import (
    AnythingPattern,
    Entry,
    FreeEntry,
    LayerEntry,
    PreprocessingPattern,
)
from grader.records.variants import Slot, Variant

Place = Callable[[LayerEntry | FreeEntry], KeyPath]
Described = Callable[[LayerEntry], tuple[ExpectedLayer, bool]]
"""From an entry to the smallest layer it accepts, and whether none of another shape is accepted."""

_MOST_SHAPES: Final = 4
_MOST_CALLS: Final = 2
_RANK: Final = re.compile(r"([123])D")
_LENIENT: Final[Mapping[Attribute, Value]] = {
    Attribute.PADDING: "same", Attribute.DATA_FORMAT: "channels_last",
    Attribute.RETURN_SEQUENCES: True, Attribute.BIDIRECTIONAL: "no", Attribute.USE_BIAS: False,
    Attribute.USE_SCALE: False,
}  # fmt: skip
"""What stands for "any": the value with which most can follow, and the fewest parameters."""
_SHAPING: Final = WINDOWS | {
    Attribute.FILTERS, Attribute.UNITS, Attribute.PADDING, Attribute.RETURN_SEQUENCES,
    Attribute.BIDIRECTIONAL, Attribute.OUTPUT_DIM, Attribute.N, Attribute.DEPTH_MULTIPLIER,
    Attribute.POOL_SIZE,
}  # fmt: skip
"""Attributes that decide about the shape of the output."""
_AXES: Final = {1: "(steps, channels)", 2: "(height, width, channels)", 3: "three sides, channels"}


@dataclass(frozen=True)
class Seen:
    """What is known of the output of a slot.

    Attributes:
        shape: None where it is not known.
        is_exact: whether it is the only one that is accepted.
    """

    shape: Shape | None
    is_exact: bool = True


def problems(settings: NetworkSettings, place: Place) -> Iterator[Problem]:
    """What keeps the network from being built.

    Args:
        settings: of the part; their form is right.
        place: the key path of an entry.
    """
    if (empty := _nothing_required(settings)) is not None:
        yield empty
        return
    dead = list(_dead_ends(settings, place))
    yield from dead
    if dead:
        return
    seen: set[Problem] = set()
    for call in settings.builder_arguments[:_MOST_CALLS]:
        layer = described(call)
        for shapes in input_shapes(settings, call):
            for variant in settings.variants:
                seen.update(_impossible(variant, shapes, layer, place))
    yield from sorted(seen, key=lambda problem: (str(problem.path), problem.text))


def _nothing_required(settings: NetworkSettings) -> Problem | None:
    """The problem of a network that may be without any layer; it has no points to give."""
    for variant in settings.variants:
        entries = [slot.entry for slot in variant.slots]
        if not any(isinstance(one, Entry) and not one.optional for one in entries):
            text = "some of the networks allowed here have no layer that must be there"
            if len(settings.variants) == 1:
                text = "no layer must be there, so that there is nothing to give points for"
            return Problem(("layers",), f"{text}; add one without `optional = true`")
    return None


# --- what leads nowhere -------------------------------------------------------------------------


def _dead_ends(settings: NetworkSettings, place: Place) -> Iterator[Problem]:
    used: set[KeyPath] = set()
    read: set[KeyPath] = set()
    entries: dict[KeyPath, str] = {}
    inputs: set[int] = set()
    for variant in settings.variants:
        alive = _alive(variant)
        inputs |= {index for index in alive if index < 0}
        places = [place(slot.entry) for slot in variant.slots]
        used |= {places[index] for index in alive if index >= 0}
        for at, slot in zip(places, variant.slots, strict=True):
            entries[at] = slot.entry.layer
            read |= {places[index] for index in slot.reads if index >= 0}
    for at, kind in entries.items():
        if at not in used and at not in read:
            yield Problem(
                at,
                f"what this {kind} gives leads to no output; name it in the `reads` of an entry "
                "further down, or in `outputs`, or leave it out",
            )
    for number, single in enumerate(settings.inputs):
        if -1 - number not in inputs:
            text = f'no layer reads this input; name it in `reads`, as in reads = ["{single.name}"]'
            yield Problem(("inputs", number), text)


def _alive(variant: Variant) -> set[int]:
    alive: set[int] = set()
    waiting = list(variant.outputs)
    while waiting:
        index = waiting.pop()
        if index not in alive:
            alive.add(index)
            waiting.extend(variant.slots[index].reads if index >= 0 else ())
    return alive


# --- shapes -------------------------------------------------------------------------------------


def input_shapes(settings: NetworkSettings, call: Mapping[str, Any]) -> Iterator[tuple[Shape, ...]]:
    """The shapes that the first layers may read, each combination once."""
    accepted = (
        [sides_of(shape, call) for shape in single.shapes] for single in settings.network_inputs
    )
    taken = islice(product(*accepted), _MOST_SHAPES)
    yield from dict.fromkeys(canonical_shapes(settings, shapes, call) for shapes in taken)


def _impossible(
    variant: Variant, shapes: Sequence[Shape], layer: Described, place: Place
) -> Iterator[Problem]:
    """Layers that cannot follow what they read, with and without those that may be left out."""
    with_all = dict(_refusals(variant, shapes, layer, skip_optional=False))
    without = dict(_refusals(variant, shapes, layer, skip_optional=True))
    for index, text in with_all.items():
        entry = variant.slots[index].entry
        if index in without or _is_optional(entry):
            yield Problem(place(entry), text)


def _is_optional(entry: LayerEntry | FreeEntry) -> bool:
    return isinstance(entry, PreprocessingPattern | AnythingPattern) or entry.optional


def _refusals(
    variant: Variant, shapes: Sequence[Shape], layer: Described, *, skip_optional: bool
) -> Iterator[tuple[int, str]]:
    seen = {-1 - number: Seen(shape) for number, shape in enumerate(shapes)}
    for index, slot in enumerate(variant.slots):
        read = [seen[one] for one in slot.reads]
        seen[index], refusal = after(slot, read, layer, skip=skip_optional)
        if refusal:
            yield index, refusal


def after(
    slot: Slot, read: Sequence[Seen], described_layer: Described, *, skip: bool
) -> tuple[Seen, str | None]:
    """What comes out of a slot, and why it cannot stand there if that is so.

    Args:
        slot: the slot.
        read: what is known of what it reads, in order.
        described_layer: describes an entry.
        skip: whether to leave it out where that is allowed.
    """
    entry = slot.entry
    if isinstance(entry, AnythingPattern):
        return Seen(None, is_exact=False), None
    if isinstance(entry, PreprocessingPattern) or (skip and entry.optional):
        return read[0], None
    layer, is_exact = described_layer(entry)
    exact = is_exact and all(one.is_exact for one in read)
    shapes = [one.shape for one in read if one.shape]
    if len(shapes) != len(read):
        return Seen(None, is_exact=False), None
    shape = output_shape(layer, shapes)
    refusal = _rank_refusal(layer, shapes[0]) or _special_refusal(layer, shapes)
    refusal = refusal or _steps_refusal(layer)
    if refusal is None and all(one.is_exact for one in read):
        refusal = _groups_refusal(layer, shapes[0])
    if refusal is None and shape is None and layer.kind != "Dot":
        refusal = _window_refusal(layer, shapes[0]) or _other_refusal(layer, shapes, exact=exact)
    return Seen(None if refusal else shape, exact), refusal


def described(call: Mapping[str, Any]) -> Described:
    """Describes the entries of one network, each once however often it is repeated.

    Args:
        call: the builder's arguments.
    """
    known: dict[int, tuple[ExpectedLayer, bool]] = {}

    def describe(entry: LayerEntry) -> tuple[ExpectedLayer, bool]:
        if id(entry) not in known:
            known[id(entry)] = _smallest(layer_of(entry, call))
        return known[id(entry)]

    return describe


def _smallest(layer: ExpectedLayer) -> tuple[ExpectedLayer, bool]:
    """A layer with one value for each attribute, and whether no other shape is accepted."""
    values = dict(layer.values)
    is_exact = True
    for attribute, rule in layer.rules.items():
        if rule.sole is None:
            values[attribute] = _least(attribute, rule, FAMILIES[layer.kind].rank)
            is_exact = is_exact and attribute not in _SHAPING
    return replace(layer, values=values), is_exact


def _least(attribute: Attribute, rule: Rule, rank: int) -> Value:
    if rule.exact:
        return min(rule.exact, key=_size) if attribute not in _LENIENT else rule.exact[0]
    if attribute in _LENIENT:
        return _LENIENT[attribute]
    low = max(math.ceil(rule.low or 1), 1)
    return (low,) * rank if attribute in WINDOWS else low


def _size(value: Value) -> float:
    if isinstance(value, tuple):
        return math.prod(value)
    return value if isinstance(value, int | float) else 0


def _rank_refusal(layer: ExpectedLayer, shape: Shape) -> str | None:
    """Why a layer cannot read something with this number of axes."""
    digit = _RANK.search(layer.kind)
    if digit and len(shape) != int(digit.group(1)) + 1:
        hint = ""
        if len(shape) == 1:
            hint = "; put it in front of what makes a vector, such as Flatten"
        elif 2 <= len(shape) <= 4:
            hint = f'; did you mean "{_RANK.sub(f"{len(shape) - 1}D", layer.kind)}"?'
        wanted = _AXES[int(digit.group(1))]
        return f"{layer.kind} needs {wanted} and would read {shape}{hint}"
    if layer.kind in RECURRENT | ATTENTIONS and len(shape) != 2:
        hint = (
            "; a recurrent layer in front of it needs `return_sequences = true`"
            if len(shape) == 1
            else "; bring it into this form with Reshape"
        )
        return f"{layer.kind} needs a sequence (steps, features) and would read {shape}{hint}"
    if layer.kind == "RepeatVector" and len(shape) != 1:
        return f"RepeatVector needs a vector and would read {shape}"
    return None


def _special_refusal(layer: ExpectedLayer, shapes: Sequence[Shape]) -> str | None:
    if layer.kind == "Flatten" and len(shapes[0]) == 1:
        return f"what Flatten would read, {shapes[0]}, is a vector already; leave it out"
    if layer.kind == "Dueling" and shapes[0][-1] != 1:
        return (
            f"the value of a state is one number, and the first layer in `reads` gives "
            f"{shapes[0][-1]}; name the value first, then the advantages"
        )
    return None


def _steps_refusal(layer: ExpectedLayer) -> str | None:
    """Keras has no convolution with strides and a dilation at once."""
    for attribute in (Attribute.STRIDES, Attribute.DILATION_RATE):
        rule = layer.rules.get(attribute)
        value = None if rule is None else rule.sole
        if not isinstance(value, tuple) or max(value) == 1:
            return None
    return (
        f"Keras has no {layer.kind} with strides and a dilation rate above 1 at once; leave one "
        "of them out"
    )


def _groups_refusal(layer: ExpectedLayer, shape: Shape) -> str | None:
    """Groups that do not divide the filters or the channels that are read."""
    groups, filters = (
        rule.sole if (rule := layer.rules.get(attribute)) is not None else None
        for attribute in (Attribute.GROUPS, Attribute.FILTERS)
    )
    if not isinstance(groups, int) or groups < 1:
        return None
    for count, what in ((filters, "filters"), (shape[-1], "channels that it would read")):
        if isinstance(count, int) and count % groups:
            return f"{groups} groups cannot share {count} {what} evenly"
    return None


def _window_refusal(layer: ExpectedLayer, shape: Shape) -> str | None:
    for attribute, word in ((Attribute.KERNEL_SIZE, "kernel"), (Attribute.POOL_SIZE, "pool")):
        window = layer.values.get(attribute)
        if not isinstance(window, tuple):
            continue
        first = layer.values.get(Attribute.DATA_FORMAT) == "channels_first"
        sides = shape[1:] if first else shape[:-1]
        if any(size > side for size, side in zip(window, sides, strict=True)):
            return (
                f"the {word} {window} is larger than what it would read, {sides}; make it "
                'smaller, shrink less before it, or pad with padding = "same"'
            )
    return None


def _other_refusal(layer: ExpectedLayer, shapes: Sequence[Shape], *, exact: bool) -> str | None:
    if not exact:
        return None
    read = " and ".join(str(shape) for shape in shapes)
    if layer.kind == "Reshape":
        return (
            f"the shape {layer.values[Attribute.TARGET_SHAPE]} does not hold the "
            f"{math.prod(shapes[0])} numbers of {shapes[0]}"
        )
    if layer.kind == "Permute":
        return f"`dims` must name each of the axes 1 to {len(shapes[0])} of {shapes[0]} once"
    if layer.kind == "Concatenate":
        axis = layer.values[Attribute.AXIS]
        return f"Concatenate would read {read}, which differ in more than axis {axis}"
    if layer.kind in MERGES:
        return f"{layer.kind} needs inputs of one shape and would read {read}"
    return f"{layer.kind} cannot read {read}"
