"""The inspector's work: networks and training steps built from plain data, without student code."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from grader.worker import models
from grader.worker.layers import KNOWN_LAYERS, operation

_TAKES_A_LIST = frozenset(
    {"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract",
     "Attention", "AdditiveAttention"}
)  # fmt: skip


_INITIALIZERS = (
    "kernel_initializer", "recurrent_initializer", "embeddings_initializer",
    "depthwise_initializer", "pointwise_initializer",
)  # fmt: skip


class CannotRebuild(ValueError):
    """The graph holds what is on no list of known layers and operations, or contradicts itself."""


def rebuild(
    graph: dict[str, Any], weights: tuple[Any, ...], batches: tuple[Any, ...]
) -> list[list[Any]]:
    """Builds a network from its graph and weights and answers its outputs.

    Args:
        graph: as in `NetworkGraph`; a claim of the student's process.
        weights: arrays its nodes refer to.
        batches: inputs to answer.

    Raises:
        CannotRebuild: a node is of an unknown kind, or what the graph says of a node (its place,
            its shape, its parameters) is not so.
    """
    layers: dict[int, _Rebuilt] = {}
    return [_run(graph, weights, layers, tf.constant(batch)) for batch in batches]


@dataclass(frozen=True)
class _Rebuilt:
    """A layer, and the claim it was made from."""

    layer: Any
    claim: tuple[Any, ...]


def _run(
    graph: dict[str, Any], weights: tuple[Any, ...], layers: dict[int, _Rebuilt], inputs: Any
) -> list[Any]:
    values: dict[int, Any] = {-1: inputs}
    for position, node in enumerate(graph["nodes"]):
        # Otherwise the reader of the graph could take another node for the one that was run.
        if node["index"] != position or not all(index in values for index in node["inputs"]):
            raise CannotRebuild("the nodes of the network are not in order")
        sources = [values[index] for index in node["inputs"]]
        try:
            value = _apply(node, sources, weights, layers)
        except (CannotRebuild, MemoryError, OSError, tf.errors.ResourceExhaustedError):
            raise  # the latter are limits
        except Exception as error:
            # What Keras says names layers by how many there have been before, which is not to
            # stand in anybody's report.
            what = node["name"] or node["kind"]
            raise CannotRebuild(f"{what} does not work as it is described") from error
        if list(value.shape[1:]) != list(node["output_shape"]):
            raise CannotRebuild(f"the output of {node['name'] or node['kind']} has another shape")
        values[position] = value
    return [models.plain(values[index]) for index in graph["outputs"]]


def _apply(
    node: dict[str, Any], sources: list[Any], weights: tuple[Any, ...], layers: dict[int, _Rebuilt]
) -> Any:
    if node["source"] == "operation":
        return operation(node["kind"], node["config"])(*sources)
    if node["source"] != "layer" or node["kind"] not in KNOWN_LAYERS:
        raise CannotRebuild(f"{node['kind']} is no known layer")
    arguments = [sources] if node["kind"] in _TAKES_A_LIST else sources
    number, claim = node["layer"], (node["kind"], node["config"], node["weights"])
    if number not in layers:
        kind: Any = KNOWN_LAYERS[node["kind"]]
        layer = kind.from_config(_plain_config(node) | _cheap_initializers(kind))
        one = [source[:1] for source in sources]
        layer(one) if arguments is not sources else layer(*one)  # makes its weights
        if node["weights"]:
            layer.set_weights([weights[index] for index in node["weights"]])
        layers[number] = _Rebuilt(layer, claim)
    rebuilt = layers[number]
    if rebuilt.claim != claim:
        raise CannotRebuild(f"{node['name']} is said to be two different layers")
    if node["parameters"] != sum(math.prod(variable.shape) for variable in rebuilt.layer.weights):
        raise CannotRebuild(f"{node['name']} has another number of parameters")
    value = rebuilt.layer(*arguments)
    return value[0] if isinstance(value, list | tuple) else value


@cache
def _cheap_initializers(kind: Any) -> dict[str, str]:
    """Zeros for all weights: those that come with the graph replace them anyway."""
    names = inspect.signature(kind.__init__).parameters
    return {name: "zeros" for name in _INITIALIZERS if name in names}


def _plain_config(node: dict[str, Any]) -> dict[str, Any]:
    """A layer's configuration, when nothing in it makes Keras look for code.

    A configuration may hold other objects, as class, module and configuration; there, known layers
    are let through and nothing else. Functions may be stored in one as bytecode.
    """
    if node["config"].get("activation") == "unknown":
        raise CannotRebuild(f"the activation of {node['name']} is no known function")
    config: dict[str, Any] = {
        key: _plain_setting(value, node["name"]) for key, value in node["config"].items()
    }
    return config


def _plain_setting(value: Any, name: str) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_plain_setting(item, name) for item in value]
        case {"module": "keras.layers", "class_name": str() as kind, "config": dict() as config}:
            if kind in KNOWN_LAYERS and value.get("registered_name") is None:
                return {
                    "module": "keras.layers",
                    "class_name": kind,
                    "config": {key: _plain_setting(item, name) for key, item in config.items()},
                    "registered_name": None,
                }
    raise CannotRebuild(f"the configuration of {name} holds more than plain settings")


def _layer(pattern: dict[str, Any]) -> Any:
    settings = {
        name: tuple(value) if isinstance(value, list | tuple) else value
        for name, value in pattern.items()
        if name not in ("layer", "weight")
    }
    return KNOWN_LAYERS[pattern["layer"]](**settings)


def reference(
    layers: tuple[dict[str, Any], ...],
    input_shape: tuple[int, ...],
    weights: tuple[Any, ...],
    batches: tuple[Any, ...],
) -> Any:
    """The network an assignment asks for: the shapes of its weights, or its outputs.

    Args:
        layers: the expected layers, `num_actions` already replaced by a number.
        input_shape: channels last, batch axis left out.
        weights: arrays to set; empty to be told their shapes.
        batches: inputs to answer.
    """
    network = keras.Sequential([keras.Input(input_shape), *map(_layer, layers)])
    if not weights:
        return [[int(side) for side in array.shape] for array in network.weights]
    network.set_weights(list(weights))
    return [models.plain(network(batch, training=False)) for batch in batches]


def _huber(errors: Any, delta: float) -> Any:
    """Elementwise Huber loss (Huber 1964, Robust Estimation of a Location Parameter)."""
    size = tf.abs(errors)
    return tf.where(size <= delta, 0.5 * errors * errors, delta * (size - 0.5 * delta))


def reference_steps(request: dict[str, Any]) -> dict[str, Any]:
    """What known training steps do to given weights, beside the weights that came back.

    Returns:
        `distances` (largest absolute difference between the returned weights and those after each
        known step), `scale` (largest change of a weight in the right step), and the Huber loss of
        the batch and of held-out data, before and after.
    """
    delta = float(request["delta"])
    losses = {
        "huber_mean": lambda e: tf.reduce_mean(_huber(e, delta)),
        "mean_squared_error": lambda e: tf.reduce_mean(e * e),
        "mean_absolute_error": lambda e: tf.reduce_mean(tf.abs(e)),
        "huber_sum": lambda e: tf.reduce_sum(_huber(e, delta)),
        "ascent": lambda e: -tf.reduce_mean(_huber(e, delta)),
    }
    start = [np.asarray(array) for array in request["weights"]]
    returned = [np.asarray(array) for array in request["returned"]]
    states, targets = tf.constant(request["states"]), tf.constant(request["targets"])
    model = models.mlp(tuple(start))

    def after(loss: Any, steps: int = 1) -> list[Any]:
        model.set_weights(start)
        optimizer = models.optimizer(request["kind"], request["learning_rate"])
        for _ in range(steps):
            with tf.GradientTape() as tape:
                value = loss(targets - model(states, training=True))
            gradients = tape.gradient(value, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        weights: list[Any] = model.get_weights()
        return weights

    known = {name: after(loss) for name, loss in losses.items()}
    known |= {"unchanged": start, "two_steps": after(losses["huber_mean"], 2)}

    def loss_of(weights: list[Any], inputs: Any, wanted: Any) -> float:
        model.set_weights(weights)
        return float(losses["huber_mean"](wanted - model(inputs, training=False)))

    held_out = tf.constant(request["held_out_states"]), tf.constant(request["held_out_targets"])
    return {
        "distances": {name: _distance(returned, weights) for name, weights in known.items()},
        "scale": _distance(known["huber_mean"], start),
        "loss_before": loss_of(start, states, targets),
        "loss_after": loss_of(returned, states, targets),
        "held_out_before": loss_of(start, *held_out),
        "held_out_after": loss_of(returned, *held_out),
    }


def _distance(first: list[Any], second: list[Any]) -> float:
    return max(float(np.max(np.abs(a - b))) for a, b in zip(first, second, strict=True))
