"""The pass itself: a model is called once, with all hooks in place."""

from __future__ import annotations

from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from grader.worker.layers import tensors_in
from grader.worker.tracing.hooks import hooked
from grader.worker.tracing.layer_calls import known_class
from grader.worker.tracing.record import Trace
from grader.worker.tracing.sources import resolve
from grader.worker.tracing.tidy import tidied

_MOST_NAMES: Final = 50
_NAME_CHARS: Final = 100


def trace(
    call: Any, model: Any, inputs: tuple[Any, ...], *, training: bool = False
) -> tuple[dict[str, Any], list[Any]]:
    """Runs a model once and describes what its input went through.

    Args:
        call: calls the model with a list of tensors.
        model: a Keras model of any style, built or not.
        inputs: (batch, …) array of each of the network's inputs.
        training: what the model is told.

    Returns:
        The graph (as in `NetworkGraph`), and the arrays its nodes refer to.
    """
    found = Trace(batch=len(inputs[0]))
    tensors = [tf.constant(array) for array in inputs]
    for number, tensor in enumerate(tensors):
        found.remember(tensor, -1 - number)
    with hooked(found, training):
        result = call(tensors, training)
    found.owners = [(type(model).__name__[:_NAME_CHARS], 0)]
    outputs = tuple(resolve(found, value, -1) for value in tensors_in(result))
    shapes = tuple(tuple(int(side) for side in array.shape[1:]) for array in inputs)
    nodes, outputs = tidied(found.nodes, outputs, shapes, found.weights)
    graph = {
        "nodes": nodes,
        "outputs": outputs,
        "input_shapes": shapes,
        "unused_layers": tuple(_unused(model, found)[:_MOST_NAMES]),
        "untracked_layers": tuple(_untracked(model, found)[:_MOST_NAMES]),
        "parameters": int(sum(int(np.prod(variable.shape)) for variable in model.weights)),
    }
    return graph, found.weights


def _called(found: Trace) -> list[Any]:
    return [item for item in found.keep_alive if isinstance(item, keras.layers.Layer)]


def _unused(model: Any, found: Trace) -> list[str]:
    """Names of the layers that were made and not called; parts of a known layer belong to it."""
    called = {id(layer) for layer in _called(found)}
    leaves = [
        layer
        for layer in model._flatten_layers(include_self=False)  # noqa: SLF001  no public way
        if known_class(layer) is not None
    ]
    parts = {
        id(part)
        for layer in leaves
        for part in layer._flatten_layers(include_self=False)  # noqa: SLF001
    }
    return [
        str(layer.name)[:_NAME_CHARS]
        for layer in leaves
        if id(layer) not in called and id(layer) not in parts
    ]


def _untracked(model: Any, found: Trace) -> list[str]:
    """Names of the layers that compute something with weights the model does not know of."""
    own = {id(variable) for variable in model.weights}
    return [
        str(layer.name)[:_NAME_CHARS]
        for layer in _called(found)
        if any(id(variable) not in own for variable in layer.weights)
    ]
