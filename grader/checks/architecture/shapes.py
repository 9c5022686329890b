"""Output shapes and numbers of parameters of the layers asked for.

The formulas are those of the layers' own definitions in Keras 3 (`compute_output_shape`, `build`).
Shapes leave the batch axis out. What cannot be told is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from grader.checks.architecture.layers import (
    ATTENTIONS,
    CONVOLUTIONS,
    DROPOUTS,
    GLOBAL_POOLINGS,
    NORMALIZATIONS,
    POOLINGS,
    RECURRENT,
    ExpectedLayer,
)
from grader.records.layer_families import FAMILIES, MERGES, Attribute

Shape = tuple[int, ...]

_GATES: Final = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
_PER_CHANNEL: Final = {
    "BatchNormalization": 4, "LayerNormalization": 2, "GroupNormalization": 2,
    "RMSNormalization": 1,
}  # fmt: skip


def output_shape(layer: ExpectedLayer, read: Sequence[Shape | None]) -> Shape | None:
    """The shape after a layer; None when it is not known or the layer cannot follow.

    Args:
        layer: the layer.
        read: the shapes it reads, in order.
    """
    if not read or any(shape is None or not shape for shape in read):
        return None
    shapes = [shape for shape in read if shape is not None]
    shape, kind = shapes[0], layer.kind
    if kind in MERGES:
        return _merged(layer, shapes)
    if kind in ATTENTIONS:
        return shape if kind == "MultiHeadAttention" else (*shape[:-1], shapes[1 % len(shapes)][-1])
    if kind in DROPOUTS | NORMALIZATIONS | {"Activation", "Masking"}:
        return shape
    if kind in RECURRENT:
        return _after_recurrent(layer, shape)
    if kind in CONVOLUTIONS | POOLINGS:
        return _after_window(layer, shape)
    return _after_core(layer, shape)


def _after_core(layer: ExpectedLayer, shape: Shape) -> Shape | None:
    match layer.kind:
        case "Flatten":
            return (math.prod(shape),)
        case "Dense":
            units = _count(layer, Attribute.UNITS)
            return None if units is None else (*shape[:-1], units)
        case "Embedding":
            size = _count(layer, Attribute.OUTPUT_DIM)
            return None if size is None else (*shape, size)
        case "Reshape":
            return _reshaped(layer, shape)
        case "Permute":
            order = layer.values[Attribute.DIMS]
            if not isinstance(order, tuple) or sorted(order) != list(range(1, len(shape) + 1)):
                return None
            return tuple(shape[axis - 1] for axis in order)
        case "RepeatVector":
            times = _count(layer, Attribute.N)
            return None if times is None else (times, *shape)
    return None


def _reshaped(layer: ExpectedLayer, shape: Shape) -> Shape | None:
    target = layer.values[Attribute.TARGET_SHAPE]
    if not isinstance(target, tuple):
        return None
    total, known = math.prod(shape), math.prod(side for side in target if side != -1)
    if target.count(-1) == 1 and known > 0 and total % known == 0:
        return tuple(total // known if side == -1 else side for side in target)
    return target if known == total and -1 not in target else None


def _after_recurrent(layer: ExpectedLayer, shape: Shape) -> Shape | None:
    units, every = _count(layer, Attribute.UNITS), layer.values[Attribute.RETURN_SEQUENCES]
    if len(shape) != 2 or units is None or not isinstance(every, bool):
        return None
    width = 2 * units if layer.values[Attribute.BIDIRECTIONAL] == "concat" else units
    return (shape[0], width) if every else (width,)


def _after_window(layer: ExpectedLayer, shape: Shape) -> Shape | None:
    rank = FAMILIES[layer.kind].rank or len(shape) - 1
    first = layer.values.get(Attribute.DATA_FORMAT) == "channels_first"
    if len(shape) != rank + 1:
        return None
    sides, channels = (shape[1:], shape[0]) if first else (shape[:-1], shape[-1])
    if layer.kind in GLOBAL_POOLINGS:
        return (*(1,) * rank, channels) if layer.values[Attribute.KEEPDIMS] is True else (channels,)
    pooling = layer.kind in POOLINGS
    window = layer.values[Attribute.POOL_SIZE if pooling else Attribute.KERNEL_SIZE]
    strides, padding = layer.values[Attribute.STRIDES], layer.values[Attribute.PADDING]
    dilation = layer.values.get(Attribute.DILATION_RATE, (1,) * rank)
    depth = channels if pooling else _depth(layer, channels)
    if not (
        isinstance(window, tuple) and isinstance(strides, tuple) and isinstance(dilation, tuple)
    ):
        return None
    if depth is None or padding not in {"same", "valid"}:
        return None
    side = _grown if layer.kind.endswith("Transpose") else _slid
    after = [
        side(length, (size - 1) * gap + 1, step, same=padding == "same")
        for length, size, gap, step in zip(sides, window, dilation, strides, strict=True)
    ]
    if min(after) < 1:
        return None
    return (depth, *after) if first else (*after, depth)


def _slid(length: int, window: int, step: int, *, same: bool) -> int:
    return -(-length // step) if same else (length - window) // step + 1


def _grown(length: int, window: int, step: int, *, same: bool) -> int:
    return length * step if same else length * step + max(window - step, 0)


def _depth(layer: ExpectedLayer, channels: int) -> int | None:
    if layer.kind.startswith("Depthwise"):
        times = _count(layer, Attribute.DEPTH_MULTIPLIER)
        return None if times is None else channels * times
    return _count(layer, Attribute.FILTERS)


def _merged(layer: ExpectedLayer, shapes: Sequence[Shape]) -> Shape | None:
    if layer.kind == "Dueling":
        return shapes[-1]
    if layer.kind == "Dot":
        return None
    if layer.kind == "Concatenate":
        axis = layer.values[Attribute.AXIS]
        if not isinstance(axis, int) or len({len(shape) for shape in shapes}) != 1:
            return None
        place = axis % len(shapes[0]) if axis < 0 else axis - 1
        rest = {shape[:place] + shape[place + 1 :] for shape in shapes}
        if len(rest) != 1 or not 0 <= place < len(shapes[0]):
            return None
        total = sum(shape[place] for shape in shapes)
        return (*shapes[0][:place], total, *shapes[0][place + 1 :])
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    sides = [{side for side in column if side != 1} for column in zip(*padded, strict=True)]
    return tuple(max(side, default=1) for side in sides) if all(len(s) < 2 for s in sides) else None


def _count(layer: ExpectedLayer, attribute: Attribute) -> int | None:
    value = layer.values.get(attribute)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parameters_of(layer: ExpectedLayer, read: Sequence[Shape | None]) -> int | None:
    """Scalars in the weights of a layer; None where that is not known.

    Args:
        layer: the layer.
        read: the shapes it reads, in order.
    """
    kind = layer.kind
    if kind == "Embedding":
        sizes = _count(layer, Attribute.INPUT_DIM), _count(layer, Attribute.OUTPUT_DIM)
        return None if None in sizes else math.prod(size for size in sizes if size is not None)
    weighted = {"Dense"} | (CONVOLUTIONS) | RECURRENT | ATTENTIONS | set(_PER_CHANNEL)
    if kind not in weighted:
        return 0
    shapes = [shape for shape in read if shape]
    if len(shapes) != len(read) or not shapes:
        return None
    first = layer.values.get(Attribute.DATA_FORMAT) == "channels_first"
    inputs = shapes[0][0] if first else shapes[0][-1]
    bias = layer.values.get(Attribute.USE_BIAS, True)
    if not isinstance(bias, bool):
        return None
    if kind in _PER_CHANNEL:
        return _PER_CHANNEL[kind] * inputs
    if kind in ATTENTIONS:
        return _of_attention(layer, shapes, bias)
    if kind in CONVOLUTIONS:
        return _of_convolution(layer, inputs, bias)
    units = _count(layer, Attribute.UNITS)
    if units is None:
        return None
    if kind == "Dense":
        return (inputs + bias) * units
    # A GRU with `reset_after`, as Keras has it by default, has two biases.
    one = _GATES[kind] * units * (inputs + units + bias * (2 if kind == "GRU" else 1))
    return one if layer.values[Attribute.BIDIRECTIONAL] == "no" else 2 * one


def _of_convolution(layer: ExpectedLayer, inputs: int, bias: bool) -> int | None:
    window = layer.values[Attribute.KERNEL_SIZE]
    if not isinstance(window, tuple):
        return None
    area = math.prod(window)
    if layer.kind.startswith(("Depthwise", "Separable")):
        times = _count(layer, Attribute.DEPTH_MULTIPLIER)
        if times is None:
            return None
        if layer.kind.startswith("Depthwise"):
            return (area + bias) * inputs * times
        filters = _count(layer, Attribute.FILTERS)
        return None if filters is None else (area + filters) * inputs * times + bias * filters
    filters, groups = _count(layer, Attribute.FILTERS), layer.values.get(Attribute.GROUPS, 1)
    if filters is None or not isinstance(groups, int):
        return None
    return (area * (inputs // groups) + bias) * filters


def _of_attention(layer: ExpectedLayer, shapes: Sequence[Shape], bias: bool) -> int | None:
    if layer.kind != "MultiHeadAttention":
        scaled = layer.values[Attribute.USE_SCALE]
        if not isinstance(scaled, bool):
            return None
        concat = layer.values.get(Attribute.SCORE_MODE) == "concat"
        return scaled * (1 if layer.kind == "Attention" else shapes[0][-1]) + concat
    heads, key = _count(layer, Attribute.NUM_HEADS), _count(layer, Attribute.KEY_DIM)
    value = _count(layer, Attribute.VALUE_DIM)
    if heads is None or key is None or value is None:
        return None
    value = value or key
    query_side = shapes[0][-1]
    value_side = shapes[1 % len(shapes)][-1]
    key_side = shapes[2][-1] if len(shapes) > 2 else value_side
    return heads * (
        (query_side + bias) * key + (key_side + bias) * key + (value_side + bias) * value
        + value * query_side
    ) + bias * query_side  # fmt: skip
