"""A layer as the matching sees it: its kind, and the attributes that are judged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from grader.records.network_evidence import NodeSource

Value = bool | int | float | str | tuple[int, ...]

UNKNOWN: Final = "unknown"
"""Stands for an attribute that cannot be read; it equals no expected value."""

_LARGEST: Final = 1 << 53
"""Larger numbers are no sizes; Python also refuses to print the largest."""


class Attribute(StrEnum):
    """What is compared between two layers of one kind; named as Keras names its arguments."""

    FILTERS = "filters"
    KERNEL_SIZE = "kernel_size"
    STRIDES = "strides"
    PADDING = "padding"
    UNITS = "units"
    POOL_SIZE = "pool_size"
    RATE = "rate"
    ACTIVATION = "activation"
    DATA_FORMAT = "data_format"
    DILATION_RATE = "dilation_rate"
    GROUPS = "groups"
    USE_BIAS = "use_bias"
    WEIGHTS = "weights"
    """`own`, or `shared` with an earlier use of the same layer."""


_POOL: Final = (Attribute.POOL_SIZE, Attribute.STRIDES, Attribute.PADDING)

JUDGED: Final[Mapping[str, tuple[Attribute, ...]]] = {
    "Conv2D": (
        Attribute.FILTERS,
        Attribute.KERNEL_SIZE,
        Attribute.STRIDES,
        Attribute.PADDING,
        Attribute.ACTIVATION,
    ),
    "Dense": (Attribute.UNITS, Attribute.ACTIVATION),
    "Flatten": (),
    "MaxPooling2D": _POOL,
    "AveragePooling2D": _POOL,
    "Dropout": (Attribute.RATE,),
}
"""The kinds that an assignment can ask for, and the attributes it sets."""

DEFAULTS: Final[Mapping[str, Mapping[Attribute, Value]]] = {
    "Conv2D": {
        Attribute.DATA_FORMAT: "channels_last",
        Attribute.DILATION_RATE: (1, 1),
        Attribute.GROUPS: 1,
        Attribute.USE_BIAS: True,
        Attribute.WEIGHTS: "own",
    },
    "Dense": {Attribute.USE_BIAS: True, Attribute.WEIGHTS: "own"},
    "MaxPooling2D": {Attribute.DATA_FORMAT: "channels_last"},
    "AveragePooling2D": {Attribute.DATA_FORMAT: "channels_last"},
}
"""What an assignment cannot set: must be as Keras has it by default."""

CONVOLUTIONS: Final = frozenset(
    {"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"}
)
POOLINGS: Final = frozenset(
    {
        "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D",
        "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
    }
)  # fmt: skip
DROPOUTS: Final = frozenset(
    {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout",
     "GaussianNoise"}
)  # fmt: skip
NORMALIZATIONS: Final = frozenset(
    {"BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization",
     "UnitNormalization", "SpectralNormalization"}
)  # fmt: skip
MERGES: Final = frozenset(
    {
        "add", "multiply", "concatenate", "subtract", "maximum", "minimum", "average", "dot",
        "Add", "Multiply", "Concatenate", "Subtract", "Maximum", "Minimum", "Average", "Dot",
    }
)  # fmt: skip
ACTIVATIONS: Final = frozenset({"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"})
"""Keras layers that are an activation and nothing else."""
ACTIVATION_OPERATIONS: Final = frozenset(
    {
        "relu", "relu6", "sigmoid", "tanh", "softmax", "softplus", "elu", "selu", "gelu", "silu",
        "leaky_relu",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """One layer, expected or received, in the form in which the two are compared."""

    kind: str
    """Keras class name or operation."""
    values: Mapping[Attribute, Value] = field(default_factory=dict)
    """The judged attributes, then those that must be as Keras has them by default."""
    output_shape: tuple[int, ...] | None = None
    """Batch axis left out."""
    parameters: int | None = None
    sight: tuple[int, int] | None = None
    """Height and width in pixels of the input that one output value sees."""
    note: str = ""
    """What else there is to say in the table, such as the factor of a scaling."""
    name: str = ""
    """The name the student (or Keras) gave it."""
    source: NodeSource | None = None
    """None for an expected layer."""
    inputs: int = 1
    """Number of layers it reads."""
    trainable: bool = True

    @property
    def is_activation(self) -> bool:
        """Whether it is an activation and nothing else."""
        return self.kind in ACTIVATIONS or self.kind in ACTIVATION_OPERATIONS


@dataclass(frozen=True)
class ExpectedLayer(Layer):
    """A layer that the assignment asks for."""

    weight: float = 1.0
    """Its share of the points, relative to the other layers."""
    per_action: bool = False
    """Whether its units are the number of actions."""
    is_output: bool = False
    """Whether it gives the network's output."""


