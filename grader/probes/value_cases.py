"""Inputs for the functions that are compared with a reference, other than the convolution.

Everything is single precision, the dtype of Keras models: an honest function may mix its arguments
with float32 constants of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.cases import Argument, Case, convolution_cases

Array = npt.NDArray[Any]
Constants = dict[str, int | float]

_HUGE: Final = 1e4


class _Draw:
    """Draws arguments; those that the assignment fixes are always the same."""

    def __init__(self, seed: int, stream: int, constants: Constants) -> None:
        self.rng = np.random.default_rng([seed, stream])
        self._constants = constants

    def fixed(self, name: str) -> bool:
        """Whether the assignment gives this argument."""
        return name in self._constants

    def constant(self, name: str, value: float) -> int | float:
        """The assignment's value for an argument, or the one for this case."""
        return self._constants.get(name, value)

    def uniform(self, low: float, high: float) -> float:
        """A number of few digits."""
        return round(float(self.rng.uniform(low, high)), 3)

    def normal(self, *shape: int, scale: float = 1.0) -> Array:
        """Normally distributed numbers."""
        return (scale * self.rng.normal(size=shape)).astype(np.float32)

    def flags(self, count: int) -> npt.NDArray[np.bool_]:
        """True and false in turn, shuffled, so that neither is missing."""
        return self.rng.permutation(np.arange(count) % 2 == 1)


def function_cases(reference: str, seed: int, constants: Constants) -> tuple[Case, ...]:
    """Calls of a function, edge cases first or last, named for what each finds out.

    Args:
        reference: what the function must compute.
        seed: the same seed draws the same cases.
        constants: arguments that are the same in every case.
    """
    if reference == "cross_correlation_2d":
        return convolution_cases(seed)
    stream = 10 + list(_CASES).index(reference)
    return tuple(_CASES[reference](_Draw(seed, stream, constants)))


# --- temporal differences -----------------------------------------------------------------------

_BATCHES: Final = (
    ("a batch in which some episodes end", 8, 4, None),
    ("no episode ends", 5, 3, False),
    ("every episode ends", 5, 3, True),
    ("a batch of one", 1, 4, False),
    ("a batch of one that ends", 1, 4, True),
    ("as many transitions as actions", 4, 4, None),
    ("two actions", 7, 2, None),
    ("negative values only", 6, 3, None),
    ("values of ten thousand", 6, 3, None),
    ("γ = 1", 6, 3, None),
    ("γ = 0", 6, 3, None),
    ("drawn at random (1)", 32, 6, None),
    ("drawn at random (2)", 17, 5, None),
)


def _batches(draw: _Draw) -> Iterator[tuple[str, int, int, Callable[[], Array], dict[str, Any]]]:
    for label, count, actions, ends in _BATCHES:
        if label in ("γ = 1", "γ = 0") and draw.fixed("gamma"):
            continue
        gamma = {"γ = 1": 1.0, "γ = 0": 0.0}.get(label, draw.uniform(0.5, 0.98))
        scale = _HUGE if "thousand" in label else 3.0
        negative = label.startswith("negative")

        def values(
            count: int = count, actions: int = actions, scale: float = scale,
            negative: bool = negative,
        ) -> Array:  # fmt: skip
            drawn = draw.normal(count, actions, scale=scale)
            return -0.5 - np.abs(drawn) if negative else drawn

        flags = draw.flags(count) if ends is None else np.full(count, ends)
        rest = {
            "rewards": draw.normal(count, scale=2.0), "dones": flags,
            "gamma": draw.constant("gamma", gamma),
        }  # fmt: skip
        yield label, count, actions, values, rest


def _bellman(draw: _Draw) -> Iterator[Case]:
    for label, _, _, values, rest in _batches(draw):
        yield Case(label, {
            "rewards": rest["rewards"], "next_q_values": values(), "dones": rest["dones"],
            "gamma": rest["gamma"]})  # fmt: skip


def _double(draw: _Draw) -> Iterator[Case]:
    for label, _, _, values, rest in _batches(draw):
        yield Case(label, {
            "rewards": rest["rewards"], "next_q_online": values(), "next_q_target": values(),
            "dones": rest["dones"], "gamma": rest["gamma"]})  # fmt: skip


