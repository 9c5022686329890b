"""What the worker can do with a Keras model, the student's or one of the grader's."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from grader.records.wire import type_name
from grader.worker import tracing


def plain(value: Any) -> Any:
    """A value with tensors and variables turned into arrays, containers included."""
    kind = type(value)
    if kind in (int, float, bool, str, type(None), np.ndarray) or isinstance(value, np.generic):
        return value
    if kind is list:
        return [plain(item) for item in value]
    if kind is tuple:
        return tuple(plain(item) for item in value)
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tf.IndexedSlices):
        return tf.convert_to_tensor(value).numpy()
    if isinstance(value, tf.Tensor | tf.Variable) and hasattr(value, "numpy"):
        return value.numpy()
    if isinstance(value, keras.Variable):
        return np.asarray(value)
    return value


def facts(value: Any) -> dict[str, Any]:
    """What an object is."""
    return {"is_model": isinstance(value, keras.Model), "type": type_name(value)}


def _outputs(result: Any) -> list[Any]:
    if isinstance(result, dict):
        result = list(result.values())
    if not isinstance(result, list | tuple):
        result = [result]
    return [plain(item) for item in result]


def forward(model: Any, batches: tuple[Any, ...]) -> list[list[Any]]:
    """Outputs in inference mode: one list of arrays per batch."""
    return [_outputs(model(batch.copy(), training=False)) for batch in batches]


def describe(model: Any, inputs: Any) -> dict[str, Any]:
    """The graph of a forward pass and the arrays of its weights."""
    graph, weights = tracing.trace(model, inputs.copy())
    return {"graph": graph, "weights": tuple(weights)}


def mlp(weights: tuple[Any, ...]) -> keras.Model:
    """A fully connected network with the given kernels and biases, ReLU between its layers."""
    kernels = weights[0::2]
    layers: list[Any] = [keras.Input((kernels[0].shape[0],))]
    for position, kernel in enumerate(kernels):
        last = position == len(kernels) - 1
        layers.append(keras.layers.Dense(kernel.shape[1], activation=None if last else "relu"))
    model = keras.Sequential(layers)
    model.set_weights(list(weights))
    return model


def optimizer(kind: str, learning_rate: float) -> keras.optimizers.Optimizer:
    """A Keras optimizer: `sgd` or `adam`."""
    if kind == "sgd":
        return keras.optimizers.SGD(learning_rate=learning_rate)
    return keras.optimizers.Adam(learning_rate=learning_rate)
