"""The part of the network asked for that has feature maps, as a chain of concrete layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.records.arithmetic import evaluate
from grader.records.network_settings import NetworkSettings

_SEED: Final = 83
_SKIPPED: Final = frozenset(
    {"preprocessing", "anything", "Dropout", "SpatialDropout2D", "GaussianDropout",
     "GaussianNoise", "BatchNormalization", "LayerNormalization"}
)  # fmt: skip
"""What changes no feature map of a network that has not been trained by more than its scale."""
_POOLINGS: Final = frozenset({"MaxPooling2D", "AveragePooling2D"})


@dataclass(frozen=True)
class ExpectedLayer:
    """A layer with values for everything, where the assignment may allow several."""

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)
    kernel_shape: tuple[int, ...] | None = None
    """Height, width, channels and filters; None for what is no convolution."""
    window: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    activation: str = "linear"


def expected_stack(
    settings: NetworkSettings, channels: int, most: int
) -> tuple[ExpectedLayer, ...]:
    """The layers from the input to the last convolution of a chain.

    Args:
        settings: the assignment's network. Of several allowed values the first is taken, of a
            range its lower end.
        channels: of the image.
        most: how many convolutions at most.
    """
    stack: list[ExpectedLayer] = []
    for entry in settings.layers:
        described = entry.plain()
        kind = described["layer"]
        if kind in _SKIPPED:
            continue
        if described.get("reads"):
            break
        layer: ExpectedLayer | None = None
        if kind == "Conv2D":
            layer = _convolution(described, settings.builder_arguments[0], channels)
        elif kind in _POOLINGS:
            layer = _pooling(described)
        elif kind == "Activation" and stack and isinstance(described["activation"], str):
            name = described["activation"]
            layer = ExpectedLayer("Activation", {"activation": name}, activation=name)
        if layer is None:
            break
        stack.append(layer)
        if layer.kernel_shape is not None:
            channels = layer.kernel_shape[-1]
        if sum(item.kernel_shape is not None for item in stack) == most:
            break
    while stack and stack[-1].kernel_shape is None:
        stack.pop()
    return tuple(stack)


def seeded_kernel(shape: tuple[int, ...], number: int) -> npt.NDArray[np.float32]:
    """A kernel as He et al. 2015 (section 2.2) draw it, the same in every run.

    Args:
        shape: height, width, channels and filters.
        number: of the convolution, from 0; each gets another one.
    """
    fan_in = int(np.prod(shape[:-1]))
    generator = np.random.default_rng([_SEED, number])
    return generator.normal(0.0, np.sqrt(2 / fan_in), shape).astype(np.float32)


def _convolution(
    described: Mapping[str, Any], arguments: Mapping[str, Any], channels: int
) -> ExpectedLayer | None:
    window = _window(described["kernel_size"])
    strides = (1, 1) if described["strides"] == "any" else _window(described["strides"])
    filters = _whole(described["filters"], arguments)
    plain = described.get("dilation_rate", 1) in (1, [1, 1]) and described.get("groups", 1) == 1
    if window is None or strides is None or filters is None or not plain:
        return None
    activation = _first(described["activation"], "linear")
    padding = _first(described["padding"], "valid")
    return ExpectedLayer(
        kind="Conv2D",
        settings={
            "filters": filters, "kernel_size": window, "strides": strides, "padding": padding,
            "activation": activation,
        },
        kernel_shape=(*window, channels, filters),
        window=window,
        strides=strides,
        activation=activation,
    )  # fmt: skip


def _pooling(described: Mapping[str, Any]) -> ExpectedLayer | None:
    window = _window(described["pool_size"])
    strides = described.get("strides")
    steps = window if strides in (None, "any") else _window(strides)
    if window is None or steps is None:
        return None
    padding = _first(described["padding"], "valid")
    return ExpectedLayer(
        described["layer"], {"pool_size": window, "strides": steps, "padding": padding}
    )


def _first(value: Any, otherwise: str) -> str:
    """A word, or the first of several that are allowed."""
    if isinstance(value, dict):
        value = value["one_of"][0]
    return otherwise if value == "any" else str(value)


def _whole(value: Any, arguments: Mapping[str, Any]) -> int | None:
    if isinstance(value, dict):
        value = value["one_of"][0] if "one_of" in value else value.get("min") or value.get("max")
    if isinstance(value, str):
        return None if value == "any" else evaluate(value, arguments)
    return int(value)


def _window(value: Any) -> tuple[int, int] | None:
    if isinstance(value, dict):
        value = value["one_of"][0] if "one_of" in value else value.get("min") or value.get("max")
    if isinstance(value, list):
        return (int(value[0]), int(value[1])) if len(value) == 2 else None
    return None if value == "any" else (int(value), int(value))
