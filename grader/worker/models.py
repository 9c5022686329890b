"""What the worker can do with a Keras model, the student's or one of the grader's."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from grader.records.wire import type_name
from grader.worker.feeding import Feed, feed_for
from grader.worker.found_model import model_in
from grader.worker.layers import plain_array
from grader.worker.tracing import following


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
        return plain_array(tf.convert_to_tensor(value))
    if isinstance(value, tf.Tensor | tf.Variable) and hasattr(value, "numpy"):
        number = value.numpy()  # bytes for a text
        return plain_array(number) if isinstance(number, np.ndarray) else number
    if isinstance(value, keras.Variable):
        return plain_array(value)
    return value


_FEEDS: dict[int, Feed] = {}


def facts(
    value: Any,
    names: tuple[str, ...],
    shapes: tuple[tuple[tuple[int, ...], ...], ...],
    outputs: tuple[str, ...] = (),
) -> tuple[Any, dict[str, Any]]:
    """What an object is, and the model in it.

    Args:
        value: what a builder returned.
        names: of the inputs that are asked for.
        shapes: accepted shapes of each, batch axis left out.
        outputs: names of the outputs asked for.

    Returns:
        The model, or the object where there is none; and what is known about it.
    """
    model, place = model_in(value)
    told = {"is_model": model is not None, "type": type_name(value), "wrapper": place}
    if model is None:
        return value, told | {"extra_inputs": ()}
    feed = feed_for(model, names, shapes)
    feed.outputs = tuple(outputs)
    _FEEDS[id(model)] = feed
    return model, told | {"extra_inputs": feed.extra}


def _feed(model: Any) -> Feed:
    if id(model) not in _FEEDS or _FEEDS[id(model)].model is not model:
        _FEEDS[id(model)] = Feed(model)
    return _FEEDS[id(model)]


def _arrays(batch: Any) -> tuple[Any, ...]:
    """Arrays of the student's own, which they may change."""
    return tuple(array.copy() for array in (batch if isinstance(batch, tuple) else (batch,)))


def _outputs(result: Any) -> list[Any]:
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        # `(q_values, None)`: a state that this network does not have.
        return [array for item in result if item is not None for array in _outputs(item)]
    return [plain(result)]


def forward(
    model: Any, batches: tuple[Any, ...], *, training: bool = False, compiled: bool = False
) -> list[list[Any]]:
    """Outputs: one list of arrays per batch.

    Args:
        model: a Keras model.
        batches: each an array, or a tuple of one for each input.
        training: what the model is told.
        compiled: whether it is called in a `tf.function`, as `predict` and `fit` do.
    """
    feed = _feed(model)
    call: Any = feed
    if compiled:
        graph_of = tf.function(lambda tensors: feed(tensors, training), autograph=False)
        call = lambda arrays, _: graph_of([tf.constant(array) for array in arrays])  # noqa: E731
    return [_outputs(call(_arrays(batch), training)) for batch in batches]


def describe(model: Any, inputs: Any, *, training: bool = False) -> dict[str, Any]:
    """The graph of a forward pass and the arrays of its weights."""
    graph, weights = following.trace(_feed(model), model, _arrays(inputs), training=training)
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
