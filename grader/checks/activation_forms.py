"""Activation functions, right and as people get them wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from grader.checks.function_codes import FunctionCode
from grader.checks.function_reference import (
    Array,
    FunctionReference,
    Told,
    Wrong,
    combined,
    explainer,
)


def relu(x: Array) -> Array:
    """max(0, x); Glorot, Bordes and Bengio, *Deep Sparse Rectifier Neural Networks* (2011)."""
    return np.maximum(_double(x), 0.0)


def leaky_relu(x: Array, alpha: float) -> Array:
    """X where x > 0, else α · x; Maas, Hannun and Ng, *Rectifier Nonlinearities* (2013)."""
    values = _double(x)
    return np.where(values > 0, values, alpha * values)


def elu(x: Array, alpha: float) -> Array:
    """X where x > 0, else α (eˣ − 1); Clevert, Unterthiner and Hochreiter (arXiv:1511.07289)."""
    values = _double(x)
    return np.where(values > 0, values, alpha * np.expm1(np.minimum(values, 0.0)))


def gelu(x: Array) -> Array:
    """X · Φ(x), Φ the standard normal distribution; Hendrycks and Gimpel (arXiv:1606.08415)."""
    from scipy.special import ndtr  # imported on use: it takes longer than the whole grader

    values = _double(x)
    weighted: Array = values * ndtr(values)
    return weighted


def softplus(x: Array) -> Array:
    """log(1 + eˣ), without overflow; Dugas et al., *Advances in Neural Information* 13 (2001)."""
    return np.logaddexp(_double(x), 0.0)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), without overflow: the form with e⁻ˣ for x ≥ 0, that with eˣ below."""
    values = _double(x)
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1.0, small) / (1.0 + small)


def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    return np.tanh(_double(x))


def softmax(x: Array, axis: int = -1) -> Array:
    """E raised to each value, divided by the sum along an axis.

    The largest value is subtracted first, which changes nothing about the result: Goodfellow,
    Bengio and Courville, *Deep Learning* (2016), section 4.1.

    Args:
        x: any shape.
        axis: along which the results add up to 1.
    """
    values = _double(x)
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    share: Array = powers / powers.sum(axis=axis, keepdims=True)
    return share


def _double(x: Array) -> Array:
    return np.asarray(x, dtype=np.float64)


# --- mistakes -----------------------------------------------------------------------------------

_NAMES: Final[dict[str, Callable[[Array], Array]]] = {
    "ReLU": relu, "sigmoid": sigmoid, "tanh": tanh, "softplus": softplus, "GELU": gelu,
    "SiLU": lambda x: _double(x) * sigmoid(x), "softsign": lambda x: x / (1 + np.abs(_double(x))),
    "the identity": _double, "the step function": lambda x: (_double(x) > 0).astype(np.float64),
    "ELU with α = 1": lambda x: elu(x, 1.0), "softmax": lambda x: softmax(x),
}  # fmt: skip


def _told(own: str, **known: Told) -> dict[str, Told]:
    """The mistakes of one function, and every other function that it may be confused with."""
    return known | {
        name: Told(
            FunctionCode.OTHER_ACTIVATION, f"This is {name}, not {own}.",
            f"Look the formula of {own} up again, and try it on −1, 0 and 1.", is_slip=False)
        for name in _NAMES if name != own
    }  # fmt: skip


_ABSOLUTE: Final = Told(
    FunctionCode.ABSOLUTE, "Negative values come out positive.",
    "Use `np.maximum(x, 0)`: `abs` mirrors negative values instead of cutting them off.",
)  # fmt: skip
_DERIVATIVE: Final = Told(
    FunctionCode.OTHER_ACTIVATION, "This is the derivative, not the function.",
    "Return the value; the slope is only needed going backwards.", is_slip=False)  # fmt: skip
_APPROXIMATED: Final = Told(
    FunctionCode.APPROXIMATED, "An approximation is used where the exact function was asked for.",
    "Use the normal distribution: `x * 0.5 * (1 + scipy.special.erf(x / np.sqrt(2)))`.",
)  # fmt: skip
_OVERFLOWS: Final = Told(
    FunctionCode.OVERFLOWS, "Large values come out as NaN or infinity.",
    "`np.exp(1000)` is infinite. Only raise e to numbers that are at most 0.")  # fmt: skip


def _slope(claim: str, advice: str) -> Told:
    return Told(FunctionCode.OTHER_SLOPE, claim, advice)


_TOLD_RELU: Final = _told(
    "ReLU", absolute=_ABSOLUTE, derivative=_DERIVATIVE,
    leaky=_slope("Negative values are made small instead of 0.",
                 "Use `np.maximum(x, 0)`: a slope below 0 makes it a leaky ReLU."),
    capped=_slope("Large values are cut off.", "Use `np.maximum(x, 0)`, without an upper bound."),
    minimum=_slope("The positive values are cut off instead of the negative ones.",
                   "Use `np.maximum(x, 0)`."),
)  # fmt: skip


