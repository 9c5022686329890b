"""One call of a known layer as a node: what it read, its settings, its weights."""

from __future__ import annotations

import inspect
import json
from functools import cache
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from grader.worker.layers import (
    ACTIVATIONS,
    KNOWN_LAYERS,
    close,
    plain_array,
    tensors_in,
)
from grader.worker.tracing.by_numbers import function_named
from grader.worker.tracing.record import Trace
from grader.worker.tracing.sources import resolve

# Neither changes what a layer computes in inference; leaving them out makes rebuilding cheap.
_DROPPED_KEYS: Final = ("initializer", "regularizer", "constraint")
_FIGURE_CHARS: Final = 200
_KNOWN: Final = frozenset(KNOWN_LAYERS.values())


def known_class(layer: Any) -> Any:
    """The known class that a layer is of, or that it computes like; None where there is none.

    A class of the student's that only sets its arguments (`__init__`) is as good as the one it is
    made from; what it makes of the call is proven elsewhere.
    """
    kind: Any = type(layer)
    known = _base(kind)
    if known is None or kind is known:
        return known
    same = all(getattr(kind, name) is getattr(known, name) for name in ("call", "__call__"))
    return known if same else None


def is_in_disguise(layer: Any) -> bool:
    """Whether a layer is made from a known one and computes something of its own."""
    kind: Any = type(layer)
    return _base(kind) is not None and known_class(layer) is None


@cache
def _base(kind: Any) -> Any:
    return next((base for base in kind.__mro__ if base in _KNOWN), None)


def record_call(
    trace: Trace,
    layer: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    result: Any,
    training: bool | None,
) -> None:
    """Adds the node of a call, and one for each further output.

    Args:
        trace: what has been found so far.
        layer: of a known class.
        args: as the layer was called.
        kwargs: the same.
        result: what it answered.
        training: whether it was told so against what the whole network was told.
    """
    outputs = tensors_in(result)
    kind: Any = known_class(layer)
    names = _argument_names(kind)
    given = dict(zip(names, args, strict=False)) | kwargs
    first = given.pop(names[0], None) if names else None
    read = tensors_in(first)
    # Keras finds out shapes by calling layers on symbols.
    if not outputs or any(map(tf.is_symbolic_tensor, (*tensors_in([first, given]), *outputs))):
        return
    sources = [_source(trace, value) for value in read]
    arguments = {
        name: _encoded(trace, value, sources)
        for name, value in given.items()
        if value is not None and name != "training" and not _is_implied(trace, name, value, first)
    }
    if training is not None and "training" in names:
        arguments["training"] = training
    number, weights = _number(trace, layer)
    node = trace.add(
        kind.__name__,
        "layer",
        sources,
        outputs[0],
        config=config_of(layer),
        name=str(layer.name)[:_FIGURE_CHARS],
        call_arguments=json.loads(json.dumps(arguments, default=_figure)),
        parameters=sum(int(np.prod(variable.shape)) for variable in layer.weights),
        weights=weights,
        layer=number,
    )
    trace.masks[node] = mask_of(outputs[0])
    for position, value in enumerate(outputs[1:], 1):
        if id(value) not in trace.by_identity:
            part = trace.operation("part", (node,), value, {"index": position})
            trace.masks[part] = mask_of(value)
    for value in outputs:
        mask = mask_of(value)
        if mask is not None and id(mask) not in trace.by_identity:
            trace.keep_alive.append(mask)
            trace.operation("mask", (trace.by_identity[id(value)],), mask)


def mask_of(value: Any) -> Any:
    """The mask that travels with a tensor, or None."""
    return getattr(value, "_keras_mask", None)


def _source(trace: Trace, value: Any, like: int | None = None) -> int:
    """The node of a tensor with the mask it has here."""
    node = resolve(trace, value, like)
    mask, natural = trace.masks_before.get(id(value)), trace.masks.get(node)
    if mask is natural:
        return node
    if mask is None:
        stripped = trace.operation("identity", (node,), tf.identity(value))
        trace.remember(value, stripped)
        return stripped
    if natural is not None and np.array_equal(np.asarray(mask), np.asarray(natural)):
        return node
    masked = trace.operation("masked", (node, resolve(trace, mask)), tf.identity(value))
    trace.masks[masked] = mask
    trace.remember(value, masked)
    return masked


