"""Judge of `network.initialisation`: are the first weights drawn as asked for?"""

from __future__ import annotations

import itertools
import math
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import JudgeInput
from grader.checks.interface import graded
from grader.checks.weights_examined import unexamined
from grader.records.network_evidence import NetworkEvidence, ProofMethod
from grader.records.result import Finding, Severity, Verdict
from grader.records.weights_evidence import WeightTrial
from grader.records.weights_settings import InitialisationSettings
from grader.statistics.uniformity import distribution, level_per_test

Floats = npt.NDArray[np.float64]

ROLE: Final = "builder"
_CUT: Final = 2.0
"""Standard deviations at which Keras cuts its truncated normal distribution off."""
_CUT_DEVIATION: Final = 0.87962566103423978
"""Standard deviation of the standard normal distribution cut off there; Keras divides by it."""
_FANS: Final = {
    "glorot": (1.0, "average"), "he": (2.0, "inputs"), "lecun": (1.0, "inputs"),
}  # fmt: skip


class WeightCode(StrEnum):
    """Codes of findings about a network's first weights."""

    NOT_FINITE = "WT101"
    UNITS_ALIKE = "WT102"
    OTHER_DISTRIBUTION = "WT103"
    BIAS_NOT_ZERO = "WT104"
    NOT_PROVEN = "WT105"


def judge_initialisation(given: JudgeInput) -> Verdict:
    """The share of the layers whose weights are finite, drawn as asked for, and differ by unit.

    Distributions are compared by Kolmogorov-Smirnov tests of values at even distances in each
    kernel, at a level that keeps the false alarm over all of them. With 1000 values, deviations
    that differ by a tenth are always told apart; with 4000, a uniform and a truncated normal
    distribution of one deviation.

    Raises:
        GraderFault: the weights were not recorded; the author of the assignment must act.
    """
    evidence: NetworkEvidence = given.evidence
    settings: InitialisationSettings = given.settings
    nothing = unexamined(evidence, evidence.weights)
    if nothing is not None:
        return nothing
    kernels = [trial for trial in evidence.weights if trial.role == "kernel"]
    level = level_per_test(settings.false_alarm, len(kernels))
    seen: dict[WeightCode, list[tuple[WeightTrial, str, str]]] = {}
    layers = [
        list(arrays) for _, arrays in itertools.groupby(evidence.weights, lambda trial: trial.layer)
    ]
    right = 0
    for arrays in layers:
        problems = [
            (trial, *problem)
            for trial in arrays
            for problem in _problems(trial, _scheme(trial, kernels, settings), settings, level)
        ]
        right += not problems
        for trial, code, expected, received in problems:
            seen.setdefault(code, []).append((trial, expected, received))
    where = evidence.place(ROLE)
    findings = tuple(_finding(code, seen[code], where) for code in WeightCode if code in seen)
    if evidence.proof is None or evidence.proof.method is not ProofMethod.REBUILT:
        # Equal weights can make a network answer the same to everything, which proves nothing; what
        # is wrong with them is told all the same. Points are given for what is proven alone.
        return graded(0.0, findings or (_not_proven(where),))
    return graded(right / len(layers), findings)


def _not_proven(where: str) -> Finding:
    return Finding(
        code=WeightCode.NOT_PROVEN, severity=Severity.ERROR,
        claim="The weights that were handed over are not provably those that compute.",
        where=where, expected="weights that decide what the network answers",
        received="none", try_="Keep all weights in layers of the model that is returned.",
    )  # fmt: skip


def _scheme(
    trial: WeightTrial, kernels: list[WeightTrial], settings: InitialisationSettings
) -> str:
    last = bool(kernels) and trial is kernels[-1]
    return settings.output_kernel or settings.kernel if last else settings.kernel