def _others(x: Array) -> Wrong:
    for name, function in _NAMES.items():
        yield combined(name), function(x)


def _wrong_relu(x: Array) -> Wrong:
    values = _double(x)
    yield combined("absolute"), np.abs(values)
    yield combined("derivative"), (values > 0).astype(np.float64)
    yield combined("minimum"), np.minimum(values, 0)
    for ceiling in (1.0, 6.0, 255.0):
        yield combined("capped"), np.clip(values, 0, ceiling)
    for slope in (0.01, 0.1, 0.2, 0.3):
        yield combined("leaky"), leaky_relu(values, slope)
    yield from ((made, value) for made, value in _others(x) if made != {"ReLU"})


_TOLD_LEAKY: Final = _told(
    "leaky ReLU", absolute=_ABSOLUTE,
    no_slope=_slope("Negative values come out as 0.", "Multiply them by `alpha`."),
    negated=_slope("Negative values come out positive.",
                   "Multiply them by `alpha` itself, without a minus."),
    other_slope=_slope("Negative values are multiplied by another slope.",
                       "Use the `alpha` that is given, not a number of your own."),
    exchanged=_slope("The slope is applied to the positive values.",
                     "In `np.where(x > 0, a, b)`, `a` is taken where x is positive."),
)  # fmt: skip
_SLOPES: Final = (0.01, 0.05, 0.1, 0.2, 0.3, 1.0)


def _wrong_leaky(x: Array, alpha: float) -> Wrong:
    values = _double(x)
    yield combined("no_slope"), relu(values)
    yield combined("negated"), leaky_relu(values, -alpha)
    yield combined("absolute"), np.abs(values)
    yield combined("exchanged"), np.where(values > 0, alpha * values, values)
    for slope in (1 / alpha if alpha else 0.0, *_SLOPES):
        yield combined("other_slope"), leaky_relu(values, slope)
    yield from ((made, value) for made, value in _others(x) if made != {"ReLU"})


_TOLD_ELU: Final = _told(
    "ELU",
    no_slope=_slope("Negative values come out as 0.", "They are `alpha * (np.exp(x) - 1)`."),
    other_slope=_slope("Another α is used.",
                       "Use the `alpha` that is given, not a number of your own."),
    no_shift=_slope("The 1 is not subtracted.", "Negative values are `alpha * (np.exp(x) - 1)`."),
    linear=_slope("Negative values are multiplied by α, as in a leaky ReLU.",
                  "They are `alpha * (np.exp(x) - 1)`."),
)  # fmt: skip


def _wrong_elu(x: Array, alpha: float) -> Wrong:
    values = _double(x)
    yield combined("no_slope"), relu(values)
    yield combined("linear"), leaky_relu(values, alpha)
    yield combined("no_shift"), np.where(values > 0, values, alpha * np.exp(values))
    for other in _SLOPES:
        yield combined("other_slope"), elu(values, other)
    yield from ((m, v) for m, v in _others(x) if not m & {"ReLU", "ELU with α = 1"})


_TOLD_GELU: Final = _told("GELU", approximated=_APPROXIMATED)


def _wrong_gelu(x: Array) -> Wrong:
    values = _double(x)
    inner = np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)
    yield combined("approximated"), 0.5 * values * (1 + np.tanh(inner))
    yield combined("approximated"), values * sigmoid(1.702 * values)
    yield from _others(x)


_TOLD_SOFTPLUS: Final = _told(
    "softplus", approximated=Told(
        FunctionCode.OVERFLOWS, "Large values are cut off before e is raised to them.",
        "Use `np.logaddexp(x, 0)`, which gives x itself where x is large."),
    no_one=_slope("The 1 inside the logarithm is missing.", "It is `np.log(1 + np.exp(x))`."),
)  # fmt: skip


def _wrong_softplus(x: Array) -> Wrong:
    values = _double(x)
    yield combined("no_one"), values
    for bound in (20.0, 50.0, 88.0, 100.0, 500.0, 700.0):
        yield combined("approximated"), softplus(np.clip(values, -bound, bound))
    yield from ((made, value) for made, value in _others(x) if made != {"the identity"})


_TOLD_SIGMOID: Final = _told(
    "sigmoid", derivative=_DERIVATIVE,
    negated=_slope("The sign of the exponent is wrong.", "It is `1 / (1 + np.exp(-x))`."),
    no_one=_slope("The 1 below the line is missing.", "It is `1 / (1 + np.exp(-x))`."),
)  # fmt: skip


