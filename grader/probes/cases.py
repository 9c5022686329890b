"""Inputs that student functions are asked with, drawn in the trusted process.

Pure functions of a seed: what is drawn depends on nothing else. Every case is named for what it
finds out, because the name is what the student reads when it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from grader.records.settings import TrainingSettings

Argument = npt.NDArray[Any] | int | float

RANDOM_CONVOLUTIONS: Final = 5
RANDOM_LOSSES: Final = 3
_HUGE: Final = 1e6


@dataclass(frozen=True, eq=False)
class Case:
    """One call of a student's function."""

    label: str
    """What the case finds out."""
    arguments: dict[str, Argument]
    """Arguments by name, in the order in which they are offered."""


class Batch(NamedTuple):
    """States and the values that the network should have given for them."""

    states: npt.NDArray[np.float32]
    """Shape (batch, features)."""
    targets: npt.NDArray[np.float32]
    """Shape (batch, num_actions)."""


class TrainingBatches(NamedTuple):
    """The batch that is trained on, and one from the same source that the student never sees."""

    training: Batch
    held_out: Batch


def _normal(
    rng: np.random.Generator, *shape: int, dtype: npt.DTypeLike = np.float64
) -> npt.NDArray[Any]:
    return rng.normal(size=shape).astype(dtype)


def convolution_cases(seed: int) -> tuple[Case, ...]:
    """Calls of a 2-D cross-correlation: `image` and `kernel` arrays, `stride` an int.

    One case leaves `stride` out, for the default of 1. Every image is at least as large as its
    kernel.

    Args:
        seed: the same seed draws the same cases.
    """
    rng = np.random.default_rng([seed, 1])

    def floats(label: str, image: tuple[int, int], kernel: tuple[int, int], stride: int) -> Case:
        return Case(
            label,
            {"image": _normal(rng, *image), "kernel": _normal(rng, *kernel), "stride": stride},
        )

    def whole(low: int, high: int, shape: tuple[int, int], dtype: npt.DTypeLike) -> Argument:
        return rng.integers(low, high, size=shape, endpoint=True).astype(dtype)

    edge = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 0.0], [-3.0, 0.0, 0.5]])
    cases = [
        Case("asymmetric kernel", {"image": _normal(rng, 7, 7), "kernel": edge, "stride": 1}),
        floats("image wider than tall", (5, 9), (3, 3), 1),
        floats("image taller than wide", (9, 5), (3, 3), 1),
        floats("kernel wider than tall", (6, 7), (2, 4), 1),
        floats("kernel taller than wide", (7, 6), (4, 2), 1),
        floats("kernel with even sides", (6, 6), (2, 2), 1),
        floats("1×1 kernel", (4, 5), (1, 1), 1),
        floats("1×1 kernel, stride 2", (5, 7), (1, 1), 2),
        floats("kernel as large as the image", (4, 5), (4, 5), 1),
        floats("kernel as large as the image, stride 3", (3, 4), (3, 4), 3),
        floats("stride 2", (9, 9), (3, 3), 2),
        floats("stride 3", (11, 8), (2, 2), 3),
        floats("stride 2 that leaves a rest", (8, 10), (3, 3), 2),
        floats("stride 3 that leaves a rest", (10, 9), (2, 4), 3),
        floats("stride larger than the kernel", (10, 7), (2, 2), 4),
        Case("stride left out", {"image": _normal(rng, 5, 6), "kernel": _normal(rng, 2, 3)}),
        Case("uint8 image and kernel", {
            "image": whole(150, 255, (6, 5), np.uint8),
            "kernel": whole(2, 9, (3, 2), np.uint8), "stride": 1}),
        Case("uint8 image, kernel with negative integers", {
            "image": whole(100, 255, (5, 6), np.uint8),
            "kernel": whole(-9, -1, (2, 3), np.int8), "stride": 1}),
        Case("uint8 image, fractional kernel", {
            "image": whole(100, 255, (8, 8), np.uint8),
            "kernel": _normal(rng, 3, 3), "stride": 2}),
        Case("integer image, fractional kernel", {
            "image": whole(-9, 9, (6, 6), np.int64),
            "kernel": _normal(rng, 2, 3), "stride": 1}),
        Case("negative values only", {
            "image": -1 - rng.random((6, 6)), "kernel": 0.1 + rng.random((3, 3)), "stride": 1}),
        Case("float32 image and kernel", {
            "image": _normal(rng, 7, 8, dtype=np.float32),
            "kernel": _normal(rng, 3, 2, dtype=np.float32), "stride": 2}),
    ]  # fmt: skip
    for number in range(1, RANDOM_CONVOLUTIONS + 1):
        kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        image = (kernel[0] + int(rng.integers(2, 9)), kernel[1] + int(rng.integers(2, 9)))
        cases.append(floats(f"drawn at random ({number})", image, kernel, int(rng.integers(1, 4))))
    return tuple(cases)


