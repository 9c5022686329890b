"""A layer as the matching sees it: its kind, and the attributes that are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from grader.checks.architecture import activations
from grader.checks.architecture.activations import activation_name
from grader.checks.architecture.rules import WINDOWS, Rule
from grader.checks.architecture.values import (
    UNKNOWN,
    read_integer,
    read_integers,
    read_number,
    read_size,
    read_window,
)
from grader.records.layer_families import FAMILIES, Attribute, Family, Value
from grader.records.network_evidence import NodeSource

CONVOLUTIONS: Final = frozenset(kind for kind in FAMILIES if "Conv" in kind)
POOLINGS: Final = frozenset(kind for kind in FAMILIES if "Pooling" in kind)
GLOBAL_POOLINGS: Final = frozenset(kind for kind in POOLINGS if kind.startswith("Global"))
RECURRENT: Final = frozenset({"SimpleRNN", "LSTM", "GRU"})
ATTENTIONS: Final = frozenset({"MultiHeadAttention", "Attention", "AdditiveAttention"})
DROPOUTS: Final = frozenset(
    {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout",
     "GaussianDropout", "GaussianNoise"}
)  # fmt: skip
NORMALIZATIONS: Final = frozenset(
    {"BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization",
     "UnitNormalization", "SpectralNormalization"}
)  # fmt: skip


class Freedom(StrEnum):
    """What costs nothing in a place of the list."""

    PREPROCESSING = "preprocessing"
    ANYTHING = "anything"


@dataclass(frozen=True)
class Layer:
    """One layer, expected or received, in the form in which the two are compared."""

    kind: str
    """Keras class name or operation."""
    values: Mapping[Attribute, Value] = field(default_factory=dict)
    """The judged attributes, then the options. Of an expected layer: the value asked for, or words
    where several are accepted."""
    output_shape: tuple[int, ...] | None = None
    """Batch axis left out; None where it is not known."""
    parameters: int | None = None
    sight: tuple[int, int] | None = None
    """Height and width in pixels of the input that one output value sees."""
    note: str = ""
    """What else there is to say in the table, such as the factor of a scaling."""
    name: str = ""
    """The name the student (or Keras) gave it."""
    source: NodeSource | None = None
    """None for an expected layer."""
    inputs: tuple[int, ...] = ()
    """Places of the layers it reads; −1 is the first input of the network, −2 the second."""
    trainable: bool = True
    index: int = -1
    """Number of the node it was read from; −1 for an expected layer."""
    is_output: bool = False
    """Whether it gives an output of the network."""
    wrapped: tuple[str, ...] = ()
    """Kinds of the layers inside it, such as that of a `TimeDistributed`."""

    @property
    def is_activation(self) -> bool:
        """Whether it is an activation and nothing else."""
        return self.kind in activations.LAYERS or self.kind in activations.OPERATIONS

    @property
    def is_custom(self) -> bool:
        """Whether it is code of the student's that is nothing known."""
        return self.source is NodeSource.UNKNOWN


@dataclass(frozen=True)
class ExpectedLayer(Layer):
    """A layer that the assignment asks for."""

    rules: Mapping[Attribute, Rule] = field(default_factory=dict)
    """What is accepted for each attribute."""
    weight: float = 1.0
    """Its share of the points, relative to the other layers."""
    per_argument: str = ""
    """The expression for its units or filters, where they follow the builder's arguments."""
    optional: bool = False
    freedom: Freedom | None = None
    """Set for a place where layers are free; such a one is no layer itself."""

    @property
    def is_required(self) -> bool:
        """Whether something is missing when it is not there."""
        return not self.optional and self.freedom is None

    def differences(self, found: Layer) -> tuple[Attribute, ...]:
        """The attributes in which a received layer of the same kind is not as asked."""
        return tuple(
            attribute
            for attribute, rule in self.rules.items()
            if not rule.accepts(found.values.get(attribute))
        )


