"""The operations known between layers, each with few and bounded parameters.

The student's worker names an operation and its parameters; the inspector runs it from here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import tensorflow as tf

from grader.worker.layers import ACTIVATIONS

Function = Callable[..., Any]
Config = dict[str, Any]

_MOST_COPIES: Final = 4096
_MOST_CLASSES: Final = 1 << 16
_MOST_AXES: Final = 8


class Unbounded(ValueError):
    """A parameter is larger than any network of this subject has use for."""


UNARY: Final[dict[str, Function]] = {
    "identity": tf.identity,
    "stop_gradient": tf.stop_gradient,
    "absolute": tf.abs,
    "log": tf.math.log,
    "log1p": tf.math.log1p,
    "expm1": tf.math.expm1,
    "square": tf.square,
    "sqrt": tf.sqrt,
    "rsqrt": tf.math.rsqrt,
    "sign": tf.sign,
    "floor": tf.floor,
    "ceil": tf.math.ceil,
    "round": tf.round,
    "erf": tf.math.erf,
    "erfc": tf.math.erfc,
    "reciprocal": tf.math.reciprocal,
    "logical_not": tf.logical_not,
}
"""Functions of one tensor without parameters, beside the activations."""

BINARY: Final[dict[str, Function]] = {
    "subtract": tf.subtract,
    "divide": tf.divide,
    "power": tf.pow,
    "floor_divide": tf.math.floordiv,
    "modulo": tf.math.floormod,
    "squared_difference": tf.math.squared_difference,
    "greater": tf.greater,
    "greater_equal": tf.greater_equal,
    "less": tf.less,
    "less_equal": tf.less_equal,
    "equal": tf.equal,
    "not_equal": tf.not_equal,
    "logical_and": tf.logical_and,
    "logical_or": tf.logical_or,
}
"""Functions of two tensors, or of one and the number `constant`."""


def _sum(*tensors: Any) -> Any:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total


def _folded(function: Function) -> Function:
    def folded(*tensors: Any) -> Any:
        result = tensors[0]
        for tensor in tensors[1:]:
            result = function(result, tensor)
        return result

    return folded


MERGES: Final[dict[str, Function]] = {
    "add": _sum,
    "multiply": _folded(tf.multiply),
    "subtract": tf.subtract,
    "maximum": _folded(tf.maximum),
    "minimum": _folded(tf.minimum),
    "average": lambda *tensors: _sum(*tensors) / len(tensors),
}
"""Functions of several tensors that broadcast."""

REDUCTIONS: Final[dict[str, Function]] = {
    "reduce_mean": tf.reduce_mean,
    "reduce_sum": tf.reduce_sum,
    "reduce_max": tf.reduce_max,
    "reduce_min": tf.reduce_min,
    "reduce_prod": tf.reduce_prod,
    "reduce_all": tf.reduce_all,
    "reduce_any": tf.reduce_any,
}
"""Functions that do away with the axes in `axis`, or leave them with one element."""

_FLOATS: Final = ("float16", "bfloat16", "float32", "float64")
_DTYPES: Final = (*_FLOATS, "bool", "uint8", "int8", "int16", "int32", "int64")


def _whole(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise Unbounded(f"{value!r} is no whole number between {low} and {high}")
    return value


def _axes(values: Any) -> list[int]:
    return [_whole(axis, -_MOST_AXES, _MOST_AXES) for axis in values]


def _affine(config: Config) -> Function:
    scale, offset = config["scale"], config["offset"]

    def affine(x: Any) -> Any:
        x = x if x.dtype.is_floating else tf.cast(x, tf.float32)
        return x * tf.constant(scale, x.dtype) + tf.constant(offset, x.dtype)

    return affine


def _slice(config: Config) -> Function:
    def entry(value: Any) -> Any:
        match value:
            case "newaxis":
                return tf.newaxis
            case int():
                return value
            case [start, stop, step]:
                return slice(start, stop, step)
        raise Unbounded("an index is none")

    index = tuple(entry(value) for value in config["index"][: 2 * _MOST_AXES])
    return lambda x: x[index]


def _tile(config: Config) -> Function:
    multiples = [_whole(times, 0, _MOST_COPIES) for times in config["multiples"]]
    return lambda x: tf.tile(x, multiples)


def _pad(config: Config) -> Function:
    paddings = [[_whole(side, 0, _MOST_COPIES) for side in pair] for pair in config["paddings"]]
    mode, value = str(config["mode"]), float(config.get("value", 0.0))
    return lambda x: tf.pad(x, paddings, mode, tf.cast(value, x.dtype))


def _one_hot(config: Config) -> Function:
    depth = _whole(config["depth"], 0, _MOST_CLASSES)
    axis = _whole(config.get("axis", -1), -1, _MOST_AXES)
    dtype = tf.as_dtype(_one_of(config["dtype"], _DTYPES))
    on, off = (tf.cast(config.get(name, value), dtype) for name, value in (("on", 1), ("off", 0)))
    return lambda x: tf.one_hot(tf.cast(x, tf.int32), depth, on, off, axis, dtype)


def _one_of(value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise Unbounded(f"{str(value)[:40]!r} is none of {', '.join(allowed)}")
    return str(value)


def _reshape(config: Config) -> Function:
    target = [_whole(side, 0, 1 << 26) for side in config["target_shape"][:_MOST_AXES]]
    # Empty tensors and those whose batch axis is folded have a first axis of their own.
    return lambda x: tf.reshape(x, [-1 if 0 not in target else tf.shape(x)[0], *target])


def _binary(kind: str, config: Config) -> Function:
    function = BINARY.get(kind) or MERGES[kind]
    if "constant" not in config:
        return function
    constant = float(config["constant"])
    if config.get("constant_first"):
        return lambda x: function(tf.cast(constant, x.dtype), x)
    return lambda x: function(x, tf.cast(constant, x.dtype))


def _pool(kind: str, config: Config) -> Function:
    size = [_whole(side, 1, _MOST_COPIES) for side in config["pool_size"]]
    strides = [_whole(side, 1, _MOST_COPIES) for side in config["strides"]]
    padding = _one_of(config["padding"], ("VALID", "SAME"))
    function = tf.nn.max_pool2d if kind == "max_pool" else tf.nn.avg_pool2d
    return lambda x: function(x, size, strides, padding)


def _resize(config: Config) -> Function:
    size = [_whole(side, 1, _MOST_COPIES) for side in config["size"]]
    method = _one_of(config["method"], ("bilinear", "nearest"))
    return lambda x: tf.image.resize(x, size, method)


_WITH_PARAMETERS: Final[dict[str, Callable[[Config], Function]]] = {
    "affine": _affine,
    "transpose": lambda c: lambda x: tf.transpose(x, _axes(c["permutation"])),
    "flatten": _reshape,
    "reshape": _reshape,
    "cast": lambda c: (
        lambda x: tf.cast(x, _one_of(c.get("dtype", "float32"), _DTYPES))
    ),
    "concatenate": lambda c: lambda *xs: tf.concat(xs, _axes([c.get("axis", -1)])[0]),
    "stack": lambda c: lambda *xs: tf.stack(xs, _axes([c["axis"]])[0]),
    "squeeze": lambda c: lambda x: tf.squeeze(x, _axes(c["axis"])),
    "expand_dims": lambda c: lambda x: tf.expand_dims(x, _axes([c["axis"]])[0]),
    "reverse": lambda c: lambda x: tf.reverse(x, _axes(c["axis"])),
    "arg_max": lambda c: lambda x: tf.argmax(x, _axes([c["axis"]])[0], tf.int64),
    "slice": _slice,
    "tile": _tile,
    "pad": _pad,
    "one_hot": _one_hot,
    "matmul": lambda c: lambda a, b: tf.matmul(
        a, b, transpose_a=bool(c.get("transpose_a")), transpose_b=bool(c.get("transpose_b"))
    ),
    "where": lambda _: lambda condition, a, b: tf.where(condition, a, b),
    "gather": lambda c: (
        lambda x: tf.gather(x, [_whole(i, 0, 1 << 24) for i in c["indices"]],
                            axis=_axes([c["axis"]])[0])
    ),
    "leaky_relu": lambda c: lambda x: tf.nn.leaky_relu(x, float(c.get("negative_slope", 0.2))),
    "clip": lambda c: lambda x: tf.clip_by_value(x, float(c["low"]), float(c["high"])),
    "gelu": lambda c: (
        lambda x: tf.nn.gelu(x, approximate=c.get("approximate") is True)
    ),
    "einsum": lambda c: lambda *xs: tf.einsum(str(c["equation"])[:100], *xs),
    "resize": _resize,
    "max_pool": lambda c: _pool("max_pool", c),
    "avg_pool": lambda c: _pool("avg_pool", c),
}  # fmt: skip


def operation(kind: str, config: Config) -> Function:
    """The function of a known operation.

    Args:
        kind: its name in a graph.
        config: its parameters.

    Raises:
        KeyError: there is no such operation.
        Unbounded: a parameter is out of bounds.
    """
    if kind in _WITH_PARAMETERS:
        return _WITH_PARAMETERS[kind](config)
    if kind in REDUCTIONS:
        axis, keep = _axes(config["axis"]), bool(config["keepdims"])
        return lambda x: REDUCTIONS[kind](x, axis, keep)
    if kind in UNARY:
        return UNARY[kind]
    if kind in BINARY or (kind in MERGES and "constant" in config):
        return _binary(kind, config)
    if kind in MERGES:
        return MERGES[kind]
    return ACTIVATIONS[kind]


def broadcast_rows(value: Any, like: Any) -> Any:
    """A constant repeated for each row of a batch: (…) to (batch, …)."""
    value = tf.convert_to_tensor(value)
    return tf.broadcast_to(value, tf.concat([tf.shape(like)[:1], tf.shape(value)], 0))