def _problems(
    trial: WeightTrial, scheme: str, settings: InitialisationSettings, level: float
) -> list[tuple[WeightCode, str, str]]:
    """What is wrong with one array: code, expected, received."""
    if not trial.finite:
        return [(WeightCode.NOT_FINITE, "finite numbers", "NaN or infinity")]
    if trial.role == "bias":
        if settings.bias == "zeros" and trial.largest:
            return [(WeightCode.BIAS_NOT_ZERO, "zeros", f"values up to {trial.largest:.3g}")]
        return []
    if trial.role != "kernel":
        return []
    if trial.equal is not None:
        first, second = trial.equal
        alike = f"units {first} and {second} have the same weights"
        return [(WeightCode.UNITS_ALIKE, "other weights for every unit", alike)]
    if scheme == "any" or trial.sample is None:
        return []
    values = trial.sample.array().astype(np.float64)
    if not values.size:
        return [(WeightCode.OTHER_DISTRIBUTION, scheme, "no values")]
    if _p_value(values, scheme, trial.shape, settings.scale) >= level:
        return []
    return [(
        WeightCode.OTHER_DISTRIBUTION,
        f"{scheme}, deviation {_deviation(scheme, trial.shape, settings.scale):.3g}",
        _described(trial, values, settings, level),
    )]  # fmt: skip


def _described(
    trial: WeightTrial, values: Floats, settings: InitialisationSettings, level: float
) -> str:
    """What the values look like: the schemes they may come from, or their figures."""
    names = [
        f"{fan}_{form}"
        for fan in _FANS
        for form in ("uniform", "normal")
        if _p_value(values, f"{fan}_{form}", trial.shape, settings.scale) >= level
    ]
    figures = f"mean {trial.mean:.3g}, deviation {trial.deviation:.3g}"
    return f"{figures}, as from {' or '.join(names)}" if names else figures


# --- distributions ------------------------------------------------------------------------------


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Inputs and outputs of one unit, as Keras counts them."""
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def _deviation(scheme: str, shape: tuple[int, ...], scale: float) -> float:
    """Standard deviation that a scheme aims at.

    Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks*
    (AISTATS 2010), equation 12; He et al., *Delving Deep into Rectifiers* (arXiv:1502.01852),
    equation 10; LeCun et al., *Efficient BackProp* (1998), section 4.6.
    """
    if scheme == "random_uniform":
        return scale / math.sqrt(3)
    if scheme == "truncated_normal":
        return scale * _CUT_DEVIATION
    if scheme == "random_normal":
        return scale
    variance, counted = _FANS[scheme.partition("_")[0]]
    inputs, outputs = _fans(shape)
    fan = (inputs + outputs) / 2 if counted == "average" else inputs
    return math.sqrt(variance / max(fan, 1))


def _p_value(values: Floats, scheme: str, shape: tuple[int, ...], scale: float) -> float:
    """Probability of values at least this far from a scheme, if they come from it."""
    from scipy.special import ndtr  # imported on use: it takes longer than the whole grader

    deviation = _deviation(scheme, shape, scale)
    places: Any
    if scheme.endswith("uniform"):
        limit = deviation * math.sqrt(3)
        places = (values + limit) / (2 * limit)
    elif scheme == "random_normal":
        places = ndtr(values / deviation)
    else:
        parent = deviation / _CUT_DEVIATION
        low, high = ndtr(-_CUT), ndtr(_CUT)
        places = (ndtr(values / parent) - low) / (high - low)
    outside = float(np.mean((places < -1e-6) | (places > 1 + 1e-6)))
    if outside:
        return 0.0
    return distribution(np.clip(places, 0.0, 1.0))[1]


_TOLD: Final[dict[WeightCode, tuple[str, str]]] = {
    WeightCode.NOT_FINITE: (
        "There are weights that are not finite (NaN or infinity) before any training.",
        "Look at the initialiser: a division by zero or a logarithm of zero lies in it."),
    WeightCode.UNITS_ALIKE: (
        "Units of a layer begin with the same weights.",
        "Draw kernels at random. Units that begin alike get the same gradients and stay alike."),
    WeightCode.OTHER_DISTRIBUTION: (
        "Kernels are drawn from another distribution than the one asked for.",
        "Pass `kernel_initializer=` to the layer, such as `\"he_normal\"`."),
    WeightCode.BIAS_NOT_ZERO: (
        "Biases do not begin at zero.",
        "Leave `bias_initializer` out: `\"zeros\"` is what layers use by themselves."),
}  # fmt: skip


def _finding(code: WeightCode, group: list[tuple[WeightTrial, str, str]], where: str) -> Finding:
    claim, advice = _TOLD[code]
    trial, expected, received = group[0]
    layer = f"layer {trial.layer} ({trial.kind}, {trial.role} of shape {trial.shape})"
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=where,
        expected=expected, received=f"{received} in {layer}{more}", try_=advice,
    )  # fmt: skip
