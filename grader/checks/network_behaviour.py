"""Does the network answer as what it is meant to be, such as an action-value function?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import JudgeInput
from grader.checks.architecture.expected import canonical_shapes, expected_networks
from grader.checks.incidents import incident_verdict
from grader.checks.interface import graded, interface_verdict
from grader.checks.network_codes import NetworkCode
from grader.checks.network_interface import ending_incident, unexamined_verdict
from grader.checks.network_output_shape import judge_shape
from grader.records.incident import Incident, IncidentKind
from grader.records.layer_families import Attribute
from grader.records.network_evidence import (
    BehaviourTrial,
    NetworkEvidence,
    NetworkGraph,
    NetworkProof,
    ProofMethod,
)
from grader.records.network_settings import NetworkSettings
from grader.records.result import Finding, Severity, Verdict

RELATIVE_TOLERANCE: Final = 1e-4
"""Largest difference, relative to the largest output, that counts as the same answer.

float32 carries 24 bits (6e-8). Adding up the few thousand products behind an output in another
order, as happens for another batch size, moves it by about 1e-6; a hundred times that is left as
room. Layers that mix up the batch (batch normalisation in training mode) or draw random numbers
(dropout in training mode) move it by far more."""

CONSTANT_TOLERANCE: Final = 1e-6
"""Outputs for different inputs that are nearer than this, relative to the largest, are the same."""

SUM_TOLERANCE: Final = 1e-3
"""How near to 1 the outputs for one input must add up to be taken for probabilities."""

COSTS: Final[Mapping[str, float]] = {
    NetworkCode.NOT_FINITE: 1.0,
    NetworkCode.CONSTANT: 0.75,
    NetworkCode.NOT_REPEATABLE: 0.5,
    NetworkCode.BATCH_DEPENDENT: 0.5,
    NetworkCode.SUMS_TO_ONE: 0.5,
    NetworkCode.NEVER_NEGATIVE: 0.5,
    NetworkCode.NO_PROBABILITIES: 0.5,
    NetworkCode.UNPROVEN: 1.0,
    NetworkCode.NO_WEIGHTS: 1.0,
    NetworkCode.NO_NUMBERS: 1.0,
}
"""Share of the points that is lost with each finding about the outputs.

