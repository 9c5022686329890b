"""Follows one forward pass through a model and writes down what it went through.

Layers of exactly a known Keras class become nodes as they are. Containers of any depth are looked
into, so a nested, a functional, a Sequential and a subclassed model leave the same trace. Code
between layers (`x / 255.0`, `tf.nn.relu`, `Lambda`, custom layers) is compared with known
operations by what it does to the numbers; what fits none becomes an `unknown` node.

All this happens in the student's process and is a claim. The proof is made elsewhere, by building
the network from the claim and comparing outputs on inputs this process has not seen.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from grader.worker.layers import ACTIVATIONS, KNOWN_LAYERS, MERGES, close

_MAX_NODES: Final = 4000
_LOOK_BACK: Final = 12
# Neither changes what a layer computes in inference; leaving them out makes rebuilding cheap.
_DROPPED_KEYS: Final = ("initializer", "regularizer", "constraint")


@dataclass
class _Tensor:
    """A tensor seen during the pass and the node that made it."""

    value: Any
    node: int


@dataclass
class _Trace:
    nodes: list[dict[str, Any]] = field(default_factory=list)
    tensors: list[_Tensor] = field(default_factory=list)
    by_identity: dict[int, int] = field(default_factory=dict)
    layers: dict[int, int] = field(default_factory=dict)
    layer_weights: dict[int, tuple[int, ...]] = field(default_factory=dict)
    weights: list[Any] = field(default_factory=list)
    keep_alive: list[Any] = field(default_factory=list)
    inside_leaf: bool = False

    def remember(self, value: Any, node: int) -> None:
        """Registers a tensor as made by a node; the reference keeps its identity unique."""
        self.tensors.append(_Tensor(value, node))
        self.by_identity[id(value)] = node

    def recent(self) -> list[_Tensor]:
        """The values of the last nodes, newest first, and the input; one of each node."""
        found: dict[int, _Tensor] = {}
        for tensor in reversed(self.tensors):
            if len(found) == _LOOK_BACK:
                break
            found.setdefault(tensor.node, tensor)
        found.setdefault(-1, self.tensors[0])
        return list(found.values())

    def add(self, kind: str, source: str, inputs: tuple[int, ...], value: Any, **more: Any) -> int:
        if len(self.nodes) >= _MAX_NODES:
            raise ValueError(f"the network has more than {_MAX_NODES} layers")
        index = len(self.nodes)
        shape = [int(side) for side in value.shape[1:]]
        self.nodes.append(
            {
                "index": index,
                "source": source,
                "kind": kind,
                "name": more.get("name", ""),
                "config": more.get("config", {}),
                "inputs": inputs,
                "output_shape": shape,
                "parameters": more.get("parameters", 0),
                "weights": more.get("weights", ()),
                "layer": more.get("layer"),
            }
        )
        self.remember(value, index)
        return index


def _is_leaf(layer: Any) -> bool:
    return KNOWN_LAYERS.get(type(layer).__name__) is type(layer)


def _tensors_in(value: Any) -> list[Any]:
    return [item for item in tf.nest.flatten(value) if isinstance(item, tf.Tensor)]


@contextlib.contextmanager
def _hooked(trace: _Trace) -> Iterator[None]:
    call_layer, call_operation = keras.layers.Layer.__call__, keras.Operation.__call__

    def layer_called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if trace.inside_leaf or not _is_leaf(layer):
            return call_layer(layer, *args, **kwargs)
        trace.inside_leaf = True
        try:
            result = call_layer(layer, *args, **kwargs)
        finally:
            trace.inside_leaf = False
        # Masks travel with their tensors; a layer finds them there again.
        named = {name: value for name, value in kwargs.items() if not name.endswith("mask")}
        _record(trace, layer, _tensors_in((args, named)), result)
        return result

    def operation_called(operation: Any, *args: Any, **kwargs: Any) -> Any:
        result = call_operation(operation, *args, **kwargs)
        if not trace.inside_leaf and not isinstance(operation, keras.layers.Layer):
            for value in _tensors_in(result):
                # Shapes and masks are no values that a layer computes.
                symbolic = tf.is_symbolic_tensor(value)
                if not symbolic and value.shape.rank and value.dtype.is_floating:
                    _resolve(trace, value)
        return result

    keras.layers.Layer.__call__ = layer_called
    keras.Operation.__call__ = operation_called
    # A `call` under tf.function would show symbols instead of numbers.
    eager = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = call_layer
        keras.Operation.__call__ = call_operation
        tf.config.run_functions_eagerly(eager)


def _record(trace: _Trace, layer: Any, inputs: list[Any], result: Any) -> None:
    outputs = _tensors_in(result)
    # Keras finds out shapes by calling layers on symbols.
    if not outputs or any(map(tf.is_symbolic_tensor, (*inputs, *outputs))):
        return
    sources = tuple(_resolve(trace, value) for value in inputs)
    identity = id(layer)
    if identity not in trace.layers:
        trace.keep_alive.append(layer)
        trace.layers[identity] = len(trace.layers)
        first = len(trace.weights)
        trace.weights.extend(np.asarray(variable) for variable in layer.weights)
        trace.layer_weights[identity] = tuple(range(first, len(trace.weights)))
    node = trace.add(
        type(layer).__name__,
        "layer",
        sources,
        outputs[0],
        name=str(layer.name)[:200],
        config=_config(layer),
        parameters=sum(int(np.prod(variable.shape)) for variable in layer.weights),
        weights=trace.layer_weights[identity],
        layer=trace.layers[identity],
    )
    for value in outputs[1:]:
        trace.remember(value, node)


def _config(layer: Any) -> dict[str, Any]:
    kept = _kept(layer.get_config())
    kept.pop("name", None)
    kept["dtype"] = getattr(getattr(layer, "dtype_policy", None), "name", "float32")
    if "activation" in kept:
        kept["activation"] = _activation_name(layer)
    config: dict[str, Any] = json.loads(json.dumps(kept, default=lambda value: str(value)[:200]))
    return config


def _kept(value: Any) -> Any:
    """Settings without those that only matter before or during training, at every depth."""
    match value:
        case {"class_name": "DTypePolicy", "config": {"name": str() as name}}:
            return name
        case dict():
            return {
                key: _kept(item)
                for key, item in value.items()
                if not any(key.endswith(dropped) for dropped in _DROPPED_KEYS)
            }
        case list() | tuple():
            return [_kept(item) for item in value]
    return value


def _activation_name(layer: Any) -> str:
    function = getattr(layer, "activation", None)
    if function is None or function is keras.activations.linear:
        return "linear"
    for name, known in ACTIVATIONS.items():
        if function is known:
            return name
    probe = tf.constant(np.linspace(-4.0, 4.0, 24, dtype=np.float32).reshape(3, 8))
    try:
        answer = function(probe)
    except Exception:  # noqa: BLE001  the activation may be the student's own function
        return "unknown"
    if close(answer, probe):
        return "linear"
    return next((name for name, known in ACTIVATIONS.items() if close(answer, known(probe))),
                "unknown")  # fmt: skip


def _resolve(trace: _Trace, value: Any) -> int:
    """The node that made a tensor, identified by what it computes where no layer made it."""
    known = trace.by_identity.get(id(value))
    if known is not None:
        return known
    recent = trace.recent()
    array = np.asarray(value)
    for tensor in recent:
        if tuple(tensor.value.shape) == array.shape and close(array, tensor.value):
            trace.remember(value, tensor.node)
            return tensor.node
    for tensor in recent:
        if steps := _steps(tensor.value, array):
            *before, (kind, config, _) = steps
            node = tensor.node
            for earlier, settings, between in before:
                node = trace.add(earlier, "operation", (node,), between, config=settings)
            return trace.add(kind, "operation", (node,), value, config=config)
    for first, second in itertools.permutations(recent, 2):
        if merge := _two_inputs(first.value, second.value, array):
            return trace.add(merge, "operation", (first.node, second.node), value)
    return trace.add("code", "unknown", (recent[0].node,), value)


_Step = tuple[str, dict[str, Any], Any]
"""A known operation: its name, its parameters, and the value it makes."""


def _steps(source: Any, result: Any) -> list[_Step] | None:
    """Known operations that take one tensor to another.

    One that works number by number, one that moves numbers, or first the one and then the other,
    as in `tf.reshape(tf.nn.relu(x), …)`: between two layers only the last value is to be seen.
    """
    before = np.asarray(source, np.float64)
    after = np.asarray(result, np.float64)
    if before.ndim == 0 or before.size != after.size or before.shape[:1] != after.shape[:1]:
        return None
    if before.shape == after.shape and (found := _elementwise(before, after)):
        return [(*found, result)]
    moves = list(_moves(before, after))
    for kind, config, back in moves:
        if close(back, before):
            return [(kind, config, result)]
    for kind, config, back in moves:
        if found := _elementwise(before, back):
            return [(*found, tf.constant(back, tf.float32)), (kind, config, result)]
    return None


def _elementwise(before: Any, after: Any) -> tuple[str, dict[str, Any]] | None:
    tensor = tf.constant(before, tf.float32)
    for name, known in ACTIVATIONS.items():
        if close(after, known(tensor)):
            return name, {}
    affine = _affine(before, after)
    return ("affine", affine) if affine else None


def _moves(before: Any, after: Any) -> Iterator[_Step]:
    """Ways of moving numbers from one shape to another; the value is the result moved back."""
    for order in itertools.permutations(range(1, before.ndim)):
        permutation = (0, *order)
        moved = tuple(before.shape[axis] for axis in permutation)
        if moved == after.shape and list(order) != sorted(order):
            back = after.transpose(np.argsort(permutation))
            yield "transpose", {"permutation": list(permutation)}, back
    if before.shape != after.shape:
        kind = "flatten" if after.ndim == 2 else "reshape"
        yield kind, {"target_shape": list(after.shape[1:])}, after.reshape(before.shape)


def _affine(before: Any, after: Any) -> dict[str, float] | None:
    """Scale and offset that take one array to the other, if there are such."""
    if before.shape != after.shape or np.ptp(before) == 0:
        return None
    low, high = before.argmin(), before.argmax()
    spread = before.flat[high] - before.flat[low]
    scale = float((after.flat[high] - after.flat[low]) / spread)
    offset = float(after.flat[low] - scale * before.flat[low])
    if scale == 0 or not close(after, before * scale + offset):
        return None
    # Division by 255 should read as such, not as its rounding.
    reciprocal = 1 / scale
    if abs(reciprocal - round(reciprocal)) < 1e-3 * abs(reciprocal) and abs(reciprocal) > 1:
        scale = 1 / round(reciprocal)
    offset = 0.0 if abs(offset) < 1e-6 else offset
    return {"scale": scale, "offset": offset}


def _two_inputs(first: Any, second: Any, result: Any) -> str | None:
    sides = tuple(first.shape), tuple(second.shape)
    if result.shape not in (_broadcast(*sides), _joined(*sides)):
        return None
    for name, merge in MERGES.items():
        try:
            merged = merge(tf.cast(first, tf.float32), tf.cast(second, tf.float32))
        except (tf.errors.OpError, ValueError):
            continue
        if tuple(merged.shape) == result.shape and close(result, merged):
            return name
    return None


def _broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(first, second)
    except ValueError:
        return None


def _joined(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...] | None:
    if not first or not second or first[:-1] != second[:-1]:
        return None
    return (*first[:-1], first[-1] + second[-1])


def _unused(model: Any, found: _Trace) -> list[str]:
    """Names of the layers that were made and not called; parts of a known layer belong to it."""
    called = {id(layer) for layer in found.keep_alive}
    leaves = [
        layer
        for layer in model._flatten_layers(include_self=False)  # noqa: SLF001  no public way
        if _is_leaf(layer)
    ]
    parts = {
        id(part)
        for layer in leaves
        for part in layer._flatten_layers(include_self=False)  # noqa: SLF001
    }
    return [
        str(layer.name)[:100]
        for layer in leaves
        if id(layer) not in called and id(layer) not in parts
    ]


def trace(model: Any, inputs: Any) -> tuple[dict[str, Any], list[Any]]:
    """Runs a model once and describes what its input went through.

    Args:
        model: a Keras model of any style, built or not.
        inputs: (batch, …) array of the network's input.

    Returns:
        The graph (as in `NetworkGraph`), and the arrays its nodes refer to.
    """
    found = _Trace()
    tensor = tf.constant(inputs)
    found.remember(tensor, -1)
    with _hooked(found):
        result = model(tensor, training=False)
    outputs = tuple(_resolve(found, value) for value in _tensors_in(result))
    graph = {
        "nodes": found.nodes,
        "outputs": outputs,
        "input_shape": tuple(int(side) for side in inputs.shape[1:]),
        "unused_layers": tuple(_unused(model, found)[:50]),
        "parameters": int(sum(int(np.prod(variable.shape)) for variable in model.weights)),
    }
    return graph, found.weights
