"""Operations that work number by number, and products of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import tensorflow as tf

from grader.worker.tracing.by_numbers import readable
from grader.worker.tracing.tf_call import Call, readable_number

_MOST_SCALES: Final = 16


def unary(kind: str) -> Callable[[Call], bool]:
    """A function of one tensor without parameters."""
    return lambda call: call.add(kind)


def negative(call: Call) -> bool:
    """`Neg`."""
    return call.add("affine", scale=-1.0, offset=0.0) if call.floats else False


def leaky(call: Call) -> bool:
    """`LeakyRelu`."""
    slope = float(call.attributes.get("alpha", 0.2))
    return call.add("leaky_relu", negative_slope=readable_number(slope, tf.float32))


def cast(call: Call) -> bool:
    """`Cast`."""
    if call.output.dtype == call.inputs[0].dtype:
        return call.same()
    return call.add("cast", dtype=call.output.dtype.name)


_MIRRORED: Final = {
    "greater": "less", "greater_equal": "less_equal", "less": "greater",
    "less_equal": "greater_equal",
}  # fmt: skip
_SYMMETRIC: Final = frozenset(
    {"add", "multiply", "maximum", "minimum", "equal", "not_equal", "squared_difference",
     "logical_and", "logical_or"}
)  # fmt: skip


def binary(kind: str) -> Callable[[Call], bool]:
    """A function of two tensors, or of one and constants."""

    def noted(call: Call) -> bool:
        first, second = call.fixed(0), call.fixed(1)
        if first is None and second is None:
            return call.add(kind, (0, 1))
        constant, position = (second, 0) if first is None else (first, 1)
        if constant is None:
            return False
        keeps = tuple(call.inputs[position].shape) == tuple(call.output.shape)
        if keeps and call.floats and _scaled(call, kind, constant, position):
            return True
        if keeps and constant.size == 1 and kind not in ("logical_and", "logical_or"):
            return _with_constant(call, kind, constant, position)
        return call.add(kind, (0, 1))

    return noted


def _scaled(call: Call, kind: str, constant: Any, position: int) -> bool:
    """Takes an operation with constants as scale and offset, if it is one."""
    per_channel = (
        1 <= constant.size <= _MOST_SCALES
        and constant.size in (1, *call.output.shape[-1:])
        and constant.size == (constant.shape[-1] if constant.ndim else 1)
    )
    if not per_channel or not np.isfinite(constant).all():
        return False
    dtype = call.output.dtype
    numbers = [readable_number(value, dtype) for value in constant.reshape(-1)]
    c = numbers[0] if len(numbers) == 1 else numbers
    match kind, position:
        case "add", _:
            return call.add("affine", (position,), scale=1.0, offset=c)
        case "subtract", 0:
            return call.add("affine", (0,), scale=1.0, offset=_each(c, lambda v: -v))
        case "subtract", _:
            return call.add("affine", (1,), scale=-1.0, offset=c)
        case "multiply", _:
            scale = _each(c, lambda v: readable(v, 1e-6))
            return call.add("affine", (position,), scale=scale, offset=0.0)
        case "divide", 0 if 0.0 not in numbers:
            return call.add("affine", (0,), scale=_each(c, lambda v: 1 / v), offset=0.0)
    return False


def _each(value: Any, function: Callable[[float], float]) -> Any:
    return [function(item) for item in value] if isinstance(value, list) else function(value)


def _with_constant(call: Call, kind: str, constant: Any, position: int) -> bool:
    c = readable_number(constant.reshape(-1)[0], call.inputs[position].dtype)
    if kind == "maximum" and c == 0:
        return call.add("relu", (position,))
    if kind == "power" and position == 0 and c == 2:
        return call.add("square")
    if kind == "power" and position == 0 and c == 0.5:
        return call.add("sqrt")
    if position == 0 or kind in _SYMMETRIC:
        return call.add(kind, (position,), constant=c)
    if kind in _MIRRORED:
        return call.add(_MIRRORED[kind], (position,), constant=c)
    return call.add(kind, (position,), constant=c, constant_first=True)


def several(kind: str, first: int = 0, last: int | None = None) -> Callable[[Call], bool]:
    """A function of several tensors; `first` and `last` bound which inputs they are."""
    return lambda call: call.add(kind, tuple(range(len(call.inputs))[first:last]))


def matmul(call: Call) -> bool:
    """Products of matrices."""
    names = ("transpose_a", "transpose_b"), ("adj_x", "adj_y")
    config = {
        plain: True
        for plain, other in zip(*names, strict=True)
        if call.attributes.get(plain) or call.attributes.get(other)
    }
    return call.add("matmul", (0, 1), **config)


def einsum(call: Call) -> bool:
    """`Einsum`."""
    equation = call.attributes.get("equation", b"")
    text = equation.decode() if isinstance(equation, bytes) else str(equation)
    return call.add("einsum", tuple(range(len(call.inputs))), equation=text)


def clip(call: Call) -> bool:
    """`ClipByValue`."""
    low, high = call.fixed(1), call.fixed(2)
    if low is None or high is None or low.size != 1 or high.size != 1:
        return False
    return call.add(
        "clip", low=readable_number(low, tf.float32), high=readable_number(high, tf.float32)
    )
