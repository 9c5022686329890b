"""Where the network an assignment asks for contradicts the rest of the settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from grader.assignments.positions import KeyPath
from grader.assignments.problems import Problem
from grader.checks.architecture.activations import ACROSS
from grader.checks.architecture.expected import layer_of, sides_of
from grader.checks.architecture.feasibility import (
    Described,
    Place,
    Seen,
    after,
    described,
    input_shapes,
)
from grader.checks.architecture.rules import WINDOWS
from grader.checks.architecture.shapes import Shape, parameters_of
from grader.records.arithmetic import evaluate
from grader.records.layer_families import Attribute
from grader.records.network_settings import NetworkSettings
from grader.records.patterns import AnythingPattern, PreprocessingPattern
from grader.records.variants import Variant

_BENDING: Final = WINDOWS | {
    Attribute.PADDING, Attribute.RETURN_SEQUENCES, Attribute.BIDIRECTIONAL,
}  # fmt: skip
"""Attributes of which none gives the fewest parameters in every network."""


def problems(settings: NetworkSettings, place: Place) -> Iterator[Problem]:
    """What contradicts the inputs, the bounds on parameters, or what the outputs are said to be.

    Args:
        settings: of the part; the network they ask for can be built.
        place: the key path of an entry.
    """
    yield from _input_problems(settings, place)
    yield from _parameter_problems(settings)
    yield from _shape_problems(settings)
    yield from _return_problems(settings, place)


# --- what goes in -------------------------------------------------------------------------------


def _input_problems(settings: NetworkSettings, place: Place) -> Iterator[Problem]:
    calls = settings.builder_arguments
    for number, single in enumerate(settings.inputs):
        for call in calls:
            low, high = (
                evaluate(bound, call) if isinstance(bound, str) else bound for bound in single.range
            )
            if low > high:
                text = f"the smallest value, {low:g}, is above the largest, {high:g}"
                yield Problem(("inputs", number, "range"), text)
                break
    told: set[KeyPath] = set()
    for variant in settings.variants:
        for slot in variant.slots:
            number = -1 - slot.reads[0]
            if slot.entry.layer != "Embedding" or number < 0 or place(slot.entry) in told:
                continue
            told.add(place(slot.entry))
            yield from _lookup_problems(settings, slot.entry, number)


def _lookup_problems(settings: NetworkSettings, entry: Any, number: int) -> Iterator[Problem]:
    """What keeps an Embedding from looking the numbers of an input up."""
    single = settings.network_inputs[number]
    at: KeyPath = ("inputs", number) if settings.inputs else ("input_shapes",)
    if not single.whole_numbers:
        text = (
            "an Embedding looks up whole numbers; describe the input with `inputs`, and set "
            "`whole_numbers = true`"
        )
        yield Problem(at, text)
        return
    for call in settings.builder_arguments:
        rows = layer_of(entry, call).rules[Attribute.INPUT_DIM].sole
        bound = single.range[1]
        high = evaluate(bound, call) if isinstance(bound, str) else bound
        if isinstance(rows, int) and high >= rows:
            asked = entry.input_dim
            last = f'"{asked} - 1"' if isinstance(asked, str) else rows - 1
            text = (
                f"the largest number, {high:g}, is not in the Embedding: its {rows} rows are "
                f"numbered from 0 to {rows - 1}; write {last}"
            )
            yield Problem((*at, "range"), text)
            return


# --- what comes out -----------------------------------------------------------------------------


def _parameter_problems(settings: NetworkSettings) -> Iterator[Problem]:
    bounds = settings.parameters
    if bounds is None:
        return
    call = settings.builder_arguments[0]
    (shapes, *_) = input_shapes(settings, call)
    layer = described(call)
    counted = [
        _fewest(variant, shapes, layer, skip=skip)
        for variant in settings.variants
        for skip in (True, False)
    ]
    fewest = [count for count, _ in counted if count is not None]
    if len(fewest) != len(counted):
        return
    if bounds.max is not None and min(fewest) > bounds.max:
        text = (
            f"the smallest network that is asked for has {min(fewest):,} parameters; allow as many"
        )
        yield Problem(("parameters", "max"), text)
    every = all(is_exact for _, is_exact in counted)
    if bounds.min is not None and every and max(fewest) < bounds.min:
        text = f"the network that is asked for has {max(fewest):,} parameters; ask for no more"
        yield Problem(("parameters", "min"), text)


def _fewest(
    variant: Variant, shapes: Sequence[Shape], described_layer: Described, *, skip: bool
) -> tuple[int | None, bool]:
    """The fewest parameters of the layers that must be there, and whether they cannot be more.

    Args:
        variant: one network without alternatives.
        shapes: of its inputs.
        described_layer: describes an entry.
        skip: whether layers that may be left out are, which changes the shapes behind them.

    Returns:
        None for the number where it depends on windows that are left open.
    """
    seen = {-1 - number: Seen(shape) for number, shape in enumerate(shapes)}
    total = 0
    every = True
    for index, slot in enumerate(variant.slots):
        read = [seen[one] for one in slot.reads]
        seen[index], _ = after(slot, read, described_layer, skip=skip)
        if isinstance(slot.entry, AnythingPattern):
            return None, False
        if isinstance(slot.entry, PreprocessingPattern):
            continue
        layer, is_exact = described_layer(slot.entry)
        if any(layer.rules[one].sole is None for one in _BENDING & layer.rules.keys()):
            return None, False
        if slot.entry.optional:
            every = False
            continue
        count = parameters_of(layer, [one.shape for one in read])
        if count is None:
            return None, False
        total += count
        every = every and is_exact and all(rule.sole is not None for rule in layer.rules.values())
    return total, every


def _shape_problems(settings: NetworkSettings) -> Iterator[Problem]:
    """An output shape that no network that is asked for has."""
    if settings.output_shape is None:
        return
    call = settings.builder_arguments[0]
    (shapes, *_) = input_shapes(settings, call)
    layer = described(call)
    wanted = sides_of(settings.output_shape, call)
    given: set[Shape] = set()
    for variant in settings.variants:
        for skip in (True, False):
            seen = {-1 - number: Seen(shape) for number, shape in enumerate(shapes)}
            for index, slot in enumerate(variant.slots):
                seen[index], _ = after(slot, [seen[one] for one in slot.reads], layer, skip=skip)
            output = seen[variant.outputs[0]]
            if output.shape is None or not output.is_exact:
                return
            given.add(output.shape)
    if wanted not in given:
        listed = " or ".join(str(shape) for shape in sorted(given))
        text = f"the layers give {listed}, not {wanted}; change one of them, or leave this key out"
        yield Problem(("output_shape",), text)


def _return_problems(settings: NetworkSettings, place: Place) -> Iterator[Problem]:
    """Where the last activation contradicts what the outputs are said to be."""
    found: dict[Problem, None] = {}
    for variant in settings.variants:
        for output in variant.outputs:
            entry = variant.slots[output].entry if output >= 0 else None
            written = getattr(entry, "activation", None)
            if entry is None or not isinstance(written, str):
                continue
            at = (*place(entry), "activation")
            if settings.returns == "q_values" and written in ACROSS:
                text = (
                    f"{written} gives probabilities, and the outputs are said to be values of "
                    'actions; set returns = "probabilities", or leave `activation` out'
                )
                found[Problem(at, text)] = None
            if settings.returns == "probabilities" and written in {"linear", "relu", "tanh"}:
                text = (
                    f"the outputs are said to be probabilities, and {written} gives none; use "
                    'activation = "softmax", or set returns = "numbers"'
                )
                found[Problem(at, text)] = None
    yield from found
