"""Convolutions with the channels in front, which TensorFlow computes on a GPU only.

A student who writes `data_format="channels_first"` wrote a network that works on their machine. On
a CPU the convolution is done with the channels at the end, and the result is turned back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import keras

_LAYERS: Final = ("Conv1D", "Conv2D", "Conv3D")
_installed: set[Any] = set()


def install() -> None:
    """Lets Keras' convolutions take their channels first on a CPU; does so once."""
    for name in _LAYERS:
        # The first class that says how the layer is called; several layers may share it.
        kind = next(base for base in getattr(keras.layers, name).__mro__ if "call" in vars(base))
        if kind not in _installed:
            _installed.add(kind)
            kind.call = _turned(kind.call)


def _turned(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def turned(self: Any, inputs: Any) -> Any:
        if self.data_format != "channels_first":
            return call(self, inputs)
        axes = list(range(2, len(inputs.shape)))
        activation = self.activation  # may depend on the order of the axes
        # Past Keras' own way of setting attributes, which refuses layers that are built.
        object.__setattr__(self, "data_format", "channels_last")
        object.__setattr__(self, "activation", None)
        try:
            result = call(self, keras.ops.transpose(inputs, [0, *axes, 1]))
        finally:
            object.__setattr__(self, "data_format", "channels_first")
            object.__setattr__(self, "activation", activation)
        result = keras.ops.transpose(result, [0, len(axes) + 1, *(axis - 1 for axis in axes)])
        return result if activation is None else activation(result)

    return turned
