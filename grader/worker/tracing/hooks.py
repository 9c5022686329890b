"""What is put in place while one forward pass is followed, and taken away after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from grader.worker.layers import tensors_in
from grader.worker.tracing.layer_calls import (
    is_in_disguise,
    known_class,
    mask_of,
    record_call,
)
from grader.worker.tracing.record import Aside, TooLarge, Trace
from grader.worker.tracing.sources import resolve
from grader.worker.tracing.tf_operations import note

_CONTAINERS: Final = frozenset({"Functional", "Sequential", "Model"})


@contextlib.contextmanager
def hooked(trace: Trace, training: bool) -> Iterator[None]:
    """Has every layer and every operation between layers recorded.

    Args:
        trace: where to.
        training: what the network is told.
    """
    call_layer, call_operation = keras.layers.Layer.__call__, keras.Operation.__call__
    told = [training]

    def layer_called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if trace.inside_leaf:
            return call_layer(layer, *args, **kwargs)
        given = kwargs.get("training")
        told.append(told[-1] if given is None else bool(given))
        try:
            if known_class(layer) is not None:
                other = None if told[-1] == training else told[-1]
                return _leaf_called(trace, call_layer, layer, args, kwargs, other)
            if is_in_disguise(layer):
                return _disguise_called(trace, call_layer, layer, args, kwargs)
            return _container_called(trace, call_layer, layer, args, kwargs)
        finally:
            told.pop()

    def operation_called(operation: Any, *args: Any, **kwargs: Any) -> Any:
        result = call_operation(operation, *args, **kwargs)
        unseen = not trace.by_operations and not trace.inside_leaf
        if unseen and not isinstance(operation, keras.layers.Layer):
            for value in tensors_in(result):
                # Shapes and masks are no values that a layer computes.
                symbolic = tf.is_symbolic_tensor(value)
                if not symbolic and value.shape.rank and value.dtype.is_floating:
                    resolve(trace, value)
        return result

    keras.layers.Layer.__call__ = layer_called
    keras.Operation.__call__ = operation_called
    # A `call` under tf.function would show symbols instead of numbers.
    eager = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        with _operations_noted(trace):
            yield
    finally:
        keras.layers.Layer.__call__ = call_layer
        keras.Operation.__call__ = call_operation
        tf.config.run_functions_eagerly(eager)


def _leaf_called(
    trace: Trace, call: Callable[..., Any], layer: Any, args: Any, kwargs: Any, other: bool | None
) -> Any:
    trace.inside_leaf = True
    try:
        trace.masks_before = {id(value): mask_of(value) for value in tensors_in([args, kwargs])}
        result = _own(call(layer, *args, **kwargs), set(trace.masks_before))
        try:
            record_call(trace, layer, args, kwargs, result, other)
        except TooLarge:
            raise
        except Exception:  # noqa: BLE001  settings that cannot be read are nobody's error
            _add_unknown(trace, layer, tensors_in([args, kwargs]), tensors_in(result))
        return result
    finally:
        trace.inside_leaf = False


def _disguise_called(
    trace: Trace, call: Callable[..., Any], layer: Any, args: Any, kwargs: Any
) -> Any:
    """Calls a layer that is made from a known one and computes something else: one unknown node."""
    trace.inside_leaf = True
    read = tensors_in([args, kwargs])
    try:
        result = _own(call(layer, *args, **kwargs), {id(value) for value in read})
        _add_unknown(trace, layer, read, tensors_in(result))
        return result
    finally:
        trace.inside_leaf = False


def _add_unknown(trace: Trace, layer: Any, read: list[Any], outputs: list[Any]) -> None:
    """Adds a layer as code that nothing is known of."""
    if any(map(tf.is_symbolic_tensor, (*read, *outputs))):
        return
    sources = [resolve(trace, value) for value in read]
    variables = frozenset((id(item), int(np.prod(item.shape))) for item in layer.weights)
    trace.calls += 1
    trace.owners.append((type(layer).__name__[:100], trace.calls))
    for value in outputs:
        trace.unknown(sources, value, variables)
    trace.owners.pop()


def _own(result: Any, read: set[int]) -> Any:
    """What a layer answered, with tensors of its own in place of those it handed through.

    A dropout hands its input on as it is; a layer that reads the input must not seem to read the
    dropout.
    """
    if isinstance(result, dict):
        return {name: _own(value, read) for name, value in result.items()}
    if isinstance(result, list | tuple):
        return type(result)(_own(value, read) for value in result)
    if id(result) not in read or not isinstance(result, tf.Tensor) or tf.is_symbolic_tensor(result):
        return result
    copied = tf.identity(result)
    mask = mask_of(result)
    if mask is not None:
        copied._keras_mask = mask  # noqa: SLF001  where Keras keeps masks
    return copied


def _container_called(
    trace: Trace, call: Callable[..., Any], layer: Any, args: Any, kwargs: Any
) -> Any:
    name = type(layer).__name__
    if name in _CONTAINERS and type(layer).__module__.startswith("keras."):
        return call(layer, *args, **kwargs)
    trace.calls += 1
    trace.owners.append((name[:100], trace.calls))
    try:
        return call(layer, *args, **kwargs)
    finally:
        trace.owners.pop()


@contextlib.contextmanager
def _operations_noted(trace: Trace) -> Iterator[None]:
    """Has TensorFlow tell of its operations, where it can; sets `by_operations` accordingly."""

    def told(
        name: Any, inputs: Any, attributes: Any, outputs: Any, op_name: Any = None,
        graph: Any = None,
    ) -> None:  # fmt: skip
        del op_name
        if graph is not None or trace.inside_leaf or any(map(tf.is_symbolic_tensor, outputs)):
            return
        # Identities are those of the tensors, which must not be used twice.
        trace.keep_alive.append(outputs)
        plain = name.decode() if isinstance(name, bytes) else str(name)
        settings = dict(zip(attributes[::2], attributes[1::2], strict=False)) if attributes else {}
        trace.inside_leaf = True  # operations of the recording itself are not to be recorded
        try:
            note(trace, plain, tuple(inputs), settings, tuple(outputs))
        except TooLarge:
            raise
        except Exception:  # noqa: BLE001  an operation that is not understood is nobody's error
            for value in outputs:
                trace.set_aside(value, Aside(value, fixed=False))
        finally:
            trace.inside_leaf = False

    trace.by_operations = operations_are_told()
    if not trace.by_operations:
        yield
        return
    callbacks = _callbacks()
    callbacks.add_op_callback(told)
    try:
        yield
    finally:
        callbacks.remove_op_callback(told)


def _callbacks() -> Any:
    from tensorflow.python.framework import op_callbacks

    return op_callbacks


def operations_are_told() -> bool:
    """Whether this version of TensorFlow tells of the operations it runs; it is tried."""
    heard: list[Any] = []

    def listen(name: Any, *_: Any, **__: Any) -> None:
        heard.append(name)

    one = tf.constant(1.0)
    try:
        callbacks = _callbacks()
        callbacks.add_op_callback(listen)
        try:
            tf.abs(one)
        finally:
            callbacks.remove_op_callback(listen)
    except (ImportError, AttributeError, TypeError):
        return False
    return [name if isinstance(name, str) else name.decode() for name in heard] == ["Abs"]
