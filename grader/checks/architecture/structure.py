"""Findings about the network as a whole: its form, and what stands in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from grader.checks.architecture.comparison import Comparison
from grader.checks.architecture.layers import Layer, shape_text
from grader.checks.network_codes import NetworkCode
from grader.records.result import Finding, Severity

_DARK: Final = 0.05
"""Inputs that reach no further than this after scaling them twice are close to nothing."""

_MAX_NAMES: Final = 8


def structure_findings(comparison: Comparison, place: str) -> Iterator[Finding]:
    """Mistakes that concern no single layer; each costs as much as an extra layer.

    Args:
        comparison: the student's network beside the one asked for.
        place: `file:line` of the builder.
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
            received=f"inputs of the shape {shape_text(form.first_shape)}",
            try_="Put `layers.Permute((2, 3, 1))` in front of the first layer if the frames come "
            "with their channels first, and nothing if they do not.",
        )
    if form.branches:
        yield Finding(
            code=NetworkCode.BRANCH,
            severity=Severity.ERROR,
            claim="The layers do not form one chain.",
            where=place,
            expected="each layer reads the output of the one before",
            received="layers that read something else",
            try_="Pass the output of each layer to the next: `x = layer(x)`, line by line.",
        )
    if form.outputs != 1:
        yield Finding(
            code=NetworkCode.SEVERAL_OUTPUTS,
            severity=Severity.ERROR,
            claim="The network does not have exactly one output.",
            where=place,
            expected="one output: the Q-values",
            received=f"{form.outputs} outputs",
            try_="Return the output of the last layer only.",
        )


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
