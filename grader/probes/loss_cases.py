"""Inputs for losses: targets and predictions, edge cases included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.cases import Case, loss_cases
from grader.records.function_settings import LossSettings

Array = npt.NDArray[Any]

_HUGE: Final = 1e4


def cases_of_loss(settings: LossSettings, seed: int) -> tuple[Case, ...]:
    """Calls of a loss.

    All are single precision unless the assignment asks for more: an honest loss may mix its
    arguments with float32 constants.

    Args:
        settings: the reference, δ, and whether predictions are logits.
        seed: the same seed and settings draw the same cases.
    """
    rng = np.random.default_rng([seed, 7])
    match settings.reference:
        case "huber":
            cases = list(loss_cases(seed, settings.delta))
        case "mean_squared_error" | "mean_absolute_error":
            cases = list(_regression(rng))
        case "binary_crossentropy":
            cases = list(_binary(rng, settings.from_logits))
        case "masked_q_loss":
            cases = list(_q_values(rng, settings.delta))
        case _:
            sparse = settings.reference.startswith("sparse")
            cases = list(_classes(rng, settings.from_logits, sparse))
    if settings.mixed_dtypes:
        cases += [*_doubles(cases[0], cases[-1]), *_whole_targets(cases[0])]
    return tuple(cases)


def _case(label: str, y_true: Array, y_pred: Array) -> Case:
    kept = y_true.dtype if y_true.dtype.kind in "iu" else np.float32
    return Case(label, {"y_true": y_true.astype(kept), "y_pred": y_pred.astype(np.float32)})


def _doubles(*cases: Case) -> Iterator[Case]:
    for case in cases:
        yield Case(f"{case.label}, in double precision", {
            name: value.astype(np.float64)
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
            for name, value in case.arguments.items()})  # fmt: skip


def _whole_targets(case: Case) -> Iterator[Case]:
    y_true = case.arguments.get("y_true")
    if isinstance(y_true, np.ndarray) and y_true.dtype.kind == "f":
        whole = np.rint(y_true).astype(np.int64)
        yield Case("targets that are whole numbers", {**case.arguments, "y_true": whole})


def _regression(rng: np.random.Generator) -> Iterator[Case]:
    def drawn(label: str, shape: tuple[int, ...], scale: float) -> Case:
        y_true = rng.normal(size=shape)
        return _case(label, y_true, y_true + scale * rng.normal(size=shape))

    yield drawn("errors of both signs", (8, 4), 2.0)
    yield drawn("small errors", (8, 3), 0.1)
    yield _case("no error at all", np.zeros((4, 2)), np.zeros((4, 2)))
    one = np.zeros((6, 3))
    one[2, 1] = 2.5
    yield _case("one wrong value among right ones", np.zeros((6, 3)), one)
    yield _case("predictions too small by much", np.full((3, 2), 50.0), rng.normal(size=(3, 2)))
    signs = rng.choice([-1.0, 1.0], size=(2, 3))
    yield _case("errors of ten thousand", np.zeros((2, 3)), _HUGE * signs)
    yield drawn("a batch of one", (1, 4), 2.0)
    yield drawn("one dimension", (10,), 2.0)
    yield drawn("drawn at random", (int(rng.integers(9, 33)), int(rng.integers(2, 7))), 3.0)


def _probabilities(rng: np.random.Generator, *shape: int) -> Array:
    return rng.uniform(0.05, 0.95, size=shape)


def _binary(rng: np.random.Generator, from_logits: bool) -> Iterator[Case]:
    def predictions(*shape: int) -> Array:
        return 2 * rng.normal(size=shape) if from_logits else _probabilities(rng, *shape)

    def labels(*shape: int) -> Array:
        count = int(np.prod(shape))
        return rng.permutation(np.arange(count) % 2).reshape(shape).astype(np.float64)

    yield _case("labels of both kinds", labels(8, 1), predictions(8, 1))
    yield _case("several labels each", labels(5, 3), predictions(5, 3))
    yield _case("only ones", np.ones((4, 1)), predictions(4, 1))
    yield _case("only zeros", np.zeros((4, 1)), predictions(4, 1))
    yield _case("a batch of one", np.ones((1, 1)), predictions(1, 1))
    yield _case("one dimension", labels(9), predictions(9))
    sure = np.array([[0.0], [1.0], [1.0], [0.0]])
    yield _case("sure and right", sure, 200 * sure - 100 if from_logits else sure)
    if from_logits:
        yield _case("sure and wrong", sure, 100 - 200 * sure)
    yield _case("drawn at random", labels(20, 2), predictions(20, 2))


def _classes(rng: np.random.Generator, from_logits: bool, sparse: bool) -> Iterator[Case]:
    def predictions(count: int, classes: int) -> Array:
        if from_logits:
            return 2 * rng.normal(size=(count, classes))
        weights = rng.uniform(0.1, 1.0, size=(count, classes))
        shares: Array = weights / weights.sum(axis=1, keepdims=True)
        return shares

    def case(label: str, chosen: Array, y_pred: Array) -> Case:
        y_true = chosen if sparse else np.eye(y_pred.shape[1])[chosen]
        return _case(label, y_true, y_pred)

    def labels(count: int, classes: int) -> Array:
        return rng.permutation(np.arange(count) % classes)

    for label, count, classes in (
        ("five classes", 9, 5), ("two classes", 6, 2), ("as many examples as classes", 4, 4),
        ("a batch of one", 1, 3), ("drawn at random", 25, 7),
    ):  # fmt: skip
        yield case(label, labels(count, classes), predictions(count, classes))
    chosen = labels(4, 3)
    sure = np.eye(3)[chosen]
    yield case("sure and right", chosen, 100 * sure if from_logits else sure)
    if from_logits:
        yield case("sure and wrong", chosen, -100 * sure)
        yield case("logits of about 1000", chosen, 1000 + predictions(4, 3))
    else:
        unsure = np.where(sure, 0.001, 0.4995)
        yield case("nearly sure and wrong", chosen, unsure)


def _q_values(rng: np.random.Generator, delta: float) -> Iterator[Case]:
    def case(label: str, count: int, actions: int, scale: float) -> Case:
        q_values = (2 * rng.normal(size=(count, actions))).astype(np.float32)
        chosen = rng.permutation(np.arange(count) % actions)
        taken = q_values[np.arange(count), chosen]
        targets = (taken + scale * delta * rng.normal(size=count)).astype(np.float32)
        return Case(label, {"q_values": q_values, "actions": chosen, "targets": targets})

    yield case("a batch of transitions", 8, 4, 2.0)
    yield case("as many transitions as actions", 4, 4, 2.0)
    yield case("small errors", 6, 3, 0.2)
    yield case("large errors", 6, 3, 20.0)
    yield case("no error at all", 5, 3, 0.0)
    yield case("a batch of one", 1, 3, 2.0)
    yield case("two actions", 7, 2, 2.0)
    same = case("the first action every time", 5, 3, 2.0).arguments
    yield Case("the first action every time", {**same, "actions": np.zeros(5, np.int64)})
    yield case("drawn at random", 32, 6, 3.0)
