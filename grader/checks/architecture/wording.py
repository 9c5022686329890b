"""How layers and mistakes are put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grader.checks.architecture.layers import ExpectedLayer, Layer
from grader.checks.architecture.values import UNKNOWN, value_text
from grader.checks.network_codes import NetworkCode
from grader.records.layer_families import FAMILIES, Attribute, Family
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
    Attribute.STDDEV: "deviation {}",
    Attribute.INPUT_DIM: "{} words",
    Attribute.OUTPUT_DIM: "vectors of {}",
    Attribute.NUM_HEADS: "{} heads",
    Attribute.KEY_DIM: "key_dim {}",
    Attribute.TARGET_SHAPE: "to {}",
    Attribute.DIMS: "order {}",
    Attribute.N: "{} times",
    Attribute.AXIS: "axis {}",
    Attribute.AXES: "axes {}",
    Attribute.GROUPS: "{} groups",
    Attribute.DEPTH_MULTIPLIER: "depth_multiplier {}",
    Attribute.MASK_VALUE: "steps of {} are padding",
    Attribute.SCORE_MODE: "score {}",
}
_FLAGS: Final = {
    Attribute.RETURN_SEQUENCES: ("every step", "last step"),
    Attribute.MASK_ZERO: ("0 is padding", ""),
    Attribute.USE_SCALE: ("scaled", ""),
}
"""Words for True and False."""
_USUAL: Final = {
    Attribute.ACTIVATION: ("linear", "tanh"),
    Attribute.BIDIRECTIONAL: ("no",),
    Attribute.SCORE_MODE: ("dot",),
    Attribute.DEPTH_MULTIPLIER: (1,),
}
"""Values that go without saying in the layers that have them by default."""


_WORDS: Final[Mapping[str, str]] = {
    "affine": "scaling",
    "squeeze": "axis taken away",
    "expand_dims": "axis added",
    "part": "further result of a layer",
    "constant": "fixed numbers",
    "tile": "values repeated",
    "reduce_mean": "mean",
    "reduce_sum": "sum",
    "reduce_max": "maximum",
    "reduce_min": "minimum",
    "matmul": "matrix product",
    "greater": "comparison",
    "greater_equal": "comparison",
    "less": "comparison",
    "less_equal": "comparison",
    "where": "choice between values",
    "cast": "other number format",
    "masked": "mask set",
}
"""What operations between layers are called."""


def kind_text(kind: str) -> str:
    """A kind of layer as Keras calls it, or an operation in plain words."""
    return _WORDS.get(kind, kind)


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
    kind = kind_text(kind)
    if len(numbers) == 1:
        return f"{who} {numbers[0]} ({kind})"
    if len(numbers) > _MAX_NUMBERS:
        return f"{who}s {numbers[0]}, {numbers[1]} and {len(numbers) - 2} more ({kind})"
    first = ", ".join(str(number) for number in numbers[:-1])
    return f"{who}s {first} and {numbers[-1]} ({kind})"


def summary_of(layer: Layer) -> str:
    """The attributes of a layer, such as `32 filters, kernel (8, 8), strides (4, 4), relu`.

    Options are named only where they are not as usual.
    """
    family = FAMILIES.get(layer.kind, Family())
    parts = [layer.note] if layer.note else []
    for attribute, value in layer.values.items():
        if isinstance(layer, ExpectedLayer) and layer.rules[attribute].is_free:
            continue
        if attribute in family.options:
            if value != family.options[attribute]:
                parts.append(f"{attribute} {value_text(value)}")
        elif layer_follows(layer, attribute):
            told = _PHRASES[attribute].format(layer_follows(layer, attribute))
            parts.append(f"{told} ({value_text(value)} here)")
        elif value == UNKNOWN:
            parts.append(f"{attribute} unknown")
        elif attribute in _FLAGS and isinstance(value, bool):
            parts.append(_FLAGS[attribute][0 if value else 1])
        elif layer.kind == "Dense" or not _goes_without_saying(layer, attribute):
            parts.append(_PHRASES.get(attribute, f"{attribute} {{}}").format(value_text(value)))
    return ", ".join(part for part in parts if part)


def layer_follows(layer: Layer, attribute: Attribute) -> str:
    """The expression that a size of an expected layer follows; empty for a plain number."""
    size = attribute in {Attribute.UNITS, Attribute.FILTERS}
    return layer.per_argument if size and isinstance(layer, ExpectedLayer) else ""


def _goes_without_saying(layer: Layer, attribute: Attribute) -> bool:
    return layer.values[attribute] in _USUAL.get(attribute, ())


def layer_text(layer: Layer) -> str:
    """A layer in one line, such as `Conv2D: 32 filters, kernel (8, 8), strides (4, 4), relu`."""
    summary, kind = summary_of(layer), kind_text(layer.kind)
    return f"{kind}: {summary}" if summary else kind