def _td_error(draw: _Draw) -> Iterator[Case]:
    for label, count, actions, values, rest in _batches(draw):
        yield Case(label, {
            "q_values": values(), "actions": draw.rng.integers(actions, size=count),
            "rewards": rest["rewards"], "next_q_values": values(), "dones": rest["dones"],
            "gamma": rest["gamma"]})  # fmt: skip


def _returns(draw: _Draw) -> Iterator[Case]:
    gamma = draw.uniform(0.8, 0.95)
    sequences: list[tuple[str, Array, float]] = [
        ("an episode of seven steps", draw.normal(7), gamma),
        ("a single reward", np.array([2.5], np.float32), gamma),
        ("one reward at the end", np.array([0, 0, 0, 0, 1], np.float32), gamma),
        ("one reward at the start", np.array([1, 0, 0, 0, 0], np.float32), gamma),
        ("no reward at all", np.zeros(4, np.float32), gamma),
        ("the same reward at every step", np.ones(6, np.float32), gamma),
        ("negative rewards", -1 - np.abs(draw.normal(5)), gamma),
        ("two hundred steps", draw.normal(200), 0.99),
    ]
    if not draw.fixed("gamma"):
        sequences += [("γ = 1", draw.normal(6), 1.0), ("γ = 0", draw.normal(6), 0.0)]
    for label, rewards, value in sequences:
        yield Case(label, {"rewards": rewards, "gamma": draw.constant("gamma", value)})


# --- exploration --------------------------------------------------------------------------------