def values_of(
    kind: str, config: Mapping[str, JsonValue], call: Mapping[str, JsonValue]
) -> dict[Attribute, Value]:
    """The attributes of a layer, read from its configuration; `unknown` where unreadable.

    Args:
        kind: Keras class name.
        config: what `layer.get_config()` gave, as JSON. Arguments without which a layer of a
            judged kind cannot be are unknown when absent; the others then have Keras' default.
        call: settings it was called with.
    """
    family = FAMILIES.get(kind)
    if family is None:
        return (
            {Attribute.ACTIVATION: activation_name(config["activation"])}
            if "activation" in config
            else {}
        )
    values = {attribute: _read(attribute, config, family) for attribute in family.judged}
    if Attribute.POOL_SIZE in values and config.get("strides") is None:
        values[Attribute.STRIDES] = values[Attribute.POOL_SIZE]
    for attribute, default in family.options.items():
        source = call if attribute is Attribute.CAUSAL else config
        known = attribute in source and source[attribute] is not None
        values[attribute] = _read(attribute, source, family) if known else default
    if Attribute.BIDIRECTIONAL in family.judged and "bidirectional" not in config:
        values[Attribute.BIDIRECTIONAL] = "no"
    if values.get(Attribute.VALUE_DIM) == values.get(Attribute.KEY_DIM):
        values.update({Attribute.VALUE_DIM: 0} if Attribute.VALUE_DIM in values else {})
    return values


def _read(attribute: Attribute, config: Mapping[str, JsonValue], family: Family) -> Value:
    value = config.get(attribute.value)
    match attribute:
        case _ if attribute in WINDOWS:
            return read_window(value, family.rank) or UNKNOWN
        case (
            Attribute.FILTERS | Attribute.UNITS | Attribute.GROUPS | Attribute.DEPTH_MULTIPLIER
            | Attribute.INPUT_DIM | Attribute.OUTPUT_DIM | Attribute.N | Attribute.NUM_HEADS
            | Attribute.KEY_DIM | Attribute.VALUE_DIM
        ):  # fmt: skip
            size = read_size(value)
            return UNKNOWN if size is None else size
        case (
            Attribute.RATE | Attribute.STDDEV | Attribute.DROPOUT | Attribute.RECURRENT_DROPOUT
            | Attribute.MASK_VALUE
        ):  # fmt: skip
            number = read_number(value)
            return UNKNOWN if number is None else number
        case Attribute.ACTIVATION | Attribute.RECURRENT_ACTIVATION:
            return activation_name(value) if attribute.value in config else UNKNOWN
        case Attribute.TARGET_SHAPE | Attribute.DIMS:
            return read_integers(value) or UNKNOWN
        case Attribute.AXIS | Attribute.AXES:
            axis = read_integer(value)
            axes = read_integers(value)
            return axis if axis is not None else axes or UNKNOWN
        case (
            Attribute.PADDING | Attribute.DATA_FORMAT | Attribute.WEIGHTS | Attribute.SCORE_MODE
            | Attribute.BIDIRECTIONAL | Attribute.BASELINE
        ):  # fmt: skip
            return value.lower()[:40] if isinstance(value, str) else UNKNOWN
    return value if isinstance(value, bool) else UNKNOWN


_WRAPPING: Final = ("layer", "backward_layer", "cell", "cells", "layers")
"""Settings that hold other layers."""
_MAX_DEPTH: Final = 6
_MAX_WRAPPED: Final = 64


def wrapped_kinds(config: Mapping[str, JsonValue], depth: int = 0) -> tuple[str, ...]:
    """The kinds of the layers that stand in a configuration, without doubles.

    Args:
        config: of a layer, as the worker sent it.
        depth: in how many other layers it stands.
    """
    found: dict[str, None] = {}
    for key in _WRAPPING if depth < _MAX_DEPTH else ():
        value = config.get(key)
        for item in value[:_MAX_WRAPPED] if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                continue
            kind, inner = item.get("class_name"), item.get("config")
            if isinstance(kind, str) and isinstance(inner, dict):
                found.update(dict.fromkeys((kind, *wrapped_kinds(inner, depth + 1))))
    return tuple(found)[:_MAX_WRAPPED]
