"""Proofs that a network is what its description says.

The description comes from the student's process and is a claim. Two ways lead to a proof, and both
compare outputs on inputs that were drawn after the claim was made:

- by rebuilding: a process without student code builds the network from description and weights;
- by transplanting: the student's network gets random weights and must answer like the expected
  network with the same weights. This needs no description.

Outputs that are the same for every input agree with too many descriptions to prove one. Then the
network gets other weights, is described again, and is rebuilt from that.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from grader.errors import GraderFault
from grader.probes.context import ProbeContext, expect, parsed
from grader.probes.inspection import ask_inspector
from grader.records.messages import (
    Describe,
    Description,
    Forward,
    ReadWeights,
    Rebuild,
    Reference,
    WriteWeights,
)
from grader.records.network_evidence import NetworkGraph, NetworkProof, ProofMethod
from grader.records.settings import NetworkSettings
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]

_TRANSPLANT_SEED: Final = 61
_OTHER_WEIGHTS_SEED: Final = 71
_BATCH: Final = 8
_GAINS: Final = (1.0, 0.5, 0.25)
"""Scales of the other weights; the smaller ones bring a saturated softmax or sigmoid to life."""
_GRAPH_CHARS: Final = 1 << 20
RELATIVE_TOLERANCE: Final = 1e-4
"""Largest difference of outputs that counts as rounding, relative to the largest output.

A float32 sum of n terms is off by about sqrt(n) · 6e-8 of their size; the longest sum in the
networks of this subject has a few thousand terms, and a network has a handful of layers. That is
below 1e-5; ten times as much is allowed.
"""


def draw_inputs(
    settings: NetworkSettings, shape: tuple[int, ...], seed: int, batch: int
) -> npt.NDArray[np.float32]:
    """A batch of whole-numbered inputs in the assignment's range, shape (batch, *shape)."""
    low, high = settings.input_range
    generator = np.random.default_rng(seed)
    drawn = generator.uniform(low, high, (batch, *shape))
    return (np.rint(drawn) if high - low >= 2 else drawn).astype(np.float32)


def forward(worker: Worker, name: str, batches: list[Array], stage: str) -> list[Array]:
    """The first output of the student's network for each batch.

    Raises:
        WorkerIncident: the network did not answer, or not with arrays.
    """
    answer = worker.ask(Forward(target=name, batches=tuple(batches)), stage)
    outputs: list[Array] = []
    expect(isinstance(answer, list) and len(answer) == len(batches), stage, "answers are missing")
    for listed in answer:
        expect(
            isinstance(listed, list) and len(listed) > 0 and isinstance(listed[0], np.ndarray),
            stage,
            "the network's output is no array",
        )
        outputs.append(listed[0])
    return outputs


# --- the claim ----------------------------------------------------------------------------------


def describe_network(
    worker: Worker, name: str, inputs: Array
) -> tuple[NetworkGraph, tuple[Array, ...]]:
    """What the worker says its network consists of, and the arrays of its weights.

    Raises:
        WorkerIncident: it could not say, or what it says makes no graph.
    """
    stage = "following a forward pass through the network"
    description = parsed(
        Description, worker.ask(Describe(target=name, inputs=inputs), stage), stage
    )
    weights = description.weights
    expect(all(isinstance(item, np.ndarray) for item in weights), stage, "weights are no arrays")
    try:
        graph = _cleaned(NetworkGraph.parse(description.graph))
    except (ValueError, TypeError) as error:
        expect(False, stage, f"the network's description is malformed ({type(error).__name__})")
        raise
    expect(_well_formed(graph, len(weights)), stage, "the network's description makes no graph")
    return graph, weights


def _cleaned(graph: NetworkGraph) -> NetworkGraph:
    """The graph with all text made safe to show.

    Raises:
        ValueError: it is too long.
    """
    if len(json.dumps(graph.plain())) > _GRAPH_CHARS:
        raise ValueError("the description is too long")
    nodes = tuple(
        node.model_copy(
            update={
                "kind": clean_line(node.kind, 100),
                "name": clean_line(node.name, 200),
                "config": {clean_line(k, 100): _clean_value(v) for k, v in node.config.items()},
            }
        )
        for node in graph.nodes
    )
    unused = tuple(clean_line(name, 100) for name in graph.unused_layers)
    return graph.model_copy(update={"nodes": nodes, "unused_layers": unused})