def _schedule(draw: _Draw) -> Iterator[Case]:
    runs: list[tuple[str, float, float, int]] = [("", 1.0, 0.1, 100)]
    if not all(map(draw.fixed, ("start", "end", "decay_steps"))):
        runs += [(", a short run", 0.9, 0.05, 8), (", down to 0", 1.0, 0.0, 1000)]
    for name, start, end, steps in runs:
        first, last = draw.constant("start", start), draw.constant("end", end)
        count = int(draw.constant("decay_steps", steps))
        for label, step in (
            ("the first step", 0), ("the second step", 1), ("a quarter of the way", count // 4),
            ("half of the way", count // 2), ("one step before the end", count - 1),
            ("the last step of the fall", count), ("one step later", count + 1),
            ("twice as far", 2 * count), ("a hundred times as far", 100 * count),
        ):  # fmt: skip
            yield Case(f"{label}{name}", {
                "step": step, "start": first, "end": last, "decay_steps": count})  # fmt: skip


# --- activations --------------------------------------------------------------------------------


def _activation(draw: _Draw) -> Iterator[Case]:
    yield from (
        Case("positive and negative values", {"x": draw.normal(12, scale=2.0)}),
        Case("zero", {"x": np.zeros(3, np.float32)}),
        Case("positive values only", {"x": np.abs(draw.normal(5)) + np.float32(0.1)}),
        Case("negative values only", {"x": -np.abs(draw.normal(5)) - np.float32(0.1)}),
        Case("values of ±1000", {"x": np.array([-1000, 1000, -1000, 3], np.float32)}),
        Case("values of ±100", {"x": np.array([100, -100, 0.5], np.float32)}),
        Case("values near zero", {"x": np.array([1e-4, -1e-4, 1e-3, -1e-3], np.float32)}),
        Case("a batch of vectors", {"x": draw.normal(4, 5, scale=2.0)}),
        Case("a batch of images", {"x": draw.normal(2, 3, 3, 2, scale=2.0)}),
        Case("a single element", {"x": np.array([-0.7], np.float32)}),
    )


def _scaled_activation(draw: _Draw) -> Iterator[Case]:
    for case in _activation(draw):
        alpha = draw.constant("alpha", draw.uniform(0.05, 0.4))
        yield Case(case.label, {**case.arguments, "alpha": alpha})


def _softmax(draw: _Draw) -> Iterator[Case]:
    large = draw.normal(4, 5, scale=2.0) + np.float32(1000)
    arrays: list[tuple[str, Array]] = [
        ("a batch of vectors", draw.normal(4, 5, scale=2.0)),
        ("as many vectors as classes", draw.normal(4, 4, scale=2.0)),
        ("a batch of one", draw.normal(1, 6)),
        ("equal values", np.full((2, 4), 0.3, np.float32)),
        ("values of about 1000", large),
        ("values of about −1000", -large),
        ("values of ±1000", np.array([[1000, -1000, 0], [-1000, -1000, 1000]], np.float32)),
        ("drawn at random", draw.normal(9, 3, scale=3.0)),
    ]
    if not draw.fixed("axis"):
        arrays += [("one vector", draw.normal(6)), ("one class", np.zeros((3, 1), np.float32))]
    for label, x in arrays:
        axis: dict[str, Argument] = (
            {"axis": draw.constant("axis", -1)} if draw.fixed("axis") else {}
        )
        yield Case(label, {"x": x, **axis})


def _huber(draw: _Draw) -> Iterator[Case]:
    for label, shape, factor in (
        ("small and large errors of both signs", (10,), 2.0), ("small errors", (6,), 0.2),
        ("large errors", (6,), 20.0), ("a batch", (4, 3), 2.0), ("one error", (1,), 5.0),
        ("drawn at random", (20,), 3.0),
    ):  # fmt: skip
        delta = float(draw.constant("delta", draw.uniform(0.5, 2.0)))
        signs = np.where(draw.flags(int(np.prod(shape))).reshape(shape), 1, -1)
        sizes = factor * delta * draw.rng.uniform(0.2, 1.0, shape)
        yield Case(label, {"error": (signs * sizes).astype(np.float32), "delta": delta})
    delta = float(draw.constant("delta", 1.5))
    for label, error in (
        ("no error", [0.0, 0.0]), ("errors of exactly ±δ", [delta, -delta]),
        ("errors of ten thousand", [_HUGE, -_HUGE, 0.1]),
    ):  # fmt: skip
        yield Case(label, {"error": np.array(error, np.float32), "delta": delta})


# --- arrays -------------------------------------------------------------------------------------


def _one_hot(draw: _Draw) -> Iterator[Case]:
    sizes = [("six classes", 6, 9), ("as many labels as classes", 4, 4), ("two classes", 2, 5)]
    for label, classes, count in sizes:
        number = int(draw.constant("num_classes", classes))
        labels = np.concatenate([[0, number - 1], draw.rng.integers(number, size=count - 2)])
        yield Case(label, {"labels": draw.rng.permutation(labels), "num_classes": number})
    number = int(draw.constant("num_classes", 5))
    for label, chosen in (
        ("the last class does not occur", [0, number - 2, 0]), ("one label", [number - 1]),
        ("only the first class", [0, 0, 0]), ("labels in order", list(range(number))),
    ):  # fmt: skip
        yield Case(label, {"labels": np.array(chosen), "num_classes": number})


def _pooling(draw: _Draw) -> Iterator[Case]:
    for label, shape, pool, stride in (
        ("an image that divides evenly", (6, 8), 2, 2), ("image wider than tall", (4, 10), 2, 2),
        ("a square image", (6, 6), 3, 3), ("windows that overlap", (7, 8), 3, 2),
        ("windows that overlap by all but one pixel", (5, 6), 2, 1),
        ("windows with gaps between them", (8, 9), 2, 3), ("a rest at the edge", (7, 9), 2, 2),
        ("one window", (4, 4), 4, 4), ("windows of one pixel", (3, 4), 1, 1),
        ("negative values only", (6, 6), 2, 2), ("drawn at random", (11, 9), 3, 2),
    ):  # fmt: skip
        size, step = (
            int(draw.constant(n, v)) for n, v in (("pool_size", pool), ("stride", stride))
        )
        shape = (max(shape[0], size), max(shape[1], size))
        image = draw.normal(*shape, scale=3.0)
        image = -np.abs(image) - np.float32(0.5) if label.startswith("negative") else image
        yield Case(label, {"image": image, "pool_size": size, "stride": step})


_CASES: Final[dict[str, Callable[[_Draw], Iterator[Case]]]] = {
    "bellman_target": _bellman,
    "double_dqn_target": _double,
    "td_error": _td_error,
    "discounted_returns": _returns,
    "epsilon_schedule": _schedule,
    "relu": _activation,
    "leaky_relu": _scaled_activation,
    "elu": _scaled_activation,
    "gelu": _activation,
    "softplus": _activation,
    "sigmoid": _activation,
    "tanh": _activation,
    "softmax": _softmax,
    "huber": _huber,
    "one_hot": _one_hot,
    "max_pooling_2d": _pooling,
}
