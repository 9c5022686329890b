"""The inspector's work: networks and training steps built from plain data, without student code."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from grader.worker import models
from grader.worker.layers import KNOWN_LAYERS, TAKES_A_LIST, tensors_in
from grader.worker.operations import broadcast_rows, operation
from grader.worker.plain_settings import CannotRebuild, plain_config

_HALF_PRECISION = frozenset({"float16", "bfloat16"})
_INITIALIZERS = (
    "kernel_initializer", "recurrent_initializer", "embeddings_initializer",
    "depthwise_initializer", "pointwise_initializer",
)  # fmt: skip


def rebuild(
    graph: dict[str, Any],
    weights: tuple[Any, ...],
    batches: tuple[Any, ...],
    *,
    training: bool = False,
) -> list[list[Any]]:
    """Builds a network from its graph and weights and answers its outputs.

    Args:
        graph: as in `NetworkGraph`; a claim of the student's process.
        weights: arrays its nodes refer to.
        batches: inputs to answer; each an array, or a tuple of one for each input.
        training: what its layers are told, if the graph does not say otherwise.

    Raises:
        CannotRebuild: a node is of an unknown kind, or what the graph says of a node (its place,
            its shape, its parameters) is not so.
    """
    layers: dict[int, _Rebuilt] = {}
    return [
        _Run(graph, weights, layers, training).outputs(
            batch if isinstance(batch, tuple) else (batch,)
        )
        for batch in batches
    ]


@dataclass(frozen=True)
class _Rebuilt:
    """A layer, and the claim it was made from."""

    layer: Any
    claim: tuple[Any, ...]


@dataclass
class _Run:
    """One pass through the nodes of a graph."""

    graph: dict[str, Any]
    weights: tuple[Any, ...]
    layers: dict[int, _Rebuilt]
    training: bool
    values: dict[int, Any] = field(default_factory=dict)
    results: dict[int, list[Any]] = field(default_factory=dict)
    """All outputs of the nodes that have several."""

    def outputs(self, inputs: tuple[Any, ...]) -> list[Any]:
        self.values |= {-1 - place: tf.constant(array) for place, array in enumerate(inputs)}
        for position, node in enumerate(self.graph["nodes"]):
            # Otherwise the reader of the graph could take another node for the one that was run.
            if node["index"] != position or not all(at in self.values for at in node["inputs"]):
                raise CannotRebuild("the nodes of the network are not in order")
            what = node["name"] or node["kind"]
            try:
                value = self._apply(node)
            except (CannotRebuild, MemoryError, OSError, tf.errors.ResourceExhaustedError):
                raise  # the latter are limits
            except Exception as error:
                # What Keras says names layers by how many there have been before, which is not to
                # stand in anybody's report.
                raise CannotRebuild(f"{what} does not work as it is described") from error
            shape = value.shape if _has_no_batch(node) else value.shape[1:]
            if list(shape) != list(node["output_shape"]):
                raise CannotRebuild(f"the output of {what} has another shape")
            # What is said to be less precise is compared less precisely.
            told = node.get("output_dtype")
            if told in _HALF_PRECISION and value.dtype.name != told:
                raise CannotRebuild(f"the output of {what} has another precision")
            self.values[position] = value
        return [models.plain(self.values[index]) for index in self.graph["outputs"]]

    def _apply(self, node: dict[str, Any]) -> Any:
        sources = [self.values[index] for index in node["inputs"]]
        kind = node["kind"]
        if node["source"] == "layer" and kind in KNOWN_LAYERS:
            return self._called(node, sources)
        if node["source"] != "operation":
            raise CannotRebuild(f"{kind} is no known layer")
        if kind == "constant":
            (index,) = node["weights"]
            value = self.weights[index]
            return broadcast_rows(value, sources[0]) if sources else tf.constant(value)
        if kind == "part":
            return self.results[node["inputs"][0]][node["config"]["index"]]
        if kind == "mask":
            return sources[0]._keras_mask  # noqa: SLF001  where Keras keeps masks
        if kind == "masked":
            value, mask = sources
            value = tf.identity(value)
            value._keras_mask = mask  # noqa: SLF001
            return value
        return operation(kind, node["config"])(*sources)

    def _called(self, node: dict[str, Any], sources: list[Any]) -> Any:
        given = node.get("call_arguments", {})
        others = {
            name: _with_tensors(value, sources)
            for name, value in given.items()
            if name != "training"
        }
        named = _places(given)
        first = [source for place, source in enumerate(sources) if place not in named]
        listed = node["kind"] in TAKES_A_LIST or len(first) != 1
        layer = self._layer(node, first if listed else first[0], others)
        training = given.get("training", self.training)
        kind: Any = type(layer)
        if "training" in _parameters(kind):
            others["training"] = bool(training)
        result = layer(first if listed else first[0], **others)
        results = tensors_in(result)
        # What a layer hands through must not carry what a later one puts on it.
        if any(results[0] is source for source in sources):
            mask = getattr(results[0], "_keras_mask", None)
            results[0] = tf.identity(results[0])
            if mask is not None:
                results[0]._keras_mask = mask  # noqa: SLF001
        if len(results) > 1:
            self.results[node["index"]] = results
        return results[0]

    def _layer(self, node: dict[str, Any], first: Any, others: dict[str, Any]) -> Any:
        """The layer of a node: made on the first call, with the weights that came with it."""
        number, claim = node["layer"], (node["kind"], node["config"], node["weights"])
        if number not in self.layers:
            kind: Any = KNOWN_LAYERS[node["kind"]]
            layer = kind.from_config(plain_config(node) | _cheap_initializers(kind))
            layer(_first_rows(first), **_first_rows(others))  # makes its weights
            if node["weights"]:
                layer.set_weights([self.weights[index] for index in node["weights"]])
            if kind is keras.layers.Normalization:
                layer.finalize_state()  # works out mean and deviation from its weights
            self.layers[number] = _Rebuilt(layer, claim)
        rebuilt = self.layers[number]
        if rebuilt.claim != claim:
            raise CannotRebuild(f"{node['name']} is said to be two different layers")
        sizes = (math.prod(variable.shape) for variable in rebuilt.layer.weights)
        if node["parameters"] != sum(sizes):
            raise CannotRebuild(f"{node['name']} has another number of parameters")
        return rebuilt.layer


def _has_no_batch(node: dict[str, Any]) -> bool:
    return node["kind"] == "constant" and node["source"] == "operation" and not node["inputs"]


def _places(value: Any) -> set[int]:
    """Which inputs of a node its arguments name."""
    match value:
        case {"input": int() as place}:
            return {place}
        case dict():
            return {place for item in value.values() for place in _places(item)}
        case list() | tuple():
            return {place for item in value for place in _places(item)}
    return set()


def _with_tensors(value: Any, sources: list[Any]) -> Any:
    match value:
        case {"input": int() as place}:
            return sources[place]
        case list() | tuple():
            return [_with_tensors(item, sources) for item in value]
        case None | bool() | int() | float():
            return value
    raise CannotRebuild("a layer is called with more than plain settings")


def _first_rows(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _first_rows(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_first_rows(item) for item in value]
    return value[:1] if isinstance(value, tf.Tensor) and value.shape.rank else value


@cache
def _parameters(kind: Any) -> frozenset[str]:
    return frozenset(inspect.signature(kind.call).parameters)


@cache
def _cheap_initializers(kind: Any) -> dict[str, str]:
    """Zeros for all weights: those that come with the graph replace them anyway."""
    names = inspect.signature(kind.__init__).parameters
    return {name: "zeros" for name in _INITIALIZERS if name in names}


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
