"""The grader's own networks that students' updates and training steps are tried on."""

from __future__ import annotations

import keras


def normalized(inputs: int, units: int, outputs: int) -> keras.Model:
    """A small network with batch normalisation: two of its weights are not trained.

    Args:
        inputs: length of an input.
        units: width of the layer that is normalised.
        outputs: length of an output.
    """
    return keras.Sequential([
        keras.Input((inputs,)),
        keras.layers.Dense(units, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(outputs),
    ])  # fmt: skip


def freeze(model: keras.Model, layer: int) -> None:
    """Keeps a layer's weights out of training.

    Args:
        model: one of the grader's own.
        layer: its place among the layers that have weights.
    """
    [each for each in model.layers if each.weights][layer].trainable = False