def _is_implied(trace: Trace, name: str, value: Any, first: Any) -> bool:
    """Whether an argument is the mask that the layer finds with its input anyway."""
    if name != "mask" or not isinstance(value, tf.Tensor):
        return False
    mask = trace.masks_before.get(id(first))
    return mask is not None and np.array_equal(np.asarray(mask), np.asarray(value))


def _encoded(trace: Trace, value: Any, sources: list[int]) -> Any:
    """An argument as plain data; a tensor as its place among the sources, which it joins."""
    match value:
        case dict():
            return {str(key): _encoded(trace, item, sources) for key, item in value.items()}
        case list() | tuple():
            return [_encoded(trace, item, sources) for item in value]
        case bool() | int() | float() | str() | None:
            return value
    if isinstance(value, keras.Variable | tf.Variable):
        value = tf.convert_to_tensor(value)
    if not isinstance(value, tf.Tensor | np.ndarray):
        return _figure(value)
    sources.append(_source(trace, value, sources[0] if sources else None))
    return {"input": len(sources) - 1}


def _figure(value: Any) -> str:
    return str(value)[:_FIGURE_CHARS]


@cache
def _argument_names(kind: Any) -> tuple[str, ...]:
    parameters = list(inspect.signature(kind.call).parameters.values())[1:]
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return tuple(single.name for single in parameters if single.kind not in variable)


def _number(trace: Trace, layer: Any) -> tuple[int, tuple[int, ...]]:
    identity = id(layer)
    if identity not in trace.layers:
        trace.keep_alive.append(layer)
        trace.layers[identity] = len(trace.layers)
        trace.layer_weights[identity] = tuple(_place(trace, each) for each in layer.weights)
    return trace.layers[identity], trace.layer_weights[identity]


def _place(trace: Trace, variable: Any) -> int:
    """The place of a variable's numbers among the weights; one that layers share is there once."""
    if id(variable) not in trace.variables:
        trace.variables[id(variable)] = len(trace.weights)
        trace.held.append(variable)
        trace.weights.append(plain_array(variable))
    return trace.variables[id(variable)]


# --- settings -----------------------------------------------------------------------------------


def config_of(layer: Any) -> dict[str, Any]:
    """A layer's settings as plain data, without those that matter in training only."""
    kept = _kept(_settings(layer))
    kept.pop("name", None)
    kept["dtype"] = getattr(getattr(layer, "dtype_policy", None), "name", "float32")
    if "activation" in kept:
        kept["activation"] = _activation(layer)
    config: dict[str, Any] = json.loads(json.dumps(kept, default=_figure))
    return config


def _settings(layer: Any) -> dict[str, Any]:
    """A layer's settings as Keras tells them, with a linear activation for whatever it has.

    Keras cannot write down every function that a student may use, and warns of some.
    """
    kind: Any = known_class(layer)
    function = vars(layer).get("activation")
    if function is None:
        return dict(kind.get_config(layer))
    # Past Keras' own way of setting attributes, which refuses layers that are built.
    object.__setattr__(layer, "activation", keras.activations.linear)
    try:
        return dict(kind.get_config(layer))
    finally:
        object.__setattr__(layer, "activation", function)


def _kept(value: Any) -> Any:
    """Settings without those that only matter before or during training, at every depth."""
    match value:
        case {"class_name": "DTypePolicy", "config": {"name": str() as name}}:
            return name
        case dict():
            return {
                key: _kept(item)
                for key, item in value.items()
                if not any(str(key).endswith(dropped) for dropped in _DROPPED_KEYS)
            }
        case list() | tuple():
            return [_kept(item) for item in value]
    return value


def _activation(layer: Any) -> str | dict[str, Any]:
    function = getattr(layer, "activation", None)
    if function is None or function is keras.activations.linear:
        return "linear"
    for name, known in ACTIVATIONS.items():
        if function is known:
            return name
    if type(function) in _KNOWN:
        return _as_object(type(function).__name__, config_of(function))
    probe = tf.constant(np.linspace(-4.0, 4.0, 24, dtype=np.float32).reshape(3, 8))
    try:
        answer = function(probe)
        if close(answer, probe):
            return "linear"
        found = function_named(probe, answer)
    except Exception:  # noqa: BLE001  the activation may be the student's own function
        return "unknown"
    match found:
        case (name, {"negative_slope": slope}):
            return _as_object("LeakyReLU", {"negative_slope": slope})
        case (name, config) if not config:
            return name
    return "unknown"


def _as_object(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """A layer inside another's settings, as Keras writes it."""
    return {
        "module": "keras.layers", "class_name": kind, "config": config, "registered_name": None,
    }  # fmt: skip
