"""Proofs that a network is what its description says.

The description comes from the student's process and is a claim. Two ways lead to a proof, and both
compare outputs on inputs that were drawn after the claim was made:

- by rebuilding: a process without student code builds the network from description and weights;
- by transplanting: the student's network gets random weights and must answer like the expected
  network with the same weights, and so it must with the weights it was built with, before and
  after. This needs no description.

A network that was rebuilt from its description and answers otherwise contradicts itself; that is
the end of it.

The student's network is asked in the ordinary way, with nothing of the tracing in place: several
times, with batches of several sizes and looks, in a compiled function, and in training mode too
where its layers say that this changes nothing. Every answer is compared, so a network that shows
other layers to its readers than to its users is not proven.

Outputs that are the same for every input agree with too many descriptions to prove one. Then the
network gets other weights, is described again, and is rebuilt from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from grader.probes.context import ProbeContext
from grader.probes.inspection import ask_inspector
from grader.probes.network_agreement import finite, tolerance_of, varies
from grader.probes.network_claim import (
    Claim,
    as_sent,
    describe_network,
    forward,
    write_weights,
)
from grader.probes.network_inputs import DrawnInputs
from grader.probes.network_live import fits, live_nodes, without_dead_ends
from grader.probes.network_observations import Observation, Outputs, furthest, to_ask
from grader.probes.network_transplant import he_normal, transplanted
from grader.records.messages import Rebuild
from grader.records.network_evidence import GraphNode, NetworkGraph, NetworkProof, ProofMethod
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]

_OTHER_WEIGHTS_SEED: Final = 71
_BATCH: Final = 8
_OTHER_BATCH: Final = 5
_GAINS: Final = (1.0, 0.5, 0.25)
"""Scales of the other weights; the smaller ones bring a saturated softmax or sigmoid to life."""
_TRAINING_SEED: Final = 73
_TRAINING_BATCH: Final = 5
_RANDOM_SETTINGS: Final = ("dropout", "recurrent_dropout", "dropout_rate")
_OTHER_OUTPUTS: Final = "a network of exactly these layers and weights gives other outputs"


def prove(
    context: ProbeContext,
    worker: Worker,
    inputs: DrawnInputs,
    claim: Claim | None,
    seen: Sequence[Observation],
    own: Outputs | None,
) -> NetworkProof:
    """Proves the student's network in one of the two ways; changes its weights on the second.

    Args:
        context: the part.
        worker: holds the network as `model0`.
        inputs: of the network.
        claim: None if the network could not be described.
        seen: what the network answered; empty if it did not. The first is to noise.
        own: its weights, read before it was asked anything; None if they could not be read.

    Raises:
        GraderFault: the expected network is too large to be built; the assignment's author must
            act.
    """
    proof = _unproven("the network could not be described")
    if not seen:
        proof = _unproven("the network did not answer")
    elif claim is not None:
        # One rebuilding answers for both modes where all layers do the same in both.
        alike = not any(_is_other_in_training(node) for node in live_nodes(claim.graph))
        trained = _in_training(worker, inputs) if alike else ()
        proof = _rebuilt(context, claim, (*seen, *trained))
        if proof.method is ProofMethod.REBUILT and _tells_apart(seen, claim):
            return proof if trained else _also_in_training(context, worker, inputs, claim, proof)
        if proof.reason == _OTHER_OUTPUTS and trained:
            proof = _rebuilt(context, claim, seen)
            if proof.method is ProofMethod.REBUILT:
                return _OTHER_IN_TRAINING
        if proof.reason == _OTHER_OUTPUTS:
            return proof
    if worker.ended or own is None or not seen:
        return _inconclusive(proof)
    try:
        found = transplanted(context, worker, inputs, own, seen)
        if found is None and claim is not None and proof.method is ProofMethod.REBUILT:
            found = _rebuilt_with_other_weights(context, worker, inputs, claim, own)
        return found or _inconclusive(proof)
    except WorkerIncident as error:
        return _unproven(f"{_inconclusive(proof).reason}; {error.incident.message}")


def _tells_apart(seen: Sequence[Observation], claim: Claim) -> bool:
    """Whether the outputs differ from input to input by more than may be rounding."""
    return varies(seen[0].outputs, tolerance_of(claim.graph))


def _unproven(reason: str) -> NetworkProof:
    return NetworkProof(method=ProofMethod.NONE, reason=clean_line(reason, 400))


def _inconclusive(proof: NetworkProof) -> NetworkProof:
    if proof.method is ProofMethod.NONE:
        return proof
    return NetworkProof(
        method=ProofMethod.NONE,
        difference=proof.difference,
        tolerance=proof.tolerance,
        reason="the outputs are the same for every input, which fits any layers",
    )


def _rebuilt(
    context: ProbeContext, claim: Claim, seen: Sequence[Observation], *, training: bool = False
) -> NetworkProof:
    """The proof by rebuilding: every answer must be that of the rebuilt network."""
    tolerance = tolerance_of(claim.graph)
    if not fits(claim.graph, max(len(single.batch[0]) for single in seen)):
        return _unproven("it is too large to be rebuilt")
    request = Rebuild(
        graph=without_dead_ends(claim.graph).plain(),
        weights=claim.weights,
        batches=tuple(map(as_sent, to_ask(seen))),
        training=training,
    )
    try:
        answers = ask_inspector(context.source, request, "rebuilding the network")
    except WorkerIncident as error:
        return _unproven(error.incident.message or "it could not be rebuilt")
    largest = furthest(seen, answers, tolerance)
    if largest is not None and largest <= tolerance:
        return NetworkProof(method=ProofMethod.REBUILT, difference=largest, tolerance=tolerance)
    return NetworkProof(
        method=ProofMethod.NONE,
        difference=largest,
        tolerance=tolerance,
        reason=_OTHER_OUTPUTS
        if finite(seen[0].outputs)
        else "outputs that are not finite numbers cannot be compared",
    )


# --- in training mode -----------------------------------------------------------------------------


_OTHER_IN_TRAINING: Final = _unproven(
    "called with training=True, the network computes something else than the layers it is "
    "described by"
)


def _is_other_in_training(node: GraphNode) -> bool:
    return _draws_numbers(node) or _learns_from_batches(node)


def _in_training(worker: Worker, inputs: DrawnInputs) -> tuple[Observation, ...]:
    """What the network answers when it is told that it is trained; nothing if it does not."""
    batch = inputs.draw(_TRAINING_SEED, _TRAINING_BATCH)
    try:
        (outputs,) = forward(
            worker, "model0", [batch], "calling the network with training=True", training=True
        )
    except WorkerIncident:
        return ()
    return (Observation(batch, outputs),)


def _also_in_training(
    context: ProbeContext,
    worker: Worker,
    inputs: DrawnInputs,
    claim: Claim,
    proof: NetworkProof,
) -> NetworkProof:
    """The proof, if the network is also the one described when it is told that it is trained.

    Layers that draw random numbers in training cannot be compared there; without them, the answers
    must be those of the description.
    """
    if any(_draws_numbers(node) for node in live_nodes(claim.graph)):
        return proof
    batch = inputs.draw(_TRAINING_SEED, _TRAINING_BATCH)
    stage = "calling the network with training=True"
    try:
        (outputs,) = forward(worker, "model0", [batch], stage, training=True)
        seen = [Observation(batch, outputs)]
        if not any(_learns_from_batches(node) for node in live_nodes(claim.graph)):
            found = _rebuilt(context, claim, seen)
            return proof if found.method is ProofMethod.REBUILT else _OTHER_IN_TRAINING
        traced = inputs.draw(_TRAINING_SEED + 1, _TRAINING_BATCH)
        graph, weights = describe_network(worker, "model0", traced, training=True)
    except WorkerIncident as error:
        return _unproven(f"called with training=True, the network ends: {error.incident.message}")
    if _structure(graph, told=False) != _structure(claim.graph, told=False):
        return _OTHER_IN_TRAINING
    found = _rebuilt(context, Claim(graph, weights), seen, training=True)
    return proof if found.method is ProofMethod.REBUILT else _OTHER_IN_TRAINING


def _draws_numbers(node: GraphNode) -> bool:
    """Whether a layer gives other numbers every time it is called in training."""
    if node.kind.startswith("Random") or node.kind in ("GaussianNoise", "SpectralNormalization"):
        return True
    if "Dropout" in node.kind:
        return node.config.get("rate") != 0
    return _has_random_setting(node.config)


def _has_random_setting(value: JsonValue) -> bool:
    match value:
        case dict():
            return any(
                (name in _RANDOM_SETTINGS and item not in (0, None)) or _has_random_setting(item)
                for name, item in value.items()
            )
        case list():
            return any(map(_has_random_setting, value))
        case str():
            return "Dropout" in value or value == "GaussianNoise"
    return False


def _learns_from_batches(node: GraphNode) -> bool:
    return "BatchNormalization" in f"{node.kind} {node.config}"


# --- with other weights ---------------------------------------------------------------------------


def _rebuilt_with_other_weights(
    context: ProbeContext, worker: Worker, inputs: DrawnInputs, claim: Claim, own: Outputs
) -> NetworkProof | None:
    """The proof by rebuilding, under weights with which the outputs depend on the input.

    With its own weights back, the network must answer as before.
    """
    for number, gain in enumerate(_GAINS):
        generator = np.random.default_rng([_OTHER_WEIGHTS_SEED, number])
        drawn = tuple(_other(array, gain, generator) for array in own)
        write_weights(worker, "model0", drawn)
        traced = inputs.draw(_OTHER_WEIGHTS_SEED + number, 2)
        again = Claim(*describe_network(worker, "model0", traced))
        if _structure(again.graph) != _structure(claim.graph):
            return None
        batch = inputs.draw(_OTHER_WEIGHTS_SEED + 10 + number, _BATCH)
        other = inputs.draw(_OTHER_WEIGHTS_SEED + 20 + number, _OTHER_BATCH)
        row = tuple(array[:1] for array in batch)
        stage = "calling the network with other weights"
        seen = [
            Observation(single, forward(worker, "model0", [single], stage)[0])
            for single in (batch, batch, row, other)
        ]
        if _tells_apart(seen, again):
            proof = _rebuilt(context, again, seen)
            if proof.method is not ProofMethod.REBUILT:
                return None
            proof = _also_in_training(context, worker, inputs, again, proof)
            write_weights(worker, "model0", own)
            stage = "calling the network with its first weights"
            back = [Observation(other, forward(worker, "model0", [other], stage)[0])]
            if _rebuilt(context, claim, back).method is not ProofMethod.REBUILT:
                return None
            return proof
    return None


def _other(array: Array, gain: float, generator: np.random.Generator) -> Array:
    """Weights of the same shape: kernels as He et al. 2015 draw them, times a gain.

    Vectors are drawn from [0.5, 1.5], because a variance or a scale among them must be positive.
    """
    if array.dtype.kind != "f":
        return array
    if array.ndim < 2:
        return generator.uniform(0.5, 1.5, array.shape).astype(array.dtype)
    return he_normal(array.shape, generator, gain).astype(array.dtype)


def _structure(graph: NetworkGraph, *, told: bool = True) -> list[tuple[object, ...]]:
    """What stays when the weights change: a few figures of an `affine` are measured anew.

    Args:
        graph: of a network.
        told: whether it counts what layers are told of being trained.
    """
    return [
        (
            node.source,
            node.kind,
            node.inputs,
            node.layer,
            None if node.layer is None else node.config,
            {
                name: value
                for name, value in node.call_arguments.items()
                if told or name != "training"
            },
        )
        for node in graph.nodes
    ]