def _wrong_sigmoid(x: Array) -> Wrong:
    right = sigmoid(x)
    yield combined("negated"), 1 - right
    yield combined("derivative"), right * (1 - right)
    yield combined("no_one"), np.exp(_double(x))
    yield from _others(x)


_TOLD_TANH: Final = _told("tanh", derivative=_DERIVATIVE, negated=_slope(
    "The sign is wrong.", "It is `(np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))`."),
)  # fmt: skip


def _wrong_tanh(x: Array) -> Wrong:
    right = tanh(x)
    yield combined("negated"), -right
    yield combined("derivative"), 1 - right**2
    yield from _others(x)


_TOLD_SOFTMAX: Final[dict[str, Told]] = {
    "axis": Told(
        FunctionCode.SOFTMAX_AXIS, "The sum is taken along the wrong axis.",
        "Sum over the classes of one example: `np.sum(powers, axis=-1, keepdims=True)`."),
    "overall": Told(
        FunctionCode.SOFTMAX_AXIS, "One sum is taken over the whole batch.",
        "Sum over the classes of one example: `np.sum(powers, axis=-1, keepdims=True)`."),
    "no_sum": Told(
        FunctionCode.NOT_NORMALISED, "The values are not divided by their sum.",
        "Divide by `np.sum(powers, axis=-1, keepdims=True)`, so that they add up to 1."),
    "no_powers": Told(
        FunctionCode.NOT_NORMALISED, "The values themselves are divided by their sum.",
        "Raise e to them first: `powers = np.exp(x - x.max(axis=-1, keepdims=True))`."),
    "logarithm": Told(
        FunctionCode.OTHER_ACTIVATION, "These are the logarithms of the probabilities.",
        "Return the probabilities: they lie between 0 and 1.", is_slip=False),
    "sigmoid": Told(
        FunctionCode.OTHER_ACTIVATION, "This is sigmoid, not softmax.",
        "The classes compete: divide by the sum of all powers.", is_slip=False),
}  # fmt: skip


def _wrong_softmax(x: Array, axis: int = -1) -> Wrong:
    values = _double(x)
    shifts = (values.max(axis=axis, keepdims=True), 0.0)
    yield combined("overall"), np.exp(values - values.max()) / np.exp(values - values.max()).sum()
    if values.ndim > 1:
        yield combined("axis"), softmax(values, 0 if axis in (-1, values.ndim - 1) else -1)
        for shift in shifts:
            powers = np.exp(values - shift)
            other = 0 if axis in (-1, values.ndim - 1) else -1
            yield combined("axis"), powers / powers.sum(axis=other, keepdims=True)
            yield combined("overall"), powers / powers.sum()
    for shift in shifts:
        yield combined("no_sum"), np.exp(values - shift)
    yield combined("no_powers"), values / values.sum(axis=axis, keepdims=True)
    yield combined("logarithm"), np.log(softmax(values, axis))
    yield combined("sigmoid"), sigmoid(values)


def _reference(compute: Any, wrong: Any, told: dict[str, Told], formula: str) -> FunctionReference:
    return FunctionReference(
        compute=compute, explain=explainer(wrong, told), told=told,
        shape_advice="Return one value for each value of `x`, in the shape of `x`.",
        values_advice=f"Compute a small case by hand: {formula}.",
        result="an array of the shape of x",
        no_result_advice="Return the array; a function without `return` returns None.",
        not_finite=_OVERFLOWS,
    )  # fmt: skip


ACTIVATIONS: Final[dict[str, FunctionReference]] = {
    "relu": _reference(relu, _wrong_relu, _TOLD_RELU, "x where x is positive, otherwise 0"),
    "leaky_relu": _reference(
        leaky_relu, _wrong_leaky, _TOLD_LEAKY, "x where x is positive, otherwise `alpha * x`"),
    "elu": _reference(
        elu, _wrong_elu, _TOLD_ELU, "x where x is positive, otherwise `alpha * (np.exp(x) - 1)`"),
    "gelu": _reference(
        gelu, _wrong_gelu, _TOLD_GELU, "`x * 0.5 * (1 + erf(x / np.sqrt(2)))`"),
    "softplus": _reference(
        softplus, _wrong_softplus, _TOLD_SOFTPLUS, "`np.logaddexp(x, 0)`, which is log(1 + eˣ)"),
    "sigmoid": _reference(sigmoid, _wrong_sigmoid, _TOLD_SIGMOID, "`1 / (1 + np.exp(-x))`"),
    "tanh": _reference(
        tanh, _wrong_tanh, _TOLD_TANH, "(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), which `np.tanh` computes"),
    "softmax": _reference(
        softmax, _wrong_softmax, _TOLD_SOFTMAX, "e raised to each value, divided by their sum"),
}  # fmt: skip
