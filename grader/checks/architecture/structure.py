"""Findings about the network as a whole: its form, and what stands in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from grader.checks.architecture.comparison import Comparison
from grader.checks.architecture.layers import Layer
from grader.checks.architecture.values import shape_text
from grader.checks.architecture.wording import layer_text
from grader.checks.network_codes import NetworkCode
from grader.records.patterns import Between
from grader.records.result import Finding, Severity

_DARK: Final = 0.05
"""Inputs that reach no further than this after scaling them twice are close to nothing."""

_MAX_NAMES: Final = 8


def structure_findings(
    comparison: Comparison, place: str, bounds: Between | None
) -> Iterator[Finding]:
    """Mistakes that concern no single layer; each costs as much as an extra layer.

    Args:
        comparison: the student's network beside the one asked for.
        place: `file:line` of the builder.
        bounds: on the number of parameters, if there are any.
    """
    form = comparison.form
    wanted = shape_text(comparison.input_shape)
    if form.frames_reshaped:
        yield Finding(
            code=NetworkCode.FRAMES_RESHAPED,
            severity=Severity.ERROR,
            claim="A reshape is used to exchange axes, which scrambles the pixels.",
            where=place,
            expected="axes exchanged with a transpose",
            received="a reshape, which keeps the order of the numbers and only cuts it anew",
            try_="Use `layers.Permute((2, 3, 1))` to bring channels from first to last.",
        )
    if comparison.channels_not_last:
        yield Finding(
            code=NetworkCode.CHANNELS_NOT_LAST,
            severity=Severity.ERROR,
            claim="The first layer reads frames whose channels are not the last axis.",
            where=place,
            expected=f"inputs of the shape {wanted} at the first layer",
            received=f"inputs of the shape {shape_text(form.first_shapes[0])}",
            try_="Put `layers.Permute((2, 3, 1))` in front of the first layer if the frames come "
            "with their channels first, and nothing if they do not.",
        )
    wanted_outputs = len(comparison.expected.outputs)
    if comparison.other_outputs:
        one = wanted_outputs == 1
        yield Finding(
            code=NetworkCode.SEVERAL_OUTPUTS,
            severity=Severity.ERROR,
            claim="The network does not have exactly one output."
            if one
            else "The network has another number of outputs.",
            where=place,
            expected="one output" if one else f"{wanted_outputs} outputs",
            received=f"{len(form.outputs)} outputs",
            try_="Return the output of the last layer only."
            if one
            else "Return the outputs that the assignment names, in its order.",
        )
    if comparison.outputs_astray:
        yield Finding(
            code=NetworkCode.OUTPUTS_ASTRAY,
            severity=Severity.ERROR,
            claim="What the network returns does not come from the layers it should come from.",
            where=place,
            expected=_outputs_text(comparison.expected.layers, comparison.expected.outputs),
            received=_returned_text(comparison),
            try_="Return the outputs that the assignment names, in its order.",
        )
    for kind, layer in comparison.forbidden:
        yield Finding(
            code=NetworkCode.FORBIDDEN,
            severity=Severity.NOTE if layer.index in comparison.charged else Severity.ERROR,
            claim=f"{kind} must not be used here.",
            where=place,
            expected=f"a network without {kind}",
            received=layer_text(layer)
            if kind == layer.kind
            else f"{kind} inside {layer_text(layer)}",
            try_="Remove it.",
        )
    if not comparison.parameters_within and bounds is not None:
        yield Finding(
            code=NetworkCode.PARAMETERS,
            severity=Severity.ERROR,
            claim="The network is too large or too small.",
            where=place,
            expected=f"{_bounds_text(bounds)} parameters",
            received=f"{comparison.received_parameters:,} parameters",
            try_="Most parameters of a network like this are in the first Dense behind Flatten: "
            "look at the table, which layer has how many.",
        )


def _returned_text(comparison: Comparison) -> str:
    """What is returned, named by the layers asked for that stand in the places."""
    numbers = {
        row.received_number - 1: f"layer {row.expected_number} ({row.received.kind})"
        for row in comparison.rows
        if row.received is not None and row.expected is not None
    }
    return "the outputs of " + ", then ".join(
        numbers.get(place, "another layer" if place >= 0 else "an input")
        for place in comparison.form.outputs[:_MAX_NAMES]
    )


def _outputs_text(layers: Sequence[Layer], outputs: Sequence[int]) -> str:
    return "the outputs of " + ", then ".join(
        f"layer {index + 1} ({layers[index].kind})" if 0 <= index < len(layers) else "an input"
        for index in outputs[:_MAX_NAMES]
    )


def _bounds_text(bounds: Between) -> str:
    low = "" if bounds.min is None else f"at least {bounds.min:,.0f}"
    high = "" if bounds.max is None else f"at most {bounds.max:,.0f}"
    return " and ".join(part for part in (low, high) if part)


def unused_findings(names: Sequence[str], place: str) -> tuple[Finding, ...]:
    """The warning about layers that do not reach the output; empty if there are none."""
    if not names:
        return ()
    return (
        Finding(
            code=NetworkCode.UNUSED_LAYERS,
            severity=Severity.WARNING,
            claim="Some layers are made and have no part in the output.",
            where=place,
            expected="every layer passes data on to the output",
            received=_names_text(names),
            try_="Remove them, or pass the data through them: a layer counts only when it is "
            "called and its result is used.",
        ),
    )


def remarks(comparison: Comparison, place: str) -> Iterator[Finding]:
    """What costs nothing and is good to know.

    Args:
        comparison: the student's network beside the one asked for.
        place: `file:line` of the builder.
    """
    form = comparison.form
    yield from unused_findings(form.unused, place)
    if form.scaled is not None and form.scaled[1] > 1 and form.scaled[0] < _DARK:
        yield Finding(
            code=NetworkCode.SCALED_TWICE,
            severity=Severity.WARNING,
            claim="The pixels are scaled more than once, and almost nothing of them is left.",
            where=place,
            expected="values up to about 1 after one scaling",
            received=f"values up to {form.scaled[0]:.2g} after {form.scaled[1]} scalings",
            try_="Divide by 255 once, either in the network or before it.",
        )
    frozen = [layer.name or layer.kind for layer in form.layers if _is_frozen(layer)]
    if frozen:
        yield Finding(
            code=NetworkCode.FROZEN,
            severity=Severity.WARNING,
            claim="Some layers are set not to learn.",
            where=place,
            expected="every layer is trainable",
            received=_names_text(frozen),
            try_="Remove `trainable=False`.",
        )
    if form.no_effect:
        yield Finding(
            code=NetworkCode.NO_EFFECT,
            severity=Severity.NOTE,
            claim="Some layers change nothing.",
            where=place,
            received=_names_text(form.no_effect),
            try_="You can remove them.",
        )


def _is_frozen(layer: Layer) -> bool:
    return not layer.trainable and bool(layer.parameters)


def _names_text(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more