def _clean_value(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return clean_line(value)
        case list():
            return [_clean_value(item) for item in value]
        case dict():
            return {clean_line(key, 100): _clean_value(item) for key, item in value.items()}
    return value


def _well_formed(graph: NetworkGraph, weights: int) -> bool:
    """Whether every node reads earlier ones only and all numbers refer to something."""
    ordered = all(
        node.index == position
        and all(-1 <= source < position for source in node.inputs)
        and all(0 <= number < weights for number in node.weights)
        and all(side >= 0 for side in node.output_shape)
        and node.parameters >= 0
        for position, node in enumerate(graph.nodes)
    )
    return (
        ordered
        and len(graph.outputs) > 0
        and all(-1 <= node < len(graph.nodes) for node in graph.outputs)
    )


# --- the proofs ---------------------------------------------------------------------------------


def prove(
    context: ProbeContext,
    worker: Worker,
    shape: tuple[int, ...],
    graph: NetworkGraph | None,
    weights: tuple[Array, ...],
    batch: Array,
    outputs: Array | None,
) -> NetworkProof:
    """Proves the student's network in one of the two ways; changes its weights on the second.

    Args:
        context: the part.
        worker: holds the network as `model0`.
        shape: of one input.
        graph: the claim; None if the network could not be described.
        weights: the arrays the claim refers to.
        batch: inputs drawn after the claim.
        outputs: what the network answered to them; None if it did not.

    Raises:
        GraderFault: the expected network cannot be built; the assignment's author must act.
    """
    proof = NetworkProof(method=ProofMethod.NONE, reason="the network could not be described")
    if outputs is None:
        proof = NetworkProof(method=ProofMethod.NONE, reason="the network did not answer")
    elif graph is not None:
        proof = _rebuilt(context, graph, weights, batch, outputs)
        if proof.method is ProofMethod.REBUILT and _varies(outputs):
            return proof
    if worker.ended:
        return _inconclusive(proof)
    try:
        return (
            _transplanted(context, worker, shape)
            or (
                _rebuilt_with_other_weights(context, worker, shape, graph)
                if graph is not None and proof.method is ProofMethod.REBUILT
                else None
            )
            or _inconclusive(proof)
        )
    except WorkerIncident as error:
        reason = f"{_inconclusive(proof).reason}; {error.incident.message}"
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


def _varies(outputs: Array) -> bool:
    """Whether outputs differ from input to input by more than rounding."""
    if outputs.size == 0 or outputs.ndim == 0 or not np.isfinite(outputs).all():
        return False
    values = outputs.reshape(len(outputs), -1).astype(np.float64)
    spread = float(np.max(np.ptp(values, axis=0), initial=0.0)) if values.size else 0.0
    return spread > RELATIVE_TOLERANCE * float(np.max(np.abs(values), initial=0.0))


def _difference(first: Array, second: Array) -> float | None:
    """Largest difference relative to the largest value; None if shapes differ or NaN is there."""
    if first.shape != second.shape or not (np.isfinite(first).all() and np.isfinite(second).all()):
        return None
    scale = max(float(np.max(np.abs(second), initial=0.0)), 1e-6)
    return float(np.max(np.abs(first.astype(np.float64) - second), initial=0.0)) / scale


def _rebuilt(
    context: ProbeContext,
    graph: NetworkGraph,
    weights: tuple[Array, ...],
    batch: Array,
    outputs: Array,
) -> NetworkProof:
    try:
        (answer,) = ask_inspector(
            context.source,
            Rebuild(graph=graph.plain(), weights=weights, batches=(batch,)),
            "rebuilding the network",
        )
    except WorkerIncident as error:
        reason = clean_line(error.incident.message, 400) or "it could not be rebuilt"
        return NetworkProof(method=ProofMethod.NONE, reason=reason)
    difference = _difference(outputs, np.asarray(answer[0])) if answer else None
    if difference is not None and difference <= RELATIVE_TOLERANCE:
        return NetworkProof(
            method=ProofMethod.REBUILT, difference=difference, tolerance=RELATIVE_TOLERANCE
        )
    return NetworkProof(
        method=ProofMethod.NONE,
        difference=difference,
        tolerance=RELATIVE_TOLERANCE,
        reason="a network of exactly these layers and weights gives other outputs"
        if np.isfinite(outputs).all()
        else "outputs that are not finite numbers cannot be compared",
    )


def _rebuilt_with_other_weights(
    context: ProbeContext, worker: Worker, shape: tuple[int, ...], claimed: NetworkGraph
) -> NetworkProof | None:
    """The proof by rebuilding, under weights with which the outputs depend on the input."""
    settings: NetworkSettings = context.settings
    read = worker.ask(ReadWeights(target="model0"), "reading the network's weights")
    if not isinstance(read, list) or not all(isinstance(item, np.ndarray) for item in read):
        return None
    for number, gain in enumerate(_GAINS):
        generator = np.random.default_rng([_OTHER_WEIGHTS_SEED, number])
        drawn = tuple(_other(array, gain, generator) for array in read)
        worker.ask(WriteWeights(target="model0", weights=drawn), "setting the network's weights")
        traced = draw_inputs(settings, shape, _OTHER_WEIGHTS_SEED + number, 2)
        graph, weights = describe_network(worker, "model0", traced)
        if _structure(graph) != _structure(claimed):
            return None
        batch = draw_inputs(settings, shape, _OTHER_WEIGHTS_SEED + 10 + number, _BATCH)
        (outputs,) = forward(worker, "model0", [batch], "calling the network with other weights")
        if outputs.dtype.kind in "fiu" and _varies(outputs):
            proof = _rebuilt(context, graph, weights, batch, outputs)
            return proof if proof.method is ProofMethod.REBUILT else None
    return None


def _other(array: Array, gain: float, generator: np.random.Generator) -> Array:
    """Weights of the same shape: kernels as He et al. 2015 draw them, times a gain.

    Vectors are drawn from [0.5, 1.5], because a variance or a scale among them must be positive.
    """
    if array.dtype.kind != "f":
        return array
    if array.ndim < 2:
        return generator.uniform(0.5, 1.5, array.shape).astype(array.dtype)
    return _he(array.shape, generator, gain).astype(array.dtype)


def _he(side: tuple[int, ...], generator: np.random.Generator, gain: float = 1.0) -> Array:
    fan_in = max(1, int(np.prod(side[:-1])))
    return generator.normal(0, gain * np.sqrt(2 / fan_in), side)


def _structure(graph: NetworkGraph) -> list[tuple[object, ...]]:
    """What stays when the weights change: a few figures of an `affine` are measured anew."""
    return [
        (
            node.source,
            node.kind,
            node.inputs,
            node.layer,
            None if node.layer is None else node.config,
        )
        for node in graph.nodes
    ]


def _expected_layers(settings: NetworkSettings) -> tuple[dict[str, Any], ...]:
    layers = []
    for pattern in settings.layers:
        plain = pattern.plain()
        if plain.get("units") == "num_actions":
            plain["units"] = settings.num_actions[0]
        layers.append(plain)
    return tuple(layers)


def _channels_last(settings: NetworkSettings, shape: tuple[int, ...], batch: Array) -> Array:
    """Inputs in the axis order of the first accepted shape, which the expected layers take."""
    wanted = settings.input_shapes[0]
    if shape == wanted or len(shape) != len(wanted):
        return batch
    return np.moveaxis(batch, 1, -1)


def _transplanted(
    context: ProbeContext, worker: Worker, shape: tuple[int, ...]
) -> NetworkProof | None:
    """The proof by random weights, or None when the networks' weights have other shapes."""
    settings: NetworkSettings = context.settings
    layers, wanted = _expected_layers(settings), settings.input_shapes[0]
    try:
        sides = ask_inspector(
            context.source, Reference(layers=layers, input_shape=wanted), "the expected network"
        )
    except WorkerIncident as error:
        raise GraderFault(f"the expected network cannot be built: {error}") from error
    read = worker.ask(ReadWeights(target="model0"), "reading the network's weights")
    if not isinstance(read, list) or not all(isinstance(item, np.ndarray) for item in read):
        return None
    if [list(array.shape) for array in read] != sides:
        return None
    generator = np.random.default_rng(_TRANSPLANT_SEED)
    weights = tuple(_he(tuple(side), generator).astype(np.float32) for side in sides)
    batch = draw_inputs(settings, shape, _TRANSPLANT_SEED, _BATCH)
    worker.ask(WriteWeights(target="model0", weights=weights), "setting the network's weights")
    (outputs,) = forward(worker, "model0", [batch], "calling the network with other weights")
    same_order = _channels_last(settings, shape, batch)
    candidates = (
        same_order, same_order / 255, same_order / 256, same_order / 127.5 - 1,
        (same_order - 128) / 128,
    )  # fmt: skip
    try:
        answers = ask_inspector(
            context.source,
            Reference(
                layers=layers, input_shape=wanted, weights=weights,
                batches=tuple(np.float32(candidate) for candidate in candidates),
            ),
            "asking the expected network",
        )  # fmt: skip
    except WorkerIncident as error:
        raise GraderFault(f"the expected network cannot be asked: {error}") from error
    differences = [_difference(outputs, answer) for answer in answers]
    best = min((found for found in differences if found is not None), default=None)
    if best is None or best > RELATIVE_TOLERANCE:
        return None
    return NetworkProof(
        method=ProofMethod.TRANSPLANTED, difference=best, tolerance=RELATIVE_TOLERANCE
    )