def values_of(kind: str, config: Mapping[str, JsonValue]) -> dict[Attribute, Value]:
    """The attributes of a layer, read from its configuration; `unknown` where unreadable.

    Args:
        kind: Keras class name.
        config: what `layer.get_config()` gave, as JSON. Arguments without which a layer of a
            judged kind cannot be are unknown when absent; the others then have Keras' default.
    """
    if kind not in JUDGED:
        return (
            {Attribute.ACTIVATION: activation_name(config["activation"])}
            if "activation" in config
            else {}
        )
    values = {attribute: _read(attribute, config) for attribute in JUDGED[kind]}
    if kind in POOLINGS and config.get("strides") is None:
        values[Attribute.STRIDES] = values[Attribute.POOL_SIZE]
    for attribute, default in DEFAULTS.get(kind, {}).items():
        values[attribute] = _read(attribute, config) if attribute in config else default
    return values


def _read(attribute: Attribute, config: Mapping[str, JsonValue]) -> Value:
    value = config.get(attribute.value)
    match attribute:
        case (
            Attribute.KERNEL_SIZE
            | Attribute.STRIDES
            | Attribute.POOL_SIZE
            | Attribute.DILATION_RATE
        ):
            return read_pair(value) or UNKNOWN
        case Attribute.FILTERS | Attribute.UNITS | Attribute.GROUPS:
            size = read_size(value)
            return UNKNOWN if size is None else size
        case Attribute.RATE:
            number = read_number(value)
            return UNKNOWN if number is None else number
        case Attribute.ACTIVATION:
            return activation_name(value) if attribute.value in config else UNKNOWN
        case Attribute.USE_BIAS:
            return value if isinstance(value, bool) else UNKNOWN
        case Attribute.PADDING | Attribute.DATA_FORMAT | Attribute.WEIGHTS:
            return value.lower()[:40] if isinstance(value, str) else UNKNOWN


def read_size(value: JsonValue) -> int | None:
    """A positive whole number, or None."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST:
        return value
    return None


def read_pair(value: JsonValue) -> tuple[int, int] | None:
    """Two positive whole numbers, where one stands for both, or None."""
    if isinstance(value, list):
        sizes = [size for item in value[:3] if (size := read_size(item)) is not None]
        return (sizes[0], sizes[1]) if len(value) == len(sizes) == 2 else None
    size = read_size(value)
    return None if size is None else (size, size)


def read_number(value: JsonValue) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) > _LARGEST:
        return None
    return float(value) if math.isfinite(value) else None


def activation_name(value: JsonValue) -> str:
    """The activation's name in lower case, `linear` for none, `unknown` where unreadable.

    Keras writes a built-in function as a string, or as an object with its name under `config`, and
    a layer used as an activation as an object with `class_name` and `config`.
    """
    if value is None:
        return "linear"
    if isinstance(value, str):
        name = value.lower()[:40]
        return {"swish": "silu", "none": "linear", "identity": "linear"}.get(name, name)
    if not isinstance(value, dict):
        return UNKNOWN
    kind, config = value.get("class_name"), value.get("config")
    if isinstance(config, str):
        return activation_name(config)
    if isinstance(kind, str) and isinstance(config, dict) and kind in ACTIVATIONS:
        return activation_of_layer(kind, config)
    return UNKNOWN


def activation_of_layer(kind: str, config: Mapping[str, JsonValue]) -> str:
    """The name of what an activation layer or operation computes."""
    if kind == "Activation":
        inner = config.get("activation")
        # An object within an object within … is no activation that Keras would write.
        nested = isinstance(inner, dict) and inner.get("class_name") == "Activation"
        return UNKNOWN if nested else activation_name(inner)
    if kind == "ReLU":
        slope = read_number(config.get("negative_slope", 0.0))
        threshold = read_number(config.get("threshold", 0.0))
        ceiling = config.get("max_value")
        if slope is None or threshold is None:
            return UNKNOWN
        if threshold != 0.0:
            return "relu with a threshold"
        if ceiling is not None:
            return "relu6" if read_number(ceiling) == 6.0 else "relu with a largest value"
        return "relu" if slope == 0.0 else "leaky_relu"
    named = {"LeakyReLU": "leaky_relu", "PReLU": "prelu", "ELU": "elu", "Softmax": "softmax"}
    return named.get(kind, kind if kind in ACTIVATION_OPERATIONS else UNKNOWN)


def value_text(value: Value) -> str:
    """A value as the student writes it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def shape_text(shape: tuple[int, ...] | None) -> str | None:
    """A shape as text, or None for one that is not known or cannot be one."""
    if shape is None or len(shape) > 8 or any(not 0 <= side < _LARGEST for side in shape):
        return None
    return str(shape)


def count_or_none(count: int | None) -> int | None:
    """A number of parameters, or None for one that cannot be one."""
    return count if count is not None and 0 <= count < _LARGEST else None
