"""How layers and mistakes are put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grader.checks.architecture.layers import (
    DEFAULTS,
    UNKNOWN,
    Attribute,
    ExpectedLayer,
    Layer,
    value_text,
)
from grader.checks.network_codes import NetworkCode
from grader.records.result import Finding, Severity

_MAX_NUMBERS: Final = 8
"""Layers named in one finding; of more only their number is told."""

_PHRASES: Final = {
    Attribute.FILTERS: "{} filters",
    Attribute.KERNEL_SIZE: "kernel {}",
    Attribute.STRIDES: "strides {}",
    Attribute.PADDING: "{} padding",
    Attribute.UNITS: "{} units",
    Attribute.POOL_SIZE: "pool {}",
    Attribute.RATE: "rate {}",
    Attribute.ACTIVATION: "{}",
}


@dataclass(frozen=True)
class Mistake:
    """What is wrong with one layer. Equal ones are told together.

    Attributes:
        code: what it is.
        claim: one sentence, in which `{layers}` stands for the layers concerned.
        expected: what was asked for.
        received: what is there.
        advice: what to do.
    """

    code: NetworkCode
    claim: str
    expected: str
    received: str
    advice: str

    def finding(self, layers: str, place: str) -> Finding:
        """The finding about these layers, as `layers_text` names them."""
        return Finding(
            code=self.code,
            severity=Severity.ERROR,
            # Not `format`: what students wrote may hold braces.
            claim=self.claim.replace("{layers}", layers),
            where=place,
            expected=self.expected,
            received=self.received,
            try_=self.advice,
        )


def layers_text(who: str, numbers: Sequence[int], kind: str) -> str:
    """Such as `layer 2 (Conv2D)` or `your layers 2, 4 and 5 (BatchNormalization)`.

    Args:
        who: `layer` for places in the list asked for, `your layer` for the student's own list.
        numbers: places, from 1.
        kind: kind of these layers.
    """
    if len(numbers) == 1:
        return f"{who} {numbers[0]} ({kind})"
    if len(numbers) > _MAX_NUMBERS:
        return f"{who}s {numbers[0]}, {numbers[1]} and {len(numbers) - 2} more ({kind})"
    first = ", ".join(str(number) for number in numbers[:-1])
    return f"{who}s {first} and {numbers[-1]} ({kind})"


def summary_of(layer: Layer) -> str:
    """The attributes of a layer, such as `32 filters, kernel (8, 8), strides (4, 4), relu`.

    Attributes that an assignment cannot set are named only where they are not as usual.
    """
    defaults = DEFAULTS.get(layer.kind, {})
    parts = [layer.note] if layer.note else []
    for attribute, value in layer.values.items():
        if attribute in defaults:
            if value != defaults[attribute]:
                parts.append(f"{attribute} {value_text(value)}")
        elif attribute is Attribute.UNITS and isinstance(layer, ExpectedLayer) and layer.per_action:
            parts.append(f"num_actions units ({value_text(value)} here)")
        elif value == UNKNOWN:
            parts.append(f"{attribute} unknown")
        elif attribute is not Attribute.ACTIVATION or value != "linear" or layer.kind == "Dense":
            parts.append(_PHRASES[attribute].format(value_text(value)))
    return ", ".join(parts)


def layer_text(layer: Layer) -> str:
    """A layer in one line, such as `Conv2D: 32 filters, kernel (8, 8), strides (4, 4), relu`."""
    summary = summary_of(layer)
    return f"{layer.kind}: {summary}" if summary else layer.kind
