"""What people compute instead of the mean Huber loss, so that a mistake can be named.

A loss is taken apart into a form (what is computed for one error e = y_pred − y_true) and a
reduction (how the elements are put together). Each known mistake is one wrong form or reduction;
forms come with their slope, so that a gradient that merely follows from a wrong value is not told
as a second mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class LossMistake(StrEnum):
    """Known mistakes, in the order in which they are told."""

    NOT_SCALAR = "not_scalar"
    SUMMED = "summed"
    FACTOR = "factor"
    SQUARED_ERROR = "squared_error"
    ABSOLUTE_ERROR = "absolute_error"
    OTHER_DELTA = "other_delta"
    OFFSET = "offset"
    SIGN = "sign"
    BRANCHES = "branches"
    SMOOTH = "smooth"


@dataclass(frozen=True)
class Form:
    """A loss of one error."""

    mistake: LossMistake | None
    """None for the Huber loss itself."""
    name: str
    """What it is, as told to the student."""
    value: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    """Derivative of the value by the error."""


@dataclass(frozen=True)
class Reduction:
    """How the losses of the elements become what is returned."""

    mistake: LossMistake | None
    name: str
    apply: Callable[[Floats], npt.NDArray[Any]]
    share: Callable[[tuple[int, ...]], float]
    """Weight of one element in the sum of all that is returned, for errors of some shape."""
    mean_is_right: bool
    """Whether the mean of what is returned is the mean over all elements."""


@dataclass(frozen=True)
class Cause:
    """One way to get a loss wrong, or right."""

    form: Form
    reduction: Reduction

    @property
    def mistakes(self) -> tuple[LossMistake, ...]:
        """The mistakes made; none for the mean Huber loss."""
        both = (self.reduction.mistake, self.form.mistake)
        return tuple(mistake for mistake in both if mistake is not None)

    @property
    def text(self) -> str:
        """What it computes, as told to the student."""
        return f"{self.reduction.name} of {self.form.name}"

    def value(self, error: Floats) -> Floats:
        """What is returned for errors of some shape."""
        return np.asarray(self.reduction.apply(self.form.value(error)), dtype=np.float64)

    def gradient(self, error: Floats) -> Floats:
        """What a gradient tape gives: the gradient of the sum of all that is returned."""
        slopes: Floats = self.form.slope(error) * self.reduction.share(error.shape)
        return slopes


def _rows(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape[:-1], dtype=np.int64))


REDUCTIONS: Final = (
    Reduction(None, "the mean", np.mean, lambda s: 1 / float(np.prod(s)), True),
    Reduction(LossMistake.SUMMED, "the sum over all elements", np.sum, lambda _: 1.0, False),
    Reduction(
        LossMistake.SUMMED, "the sum over each row, averaged over the rows",
        lambda e: np.mean(np.sum(e, axis=-1)), lambda s: 1 / _rows(s), False,
    ),
    Reduction(
        LossMistake.NOT_SCALAR, "the mean of each row",
        lambda e: np.mean(e, axis=-1), lambda s: 1 / s[-1], True,
    ),
    Reduction(
        LossMistake.NOT_SCALAR, "the sum of each row",
        lambda e: np.sum(e, axis=-1), lambda _: 1.0, False,
    ),
    Reduction(
        LossMistake.NOT_SCALAR, "one loss for each element", lambda e: e, lambda _: 1.0, True
    ),
)  # fmt: skip


def huber(error: Floats, delta: float) -> Floats:
    """The Huber loss of each error, as in `grader.checks.references.huber_loss`."""
    near = np.minimum(np.abs(error), delta)
    loss: Floats = near * (np.abs(error) - near / 2)
    return loss


def forms(delta: float, other_delta: float | None = None) -> Iterator[Form]:
    """The Huber loss and what is taken for it, the most likely first.

    Args:
        delta: the δ that was asked for.
        other_delta: a δ that the student's values suggest, if any.
    """
    half = delta / 2

    def piecewise(inner: Floats, outer: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
        chosen: Floats = np.where(inside, inner, outer)
        return chosen

    yield Form(
        None, "the Huber loss", lambda e: huber(e, delta), lambda e: np.clip(e, -delta, delta)
    )
    yield Form(
        LossMistake.FACTOR,
        "twice the Huber loss",
        lambda e: 2 * huber(e, delta),
        lambda e: 2 * np.clip(e, -delta, delta),
    )
    yield Form(
        LossMistake.FACTOR,
        "a Huber loss with e² instead of e²/2 for small errors",
        lambda e: piecewise(e**2, delta * (np.abs(e) - half), np.abs(e) <= delta),
        lambda e: piecewise(2 * e, delta * np.sign(e), np.abs(e) <= delta),
    )
    yield Form(LossMistake.SQUARED_ERROR, "the squared error", np.square, lambda e: 2 * e)
    yield Form(LossMistake.SQUARED_ERROR, "half the squared error", lambda e: e**2 / 2, lambda e: e)
    yield Form(LossMistake.ABSOLUTE_ERROR, "the absolute error", np.abs, np.sign)
    yield Form(
        LossMistake.OFFSET,
        "a Huber loss with δ|e| instead of δ(|e| − δ/2) for large errors",
        lambda e: piecewise(e**2 / 2, delta * np.abs(e), np.abs(e) <= delta),
        lambda e: np.clip(e, -delta, delta),
    )
    yield Form(
        LossMistake.SIGN,
        "a Huber loss of y_pred − y_true without its absolute value",
        lambda e: piecewise(e**2 / 2, delta * (e - half), e <= delta),
        lambda e: np.minimum(e, delta),
    )
    yield Form(
        LossMistake.SIGN,
        "a Huber loss of y_true − y_pred without its absolute value",
        lambda e: piecewise(e**2 / 2, delta * (-e - half), -e <= delta),
        lambda e: np.maximum(e, -delta),
    )
    yield Form(
        LossMistake.BRANCHES,
        "a loss that is linear for small errors and squared for large ones",
        lambda e: piecewise(delta * (np.abs(e) - half), e**2 / 2, np.abs(e) <= delta),
        lambda e: piecewise(delta * np.sign(e), e, np.abs(e) <= delta),
    )
    yield Form(
        LossMistake.SMOOTH,
        "the pseudo-Huber loss",
        lambda e: delta**2 * (np.sqrt(1 + (e / delta) ** 2) - 1),
        lambda e: e / np.sqrt(1 + (e / delta) ** 2),
    )
    yield Form(
        LossMistake.SMOOTH,
        "the log-cosh loss",
        lambda e: np.logaddexp(e, -e) - np.log(2),
        np.tanh,
    )
    if other_delta is not None:
        yield Form(
            LossMistake.OTHER_DELTA,
            f"the Huber loss with δ = {other_delta:.4g}",
            lambda e: huber(e, other_delta),
            lambda e: np.clip(e, -other_delta, other_delta),
        )


def fitted_delta(error: Floats, value: float) -> float | None:
    """The δ with which the mean Huber loss of these errors has this value.

    The loss grows with δ, from 0 to half the mean squared error, until δ reaches the largest error;
    the δ is found by bisection.

    Args:
        error: errors, any shape.
        value: a mean Huber loss.

    Returns:
        None when no δ gives this value.
    """
    low, high = 0.0, float(np.max(np.abs(error), initial=0.0))
    if not 0 < value < float(np.mean(huber(error, high))):
        return None
    for _ in range(100):
        middle = (low + high) / 2
        if float(np.mean(huber(error, middle))) < value:
            low = middle
        else:
            high = middle
    return high
