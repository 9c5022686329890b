"""The grader's small fully connected network in numpy: its loss, and the right training of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


def _forward(weights: Sequence[Array], states: Array) -> list[Floats]:
    """Inputs of every layer and the outputs of the last; ReLU between layers."""
    values: list[Floats] = [np.asarray(states, np.float64)]
    for layer in range(0, len(weights), 2):
        result: Floats = values[-1] @ weights[layer] + weights[layer + 1]
        last = layer == len(weights) - 2
        values.append(result if last else np.maximum(result, 0))
    return values


def mean_huber(
    weights: Sequence[Array], states: Array, targets: Array, delta: float
) -> float | None:
    """The mean Huber loss of the network's answers; None where it is not finite.

    Args:
        weights: kernel and bias of each layer in turn.
        states: shape (batch, features).
        targets: shape (batch, outputs).
        delta: where the loss turns from quadratic to linear.
    """
    with np.errstate(all="ignore"):
        size = np.abs(_forward(weights, states)[-1] - targets)
        near = np.minimum(size, delta)
        loss = float(np.mean(near * (size - near / 2)))
    return loss if np.isfinite(loss) else None


def descended(
    weights: Sequence[Array],
    batches: Sequence[tuple[Array, Array]],
    rate: float,
    delta: float,
) -> list[Floats]:
    """The weights after one step of gradient descent on the mean Huber loss of each batch.

    Args:
        weights: kernel and bias of each layer in turn.
        batches: states and targets.
        rate: learning rate.
        delta: where the loss turns from quadratic to linear.
    """
    moved = [np.asarray(array, np.float64) for array in weights]
    for states, targets in batches:
        values = _forward(moved, states)
        slope: Floats = np.clip(values[-1] - targets, -delta, delta) / targets.size
        for layer in range(len(moved) - 2, -1, -2):
            inputs = values[layer // 2]
            back = (slope @ moved[layer].T) * (inputs > 0)
            moved[layer] = moved[layer] - rate * inputs.T @ slope
            moved[layer + 1] = moved[layer + 1] - rate * slope.sum(axis=0)
            slope = back
    return moved
