"""Losses with their gradients, right and as people get them wrong.

A loss is taken apart into what is charged for each element (or example) and how these charges are
put together, as in `grader.checks.loss_forms`; a gradient that merely follows from a wrong value is
then recognised, and not told as a second mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.checks.activation_forms import sigmoid, softmax
from grader.checks.function_reference import Told
from grader.checks.loss import TOLD as TOLD_HUBER
from grader.checks.loss_forms import REDUCTIONS, LossMistake, Reduction, forms
from grader.records.function_settings import LossSettings

Floats = npt.NDArray[np.float64]
Mistakes = frozenset[str]

_CLIP: Final = 1e-7
"""Keras keeps probabilities this far from 0 and 1 before it takes logarithms."""


class LossPartCode(StrEnum):
    """Codes of findings about a loss of the library; the Huber loss has those of training."""

    NOT_SCALAR = "LS101"
    SUMMED = "LS102"
    SIGN = "LS103"
    OVER_CLASSES = "LS104"
    LOGITS = "LS105"
    OTHER_LOSS = "LS106"
    FACTOR = "LS107"
    ONE_SIDED = "LS108"
    ALL_ACTIONS = "LS109"
    DILUTED = "LS110"
    BEST_ACTION = "LS111"
    TABLE = "LS112"
    WRONG_VALUES = "LS113"
    NOT_FINITE = "LS114"
    NOT_A_NUMBER = "LS115"
    NOT_DIFFERENTIABLE = "LS121"
    GRADIENT_NOT_FINITE = "LS122"
    WRONG_GRADIENT = "LS123"


_ALONG_ROWS: Final = (
    *REDUCTIONS,
    Reduction(
        LossMistake.SUMMED, "the mean of each row, summed over the rows",
        lambda e: np.sum(np.mean(e, axis=-1)), lambda s: 1 / s[-1], False,
    ),
)  # fmt: skip
_OF_EXAMPLES: Final = (*REDUCTIONS[:2], REDUCTIONS[5])
"""Mean, sum, and no reduction: one loss for each example has no rows to put together."""


@dataclass(frozen=True)
class Charges:
    """What is charged, before it is put together."""

    mistake: str | None
    losses: Floats
    """One for each element or example."""
    slopes: Floats
    """Derivative of the sum of all losses by each prediction."""


@dataclass(frozen=True)
class LossResult:
    """A value with the gradient that goes with it."""

    mistakes: Mistakes
    value: Floats
    gradient: Floats


@dataclass(frozen=True)
class LossReference:
    """A loss that students write."""

    charges: Callable[[Mapping[str, Any], LossSettings], Iterator[Charges]]
    """The right charges first, then wrong ones."""
    told: Mapping[str, Told]
    formula: str
    normalises: bool = False
    """Whether predictions may be divided by their sum first, which changes the gradient alone."""

    def results(self, arguments: Mapping[str, Any], settings: LossSettings) -> list[LossResult]:
        """The right result, then what known mistakes give, the fewest mistakes first."""
        found = []
        with np.errstate(all="ignore"):
            for charges in self.charges(arguments, settings):
                losses = charges.losses
                for reduction in _ALONG_ROWS if losses.ndim > 1 else _OF_EXAMPLES:
                    made = [m for m in (charges.mistake, reduction.mistake) if m is not None]
                    value = np.asarray(reduction.apply(losses), np.float64)
                    share = reduction.share(losses.shape)
                    found.append(LossResult(frozenset(made), value, charges.slopes * share))
        return sorted(found, key=lambda result: len(result.mistakes))


_COMMON: Final[dict[str, Told]] = {
    LossMistake.NOT_SCALAR: Told(
        LossPartCode.NOT_SCALAR, "The loss is not averaged to one number.",
        "End with `tf.reduce_mean(loss)`, without an `axis`. Functions such as "
        "`keras.losses.mean_squared_error` average over the last axis only."),
    LossMistake.SUMMED: Told(
        LossPartCode.SUMMED, "The loss is summed where it should be averaged.",
        "Use `tf.reduce_mean` instead of `tf.reduce_sum`, so that the loss does not grow with the "
        "batch."),
    "sign": Told(
        LossPartCode.SIGN, "The loss has the wrong sign.",
        "A smaller loss is better: logarithms of probabilities are negative, put a minus in "
        "front."),
    "factor": Told(
        LossPartCode.FACTOR, "The loss is off by a constant factor.",
        "Leave out factors that were not asked for, and use the natural logarithm."),
}  # fmt: skip


def _other(name: str, advice: str) -> Told:
    return Told(LossPartCode.OTHER_LOSS, f"This is {name}.", advice, is_slip=False)


# --- regression ---------------------------------------------------------------------------------


def _errors(arguments: Mapping[str, Any]) -> Floats:
    difference: Floats = np.asarray(arguments["y_pred"], np.float64) - arguments["y_true"]
    return difference


def _squared(arguments: Mapping[str, Any], _: LossSettings) -> Iterator[Charges]:
    e = _errors(arguments)
    yield Charges(None, e**2, 2 * e)
    yield Charges("factor", e**2 / 2, e)
    yield Charges("sign", -(e**2), -2 * e)
    yield Charges("absolute", np.abs(e), np.sign(e))
    near = np.minimum(np.abs(e), 1.0)
    yield Charges("huber", near * (np.abs(e) - near / 2), np.clip(e, -1, 1))
    yield Charges("plain", e, np.ones_like(e))
    yield Charges("plain", -e, -np.ones_like(e))
    root = np.full_like(e, np.sqrt(np.mean(e**2)))
    yield Charges("root", root, e / np.where(root > 0, root, 1.0))


def _absolute(arguments: Mapping[str, Any], _: LossSettings) -> Iterator[Charges]:
    e = _errors(arguments)
    yield Charges(None, np.abs(e), np.sign(e))
    yield Charges("sign", -np.abs(e), -np.sign(e))
    yield Charges("squared", e**2, 2 * e)
    yield Charges("squared", e**2 / 2, e)
    yield Charges("plain", e, np.ones_like(e))
    yield Charges("plain", -e, -np.ones_like(e))
    near = np.minimum(np.abs(e), 1.0)
    yield Charges("huber", near * (np.abs(e) - near / 2), np.clip(e, -1, 1))


def _huber(arguments: Mapping[str, Any], settings: LossSettings) -> Iterator[Charges]:
    e = _errors(arguments)
    for form in forms(settings.delta):
        yield Charges(form.mistake, form.value(e), form.slope(e))
    for other in (0.5, 1.0, 2.0):
        if other != settings.delta:
            *_, form = forms(settings.delta, other)
            yield Charges(form.mistake, form.value(e), form.slope(e))


_PLAIN: Final = Told(
    LossPartCode.OTHER_LOSS, "Errors of opposite sign cancel each other.",
    "Square the errors, or take their size, before they are averaged.", is_slip=False,
)  # fmt: skip
_SQUARED_TOLD: Final = _COMMON | {
    "absolute": _other("the absolute error, not the squared one", "Use `tf.square(error)`."),
    "huber": _other("the Huber loss, not the squared error", "Use `tf.square(error)`."),
    "root": _other("the root of the mean squared error", "Leave the root out."),
    "plain": _PLAIN,
}
_ABSOLUTE_TOLD: Final = _COMMON | {
    "squared": _other("the squared error, not the absolute one", "Use `tf.abs(error)`."),
    "huber": _other("the Huber loss, not the absolute error", "Use `tf.abs(error)`."),
    "plain": _PLAIN,
}


# --- classification -----------------------------------------------------------------------------


def _binary(arguments: Mapping[str, Any], settings: LossSettings) -> Iterator[Charges]:
    y = np.asarray(arguments["y_true"], np.float64)
    given = np.asarray(arguments["y_pred"], np.float64)
    logits = _binary_logits(y, given)
    yield logits if settings.from_logits else _binary_shares(y, given)
    if settings.from_logits:
        if np.all((given > 0) & (given < 1)):
            yield Charges("logits", *_of(_binary_shares(y, given)))
    else:
        yield Charges("logits", *_of(logits))
    p, inner = (
        (sigmoid(given), sigmoid(given) * sigmoid(-given))
        if settings.from_logits
        else (np.clip(given, _CLIP, 1 - _CLIP), np.ones_like(given))
    )
    yield Charges("one_sided", -y * np.log(p), -y / p * inner)
    right = logits if settings.from_logits else _binary_shares(y, given)
    yield Charges("sign", -right.losses, -right.slopes)
    yield Charges("factor", right.losses / np.log(2), right.slopes / np.log(2))
    yield Charges("squared", (p - y) ** 2, 2 * (p - y) * inner)


def _binary_logits(y: Floats, logits: Floats) -> Charges:
    return Charges(None, np.logaddexp(0, logits) - y * logits, sigmoid(logits) - y)


def _binary_shares(y: Floats, shares: Floats) -> Charges:
    p = np.clip(shares, _CLIP, 1 - _CLIP)
    losses = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return Charges(None, losses, (p - y) / (p * (1 - p)))


def _of(charges: Charges) -> tuple[Floats, Floats]:
    return charges.losses, charges.slopes


def _targets(arguments: Mapping[str, Any]) -> Floats:
    y_true, y_pred = arguments["y_true"], arguments["y_pred"]
    sparse = np.asarray(y_true).ndim == np.asarray(y_pred).ndim - 1
    rows: Floats = np.eye(y_pred.shape[-1])[y_true] if sparse else np.asarray(y_true, np.float64)
    return rows


def _classes(arguments: Mapping[str, Any], settings: LossSettings) -> Iterator[Charges]:
    y = _targets(arguments)
    given = np.asarray(arguments["y_pred"], np.float64)
    right = _class_logits(y, given) if settings.from_logits else _class_shares(y, given)
    yield right
    if settings.from_logits:
        if np.all(given > 0):
            yield Charges("logits", *_of(_class_shares(y, given)))
    else:
        yield Charges("logits", *_of(_class_logits(y, given)))
    yield Charges("sign", -right.losses, -right.slopes)
    yield Charges("factor", right.losses / np.log(2), right.slopes / np.log(2))
    count = y.shape[-1]
    yield Charges("over_classes", right.losses / count, right.slopes / count)
    if not settings.from_logits:
        each = _binary_shares(y, given)
        yield Charges("binary", each.losses.mean(axis=-1), each.slopes / count)
        yield Charges("squared", np.sum((given - y) ** 2, axis=-1), 2 * (given - y))


def _class_logits(y: Floats, logits: Floats) -> Charges:
    top = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=-1, keepdims=True)) + top
    return Charges(None, -(y * (logits - total)).sum(axis=-1), softmax(logits) - y)


def _class_shares(y: Floats, shares: Floats) -> Charges:
    p = np.clip(shares, _CLIP, 1 - _CLIP)
    return Charges(None, -(y * np.log(p)).sum(axis=-1), -y / p)


_LOGITS: Final = Told(
    LossPartCode.LOGITS, "Logits and probabilities are mistaken for each other.",
    "`from_logits=True` belongs to a network that ends without softmax or sigmoid, "
    "`from_logits=False` to one that ends with it.",
)  # fmt: skip
_BINARY_TOLD: Final = _COMMON | {
    "logits": _LOGITS,
    "one_sided": Told(
        LossPartCode.ONE_SIDED, "Examples with label 0 cost nothing.",
        "Add the second half: `-(y * log(p) + (1 - y) * log(1 - p))`."),
    "squared": _other("the squared error, not the cross-entropy",
                      "Use the logarithm of the probability of the right label."),
}  # fmt: skip
_CLASSES_TOLD: Final = _COMMON | {
    "logits": _LOGITS,
    "over_classes": Told(
        LossPartCode.OVER_CLASSES, "The loss is averaged over the classes too.",
        "Sum over the classes first, then average over the examples."),
    "binary": _other("a binary cross-entropy for each class",
                     "Only the probability of the right class counts: `-sum(y * log(p))`."),
    "squared": _other("the squared error, not the cross-entropy",
                      "Use the logarithm of the probability of the right class."),
}  # fmt: skip


# --- the value of the action taken --------------------------------------------------------------


def _element(errors: Floats, settings: LossSettings, name: str | None = None) -> Charges:
    if (name or settings.element_loss) == "squared_error":
        return Charges(None, errors**2, 2 * errors)
    near = np.minimum(np.abs(errors), settings.delta)
    slopes = np.clip(errors, -settings.delta, settings.delta)
    return Charges(None, near * (np.abs(errors) - near / 2), slopes)


def _q_loss(arguments: Mapping[str, Any], settings: LossSettings) -> Iterator[Charges]:
    q = np.asarray(arguments["q_values"], np.float64)
    actions, targets = arguments["actions"], np.asarray(arguments["targets"], np.float64)
    mask = np.eye(q.shape[1])[actions]
    taken = (q * mask).sum(axis=1)

    def of_action(mistake: str | None, charge: Charges, where: Floats) -> Charges:
        return Charges(mistake, charge.losses, charge.slopes[:, None] * where)

    right = _element(taken - targets, settings)
    yield of_action(None, right, mask)
    other = "huber" if settings.element_loss == "squared_error" else "squared_error"
    yield of_action("element", _element(taken - targets, settings, other), mask)
    yield of_action("element", Charges(None, np.abs(taken - targets), np.sign(taken - targets)),
                    mask)  # fmt: skip
    yield of_action("sign", Charges(None, -right.losses, -right.slopes), mask)
    yield of_action("factor", Charges(None, right.losses / 2, right.slopes / 2), mask)
    yield of_action("diluted", Charges(None, right.losses / q.shape[1], right.slopes / q.shape[1]),
                    mask)  # fmt: skip
    best = np.eye(q.shape[1])[q.argmax(axis=1)]
    yield of_action("best_action", _element(q.max(axis=1) - targets, settings), best)
    every = _element(q - targets[:, None], settings)
    yield Charges("all_actions", every.losses, every.slopes)
    table = _element(taken[:, None] - targets[None, :], settings)
    yield Charges("table", table.losses, table.slopes.sum(axis=1)[:, None] * mask)
    masked = _element(q * mask - targets[:, None], settings)
    yield Charges("all_actions", masked.losses, masked.slopes * mask)


_Q_TOLD: Final = _COMMON | {
    "element": _other("another loss of the error than was asked for",
                      "Look up which loss of the error the assignment asks for."),
    "diluted": Told(
        LossPartCode.DILUTED, "The loss is averaged over the actions that were not taken too.",
        "Pick the value of the action first: `tf.reduce_sum(q_values * one_hot, axis=1)`; the "
        "zeros of the mask otherwise count as errors of 0."),
    "best_action": Told(
        LossPartCode.BEST_ACTION, "The largest value is compared with the target, not that of the "
        "action taken.", "Use the actions: `tf.reduce_sum(q_values * tf.one_hot(actions, n), "
        "axis=1)`."),
    "all_actions": Told(
        LossPartCode.ALL_ACTIONS, "Actions that were not taken are pulled towards the target too.",
        "Compare the value of the action taken alone: `tf.reduce_sum(q_values * "
        "tf.one_hot(actions, n), axis=1)`.", is_slip=False),
    "table": Told(
        LossPartCode.TABLE, "Every value is compared with every target of the batch.",
        "Shapes (batch, 1) and (batch,) give (batch, batch) when they are subtracted; bring both "
        "to (batch,)."),
}  # fmt: skip


LOSSES: Final[dict[str, LossReference]] = {
    "huber": LossReference(
        _huber, {mistake: Told(*told) for mistake, told in TOLD_HUBER.items()},
        "`0.5 * error**2` up to δ, `delta * (abs(error) - 0.5 * delta)` beyond, and the mean over "
        "all elements"),
    "mean_squared_error": LossReference(
        _squared, _SQUARED_TOLD, "the mean of `(y_true - y_pred)**2` over all elements"),
    "mean_absolute_error": LossReference(
        _absolute, _ABSOLUTE_TOLD, "the mean of `abs(y_true - y_pred)` over all elements"),
    "binary_crossentropy": LossReference(
        _binary, _BINARY_TOLD, "the mean of `-(y * log(p) + (1 - y) * log(1 - p))`"),
    "categorical_crossentropy": LossReference(
        _classes, _CLASSES_TOLD, "the mean over the examples of `-sum(y * log(p))`",
        normalises=True),
    "sparse_categorical_crossentropy": LossReference(
        _classes, _CLASSES_TOLD, "the mean over the examples of `-log(p[label])`",
        normalises=True),
    "masked_q_loss": LossReference(
        _q_loss, _Q_TOLD, "the loss of `q_values[action] - target`, averaged over the batch"),
}  # fmt: skip
"""By the name of the setting `reference`."""
