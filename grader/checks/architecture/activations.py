"""Activations: their names, however they are written, and the layers that are nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from grader.checks.architecture.values import UNKNOWN, read_number

LAYERS: Final = frozenset({"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"})
"""Keras layers that are an activation and nothing else."""
OPERATIONS: Final = frozenset(
    {
        "relu", "relu6", "sigmoid", "tanh", "softmax", "softplus", "elu", "selu", "gelu", "silu",
        "leaky_relu", "mish", "softsign", "hard_sigmoid", "hard_silu", "exponential",
        "log_softmax",
    }
)  # fmt: skip
MONOTONE: Final = frozenset(
    {"relu", "relu6", "sigmoid", "tanh", "softplus", "elu", "selu", "leaky_relu", "softsign",
     "hard_sigmoid", "exponential"}
)  # fmt: skip
"""Activations that never fall, so that they can be taken before or after a maximum."""
ACROSS: Final = frozenset({"softmax", "log_softmax"})
"""Activations that look at several numbers at once."""


def activation_name(value: JsonValue) -> str:
    """The activation's name in lower case, `linear` for none, `unknown` where unreadable.

    Keras writes a built-in function as a string, or as an object with its name under `config`, and
    a layer used as an activation as an object with `class_name` and `config`.
    """
    if value is None:
        return "linear"
    if isinstance(value, str):
        name = value.lower()[:40]
        return {
            "swish": "silu", "hard_swish": "hard_silu", "none": "linear", "identity": "linear",
        }.get(name, name)  # fmt: skip
    if not isinstance(value, dict):
        return UNKNOWN
    kind, config = value.get("class_name"), value.get("config")
    if isinstance(config, str):
        return activation_name(config)
    if isinstance(kind, str) and isinstance(config, dict) and kind in LAYERS:
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
    if kind in {"LeakyReLU", "leaky_relu"} and read_number(_slope(config)) == 0.0:
        return "relu"
    named = {"LeakyReLU": "leaky_relu", "PReLU": "prelu", "ELU": "elu", "Softmax": "softmax"}
    return named.get(kind, kind if kind in OPERATIONS else UNKNOWN)


def _slope(config: Mapping[str, JsonValue]) -> JsonValue:
    """The slope of a leaky ReLU below zero; None where it goes without saying."""
    return config.get("negative_slope", config.get("alpha"))
