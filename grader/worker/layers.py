"""The Keras layers that are taken at their word, and the activations known between them.

Both sides of a network's proof use this list: the student's worker names what it sees, and the
inspector, which never runs student code, builds the same from the names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

# Containers are looked into, Lambda is looked at by what it computes, the rest run foreign code or
# read files that their configuration names.
_NOT_LEAVES: Final = frozenset(
    {"Layer", "Lambda", "InputLayer", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer",
     "Wrapper", "TextVectorization", "StringLookup", "IntegerLookup"}
)  # fmt: skip

KNOWN_LAYERS: Final[dict[str, type[keras.layers.Layer]]] = {
    name: kind
    for name, kind in vars(keras.layers).items()
    if isinstance(kind, type)
    and issubclass(kind, keras.layers.Layer)
    and not issubclass(kind, keras.Model)
    and kind.__name__ == name
    and name not in _NOT_LEAVES
}
"""Layer classes by name. Only an object of exactly such a class counts as that layer."""

ACTIVATIONS: Final[dict[str, Callable[[Any], Any]]] = {
    name: getattr(keras.activations, name)
    for name in (
        "relu", "softmax", "sigmoid", "tanh", "softplus", "elu", "selu", "gelu", "silu",
        "leaky_relu", "relu6", "softsign", "mish", "hard_sigmoid", "hard_silu", "log_softmax",
        "exponential", "celu", "squareplus", "hard_tanh", "log_sigmoid",
    )
}  # fmt: skip
"""Functions of one tensor that leave its shape alone, by their names in Keras."""

TAKES_A_LIST: Final = frozenset(
    {"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract",
     "Attention", "AdditiveAttention"}
)  # fmt: skip
"""Layers whose input is a list of tensors also where it is one tensor only."""


def close(first: Any, second: Any) -> bool:
    """Whether two tensors of one shape hold the same float32 numbers, rounding aside."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if not np.isfinite(b).all():
        return False  # infinitely large numbers are infinitely near to any
    scale = max(1e-6, float(np.max(np.abs(b), initial=0.0)))
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= 1e-5 * scale))


def plain_array(value: Any) -> Any:
    """A tensor or variable as an array of a kind that can be sent; bfloat16 as float32."""
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def tensors_in(value: Any) -> list[Any]:
    """The tensors and arrays in nested lists, tuples and dictionaries, in the order they stand."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [found for item in value for found in tensors_in(item)]
    return [value] if isinstance(value, tf.Tensor | np.ndarray) else []