Everything: no action can be chosen, or it is not known what chooses it. Three quarters: one can,
and it has nothing to do with the game. Half: the values cannot be those of an action-value
function, and order actions all the same.
"""


def judge_behaviour(given: JudgeInput) -> Verdict:
    """Whether the outputs can be action values; each property that does not hold costs.

    1. The output has the shape asked for, such as (batch, num_actions), for every call.
    2. All outputs are finite.
    3. Different inputs give different outputs.
    4. The same batch asked again gives the same outputs.
    5. An input asked alone gives the same output as in a batch.
    6. Action values are not confined: neither do they add up to 1, nor are they cut off at 0;
       probabilities do add up to 1.

    7. The outputs come from the network's layers and weights, as the proof of the network says.
    8. Where layers with weights are asked for, some weights take part in the output.

    Numbers that are not finite show none of 3 to 6, and a constant output shows none of 4 to 6.
    Where one of these does not hold, 7 and 8 say nothing more.
    """
    evidence: NetworkEvidence = given.evidence
    settings: NetworkSettings = given.part_settings
    if (blocked := interface_verdict(evidence)) is not None:
        return blocked
    trial = evidence.behaviour
    shape_cost, shape_finding = judge_shape(evidence, settings)
    if trial is not None and trial.incident is not None:
        return incident_verdict(trial.incident, *shape_finding, place=evidence.place("builder"))
    if trial is None or not evidence.builds:
        absent = Incident(
            kind=IncidentKind.FAULT,
            stage="asking the network",
            message="the evidence does not say what the network answered",
        )
        ended = ending_incident(evidence)
        if ended is None and (unexamined := unexamined_verdict(evidence, settings)) is not None:
            return unexamined
        return incident_verdict(ended or absent, place=evidence.place("builder"))
    findings = _judge_outputs(trial, settings, evidence.place("builder"))
    if not findings and evidence.proof is not None:
        findings = _judge_origin(evidence.proof, evidence.place("builder"))
    if not findings and evidence.graph is not None and _asks_for_weights(settings):
        findings = _judge_weights(evidence.graph, evidence.place("builder"))
    cost = shape_cost + sum(COSTS[finding.code] for finding in findings)
    return graded(1.0 - cost, (*shape_finding, *findings))


def _judge_outputs(
    trial: BehaviourTrial, settings: NetworkSettings, place: str
) -> tuple[Finding, ...]:
    """A finding for each of the properties 2 to 6 that does not hold."""
    if trial.outputs is None or trial.outputs.array().dtype.kind not in "fiu":
        return (_no_numbers(place),)
    raw = trial.outputs.array().astype(np.float64)
    values = raw.reshape(raw.shape[0], -1) if raw.ndim and raw.size else np.zeros((0, 1))
    broken = int(np.count_nonzero(~np.isfinite(values)))
    if broken:
        received = f"{broken} of {values.size} outputs are NaN or infinite"
        return (_not_finite(received, place),)
    magnitude = float(np.max(np.abs(values), initial=0.0))
    spread = float(np.max(np.ptp(values, axis=0))) if len(values) else 0.0
    if spread <= CONSTANT_TOLERANCE * magnitude:
        return (_constant(place),)
    return (
        *_differing(trial, max(magnitude, trial.magnitude or 0.0), place),
        *_kind_findings(values, settings, place),
    )


def _not_finite(received: str, place: str) -> Finding:
    return Finding(
        code=NetworkCode.NOT_FINITE,
        severity=Severity.ERROR,
        claim="Some outputs are not finite numbers.",
        where=place,
        expected="finite numbers",
        received=received,
        try_="Look for a division by zero, a logarithm or an exponential of large numbers, and "
        "weights that were not initialised.",
    )


def _no_numbers(place: str) -> Finding:
    return Finding(
        code=NetworkCode.NO_NUMBERS,
        severity=Severity.ERROR,
        claim="The output is no array of numbers.",
        where=place,
        expected="floating-point numbers, with one row for each input",
        received="something else, such as True and False, or one number for all inputs",
        try_="Return what the last layer gives: leave out a comparison such as `x > 0`, and a sum "
        "or mean over the batch.",
    )


def _constant(place: str) -> Finding:
    return Finding(
        code=NetworkCode.CONSTANT,
        severity=Severity.ERROR,
        claim="The network gives the same output for every input.",
        where=place,
        expected="outputs that depend on the input",
        received=f"outputs that differ by no more than {CONSTANT_TOLERANCE:g} of the largest",
        try_="Look for weights initialised with zeros, a sigmoid or tanh driven to its limit by "
        "unscaled pixels, and an input that is not passed on.",
    )


def _differing(trial: BehaviourTrial, scale: float, place: str) -> tuple[Finding, ...]:
    """Findings about answers that change although the input does not."""
    cases = (
        (
            trial.repeat_difference,
            NetworkCode.NOT_REPEATABLE,
            "The same inputs asked again give other outputs.",
            "the same outputs for the same inputs",
            "Look for random numbers in `call`, and for layers called with `training=True`.",
        ),
        (
            trial.single_difference,
            NetworkCode.BATCH_DEPENDENT,
            "An input gives another output alone than in a batch with others.",
            "outputs that depend on their own input only",
            "Look for a mean over axis 0, a softmax over the batch, or batch normalisation called "
            "with `training=True`.",
        ),
    )
    return tuple(
        Finding(
            code=code,
            severity=Severity.ERROR,
            claim=claim,
            where=place,
            expected=f"{expected}, up to {RELATIVE_TOLERANCE:g} of the largest output",
            # No figure: what random numbers do differs from run to run.
            received="outputs that could not be compared"
            if difference is None
            else "outputs that differ by more than that",
            try_=advice,
        )
        for difference, code, claim, expected, advice in cases
        if difference is None or not difference <= RELATIVE_TOLERANCE * scale
    )


def _judge_origin(proof: NetworkProof, place: str) -> tuple[Finding, ...]:
    """The finding that nobody knows what answered: any function can behave like a network."""
    if proof.method is not ProofMethod.NONE:
        return ()
    return (
        Finding(
            code=NetworkCode.UNPROVEN,
            severity=Severity.ERROR,
            claim="The answers could not be shown to come from the layers and weights of the "
            "network.",
            where=place,
            expected="outputs that follow from the network's layers and weights",
            received="outputs of the right form that something else may have made",
            try_="Let nothing but Keras' own layers compute the output; the check of the layers "
            "says what is in the way.",
        ),
    )


def _asks_for_weights(settings: NetworkSettings) -> bool:
    """Whether each network that is accepted has a layer with weights that must be there."""
    networks = expected_networks(settings, canonical_shapes(settings, None))
    return all(
        any(layer.is_required and Attribute.WEIGHTS in layer.rules for layer in network.layers)
        for network in networks
    )


def _judge_weights(graph: NetworkGraph, place: str) -> tuple[Finding, ...]:
    """The finding that nothing with weights leads to the output."""
    nodes = {node.index: node for node in graph.nodes}
    reached: set[int] = set()
    waiting = list(graph.outputs)
    while waiting:
        index = waiting.pop()
        if index in nodes and index not in reached:
            reached.add(index)
            waiting.extend(nodes[index].inputs)
    if any(nodes[index].parameters for index in reached):
        return ()
    return (
        Finding(
            code=NetworkCode.NO_WEIGHTS,
            severity=Severity.ERROR,
            claim="No layer with weights has a part in the output.",
            where=place,
            expected="outputs computed with weights that training can change",
            received="outputs computed from the input alone",
            try_="Pass the data through the layers that the assignment asks for, and return what "
            "the last of them gives.",
        ),
    )


def _kind_findings(
    values: npt.NDArray[np.float64], settings: NetworkSettings, place: str
) -> tuple[Finding, ...]:
    """Whether the outputs are of the kind that is asked for."""
    if settings.returns == "numbers":
        return ()
    if settings.returns == "q_values":
        return _confined(values, place)
    sums = values.sum(axis=1)
    if values.min() >= 0.0 and np.all(np.abs(sums - 1.0) <= SUM_TOLERANCE):
        return ()
    return (
        Finding(
            code=NetworkCode.NO_PROBABILITIES,
            severity=Severity.ERROR,
            claim="The outputs are no probabilities.",
            where=place,
            expected="numbers of at least 0 that add up to 1 for each input",
            received="negative outputs" if values.min() < 0.0 else "outputs with other sums",
            try_="Give the last layer `activation='softmax'`, which takes all its outputs "
            "together.",
        ),
    )


def _confined(values: npt.NDArray[np.float64], place: str) -> tuple[Finding, ...]:
    """The finding about outputs that cannot take every value, if they are so.

    Args:
        values: (batch, num_actions), finite and not constant.
        place: `file:line` of the builder.
    """
    if values.min() >= 0.0 and np.all(np.abs(values.sum(axis=1) - 1.0) <= SUM_TOLERANCE):
        return (
            Finding(
                code=NetworkCode.SUMS_TO_ONE,
                severity=Severity.ERROR,
                claim="The outputs for each input add up to 1, like probabilities.",
                where=place,
                expected="values that may have any sign and size",
                received="positive outputs that add up to 1, as a softmax gives",
                try_="Remove the softmax: a Q-value is an expected return, not a probability.",
            ),
        )
    # A linear layer practically never gives exactly 0; a rectifier does for every negative value.
    if values.min() >= 0.0 and bool(np.any(values == 0.0)):
        return (
            Finding(
                code=NetworkCode.NEVER_NEGATIVE,
                severity=Severity.ERROR,
                claim="The outputs are cut off at 0.",
                where=place,
                expected="values that may have any sign and size",
                received="no negative output, and some that are exactly 0, as a ReLU gives",
                try_="Remove the activation of the last layer: a return can be negative.",
            ),
        )
    return ()
