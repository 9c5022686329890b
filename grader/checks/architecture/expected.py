"""The network an assignment asks for, with shapes, parameters and receptive fields."""

from __future__ import annotations

import math
from dataclasses import replace

from grader.checks.architecture.layers import DEFAULTS, Attribute, ExpectedLayer, Value
from grader.checks.architecture.sight import Sight
from grader.records.settings import (
    Conv2DPattern,
    DensePattern,
    DropoutPattern,
    FlattenPattern,
    LayerPattern,
    NetworkSettings,
)


def canonical_shape(settings: NetworkSettings, accepted: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape in which the first layer is meant to see its input, channels last.

    Args:
        settings: the first of its input shapes with the same sides as the accepted one counts.
        accepted: the input shape that the network took, batch axis left out.
    """
    if accepted is not None:
        for shape in settings.input_shapes:
            if sorted(shape) == sorted(accepted):
                return shape
    return settings.input_shapes[0]


def expected_layers(
    settings: NetworkSettings, input_shape: tuple[int, ...], num_actions: int
) -> tuple[ExpectedLayer, ...]:
    """The layers asked for, in order.

    Args:
        settings: the assignment's list of layers.
        input_shape: channels last, batch axis left out.
        num_actions: the number of actions the network was built for.
    """
    layers: list[ExpectedLayer] = []
    shape: tuple[int, ...] | None = input_shape
    sight = Sight.of_image(input_shape)
    for pattern in settings.layers:
        layer = _layer(pattern, num_actions)
        rank = None if shape is None else len(shape)
        sight = None if sight is None else sight.after(layer, rank)
        parameters = _parameters(layer, shape)
        shape = _output_shape(layer, shape)
        layers.append(
            replace(
                layer,
                output_shape=shape,
                parameters=parameters,
                sight=None if sight is None else sight.seen,
                is_output=len(layers) == len(settings.layers) - 1,
            )
        )
    return tuple(layers)


def _layer(pattern: LayerPattern, num_actions: int) -> ExpectedLayer:
    values: dict[Attribute, Value] = {}
    per_action = False
    match pattern:
        case Conv2DPattern():
            values = {
                Attribute.FILTERS: pattern.filters,
                Attribute.KERNEL_SIZE: pattern.kernel_size,
                Attribute.STRIDES: pattern.strides,
                Attribute.PADDING: pattern.padding,
                Attribute.ACTIVATION: pattern.activation,
            }
        case DensePattern():
            per_action = pattern.units == "num_actions"
            units = num_actions if isinstance(pattern.units, str) else pattern.units
            values = {Attribute.UNITS: units, Attribute.ACTIVATION: pattern.activation}
        case FlattenPattern():
            values = {}
        case DropoutPattern():
            values = {Attribute.RATE: pattern.rate}
        case _:
            values = {
                Attribute.POOL_SIZE: pattern.pool_size,
                Attribute.STRIDES: pattern.strides or pattern.pool_size,
                Attribute.PADDING: pattern.padding,
            }
    return ExpectedLayer(
        kind=pattern.layer,
        values=values | dict(DEFAULTS.get(pattern.layer, {})),
        weight=pattern.weight,
        per_action=per_action,
    )


def _pair(layer: ExpectedLayer, attribute: Attribute) -> tuple[int, int]:
    value = layer.values[attribute]
    assert isinstance(value, tuple)
    return (value[0], value[1])


def _count(layer: ExpectedLayer, attribute: Attribute) -> int:
    value = layer.values[attribute]
    assert isinstance(value, int)
    return value


def _parameters(layer: ExpectedLayer, shape: tuple[int, ...] | None) -> int | None:
    """Kernel and bias: (height · width · channels + 1) · filters, (inputs + 1) · units."""
    if layer.kind not in {"Conv2D", "Dense"}:
        return 0
    if not shape:
        return None
    if layer.kind == "Dense":
        return (shape[-1] + 1) * _count(layer, Attribute.UNITS)
    height, width = _pair(layer, Attribute.KERNEL_SIZE)
    return (height * width * shape[-1] + 1) * _count(layer, Attribute.FILTERS)


def _output_shape(layer: ExpectedLayer, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The shape after the layer; None when the layer cannot follow what stands before it."""
    if not shape:
        return None
    match layer.kind:
        case "Flatten":
            return (math.prod(shape),)
        case "Dense":
            return (*shape[:-1], _count(layer, Attribute.UNITS))
        case "Dropout":
            return shape
    if len(shape) != 3:
        return None
    convolution = layer.kind == "Conv2D"
    window = _pair(layer, Attribute.KERNEL_SIZE if convolution else Attribute.POOL_SIZE)
    sides = [
        _side(length, size, stride, same=layer.values[Attribute.PADDING] == "same")
        for length, size, stride in zip(
            shape[:2], window, _pair(layer, Attribute.STRIDES), strict=True
        )
    ]
    if min(sides) < 1:
        return None
    return (*sides, _count(layer, Attribute.FILTERS) if convolution else shape[2])


def _side(length: int, window: int, stride: int, *, same: bool) -> int:
    return -(-length // stride) if same else (length - window) // stride + 1