def loss_cases(seed: int, delta: float = 1.0) -> tuple[Case, ...]:
    """Calls of a Huber loss: `y_true` and `y_pred`, float32 arrays of one shape.

    All are float32, the dtype of Keras models: an honest loss may mix its arguments with float32
    constants. `y_pred` is the last argument, the one the gradient is taken with respect to.

    Args:
        seed: the same seed draws the same cases.
        delta: where the loss turns from quadratic to linear; the cases lie on both sides of it.
    """
    rng = np.random.default_rng([seed, 2])

    def signs(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        return rng.choice([-1.0, 1.0], size=shape)

    def small(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        return delta * rng.uniform(0.05, 0.9, shape) * signs(shape)

    def large(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        return delta * rng.uniform(1.5, 6.0, shape) * signs(shape)

    def both(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        # Every other error is large, so that no draw leaves one of the two branches out.
        odd = (np.arange(int(np.prod(shape))) % 2 == 1).reshape(shape)
        return np.where(odd, large(shape), small(shape))

    def case(
        label: str,
        shape: tuple[int, ...],
        errors: Callable[[tuple[int, ...]], npt.NDArray[np.float64]],
    ) -> Case:
        y_true = delta * rng.normal(size=shape)
        y_pred = y_true + errors(shape)
        return _loss_case(label, y_true, y_pred)

    mixed = case("small and large errors of both signs", (8, 4), both)
    one_wrong = np.zeros((6, 3))
    one_wrong[2, 1] = 2.5 * delta
    cases = [
        mixed,
        Case("the same with y_true and y_pred exchanged", {
            "y_true": mixed.arguments["y_pred"], "y_pred": mixed.arguments["y_true"]}),
        case("small errors", (8, 3), small),
        case("large errors", (8, 3), large),
        case("predictions too small by much", (5, 3), lambda shape: -np.abs(large(shape))),
        case("predictions too large by much", (5, 3), lambda shape: np.abs(large(shape))),
        case("no error at all", (4, 2), np.zeros),
        _loss_case("one wrong value among right ones", np.zeros((6, 3)), one_wrong),
        _loss_case("errors of exactly ±δ", np.zeros((2, 2)), delta * np.array([[1, -1], [-1, 1]])),
        _loss_case("errors of a million", np.zeros((2, 3)), _HUGE * signs((2, 3))),
        case("a batch of one", (1, 4), both),
        case("a single number", (1,), large),
        case("one dimension", (10,), both),
    ]  # fmt: skip
    for number in range(1, RANDOM_LOSSES + 1):
        shape = (int(rng.integers(2, 33)), int(rng.integers(2, 7)))
        cases.append(case(f"drawn at random ({number})", shape, both))
    return tuple(cases)


def _loss_case(label: str, y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any]) -> Case:
    return Case(label, {"y_true": y_true.astype(np.float32), "y_pred": y_pred.astype(np.float32)})


class LearningBatches(NamedTuple):
    """Batches to train on, in turn, and data that the student never sees, from one source."""

    training: tuple[Batch, ...]
    held_out: Batch


def learning_batches(seed: int, settings: TrainingSettings, count: int) -> LearningBatches:
    """Batches from which a network can learn a linear function of the states.

    The noise is small (a tenth of δ), so that what is learnt shows in the loss.

    Args:
        seed: the same seed and settings draw the same batches.
        settings: features, num_actions, batch_size and delta are used.
        count: batches to train on.
    """
    rng = np.random.default_rng([seed, 9])
    mapping = rng.normal(size=(settings.features, settings.num_actions))
    mapping *= 2 * settings.delta / np.sqrt(settings.features)

    def batch(size: int) -> Batch:
        states = rng.normal(size=(size, settings.features))
        noise = rng.normal(size=(size, settings.num_actions))
        targets = states @ mapping + 0.1 * settings.delta * noise
        return Batch(states.astype(np.float32), targets.astype(np.float32))

    batches = tuple(batch(settings.batch_size) for _ in range(count))
    return LearningBatches(batches, batch(8 * settings.batch_size))


def training_batches(seed: int, settings: TrainingSettings) -> TrainingBatches:
    """A batch to train on and a held-out one, from one source.

    Targets are a linear function of the states, about 2 δ in size, plus noise of about δ. A small
    network's first answers then miss them by less than δ and by much more in turn, and the
    gradients of the Huber loss (the error clipped), the squared error (the error) and the absolute
    error (its sign) point in clearly different directions.

    Args:
        seed: the same seed and settings draw the same batches.
        settings: features, num_actions, batch_size and delta are used.
    """
    rng = np.random.default_rng([seed, 3])
    mapping = rng.normal(size=(settings.features, settings.num_actions))
    mapping *= 2 * settings.delta / np.sqrt(settings.features)

    def batch() -> Batch:
        states = rng.normal(size=(settings.batch_size, settings.features))
        noise = rng.normal(size=(settings.batch_size, settings.num_actions))
        targets = states @ mapping + settings.delta * noise
        return Batch(states.astype(np.float32), targets.astype(np.float32))

    return TrainingBatches(training=batch(), held_out=batch())
