"""The Keras layers that are taken at their word, and the operations known between them.

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
        "leaky_relu",
    )
}  # fmt: skip
"""Functions of one tensor that leave its shape alone."""

MERGES: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "subtract": lambda a, b: a - b,
    "maximum": tf.maximum,
    "average": lambda a, b: (a + b) / 2,
    "concatenate": lambda a, b: tf.concat([a, b], axis=-1),
}
"""Functions of two tensors."""


def operation(kind: str, config: dict[str, Any]) -> Callable[..., Any]:
    """The function of a known operation.

    Args:
        kind: its name in a graph.
        config: its parameters.

    Raises:
        KeyError: there is no such operation.
    """
    if kind == "affine":
        scale, offset = float(config["scale"]), float(config["offset"])
        return lambda x: tf.cast(x, tf.float32) * scale + offset
    if kind == "transpose":
        order = [int(axis) for axis in config["permutation"]]
        return lambda x: tf.transpose(x, order)
    if kind in ("flatten", "reshape"):
        target = [int(side) for side in config["target_shape"]]
        return lambda x: tf.reshape(x, [tf.shape(x)[0], *target])
    if kind == "cast":
        return lambda x: tf.cast(x, tf.float32)
    if kind == "identity":
        return lambda x: x
    if kind in ACTIVATIONS:
        return ACTIVATIONS[kind]
    return MERGES[kind]


def close(first: Any, second: Any) -> bool:
    """Whether two tensors of one shape hold the same float32 numbers, rounding aside."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    scale = max(1e-6, float(np.max(np.abs(b), initial=0.0)))
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= 1e-5 * scale))
