"""What the inspector answers for pictures: values inside a network, and of the one asked for."""

from __future__ import annotations

from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from grader.worker import inspector

_KINDS: Final[dict[str, Any]] = {
    "Conv2D": keras.layers.Conv2D,
    "MaxPooling2D": keras.layers.MaxPooling2D,
    "AveragePooling2D": keras.layers.AveragePooling2D,
    "Activation": keras.layers.Activation,
}


def picture_values(request: dict[str, Any]) -> dict[str, list[Any]]:
    """Values of nodes of a rebuilt network, and of the convolutions asked for beside them.

    Args:
        request: a `PictureValues`.

    Returns:
        `values` of the nodes, and `expected` values after each convolution of `stack`.

    Raises:
        inspector.CannotRebuild: the graph is not what it says.
    """
    graph, inputs = request["graph"], request["inputs"]
    entry = request["entry"]
    (values,) = inspector.rebuild(
        graph | {"outputs": [*request["nodes"], entry]}, request["weights"], (inputs,)
    )
    read = np.asarray(values.pop())
    seen = read if list(read.shape) == list(request["image"].shape) else request["image"]
    return {
        "values": values,
        "entry": [seen],
        "expected": _expected(request["stack"], request["stack_weights"], seen),
    }


def _expected(
    layers: tuple[dict[str, Any], ...], weights: tuple[Any, ...], image: Any
) -> list[Any]:
    """Values after each convolution of a chain of layers, as far as they fit into the image.

    Args:
        layers: `kind`, and `settings` as keyword arguments.
        weights: kernel and bias of each convolution in turn.
        image: shape (batch, height, width, channels).
    """
    left, values = list(weights), []
    value = tf.constant(np.asarray(image, np.float32))
    for described in layers:
        settings = {
            name: tuple(item) if isinstance(item, list) else item
            for name, item in described["settings"].items()
        }
        layer = _KINDS[described["kind"]](**settings)
        try:
            layer.build(value.shape)
            if described["kind"] == "Conv2D":
                layer.set_weights(left[:2])
                del left[:2]
            value = layer(value)
        except ValueError:
            break  # the image is too small for it
        if described["kind"] == "Conv2D":
            values.append(value.numpy())
    return values
