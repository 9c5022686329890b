"""Probe of a network builder: build, trace, prove, and ask.

What the worker says about the network is a claim. It is proven by rebuilding the network from the
claim in a process without student code and comparing outputs on inputs that were drawn after the
claim was made; or, where the claim cannot be rebuilt, by giving the student's network random
weights and comparing its answers with those of the expected network with the same weights.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import ProbeKind, Role
from grader.errors import GraderFault
from grader.probes.context import ProbeContext, expect, load
from grader.records.arrays import ArrayRecord
from grader.records.evidence import (
    BehaviourTrial,
    BuildTrial,
    Incident,
    IncidentKind,
    NetworkEvidence,
    NetworkGraph,
    NetworkProof,
    ProofMethod,
)
from grader.records.settings import NetworkSettings
from grader.records.wire import (
    Describe,
    Description,
    Forward,
    Invoke,
    ModelFacts,
    ReadWeights,
    Rebuild,
    Reference,
    WriteWeights,
)
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]

_ENTROPY: Final = 701
_TRACE_SEED: Final = 53
_PROOF_SEED: Final = 59
_TRANSPLANT_SEED: Final = 61
_PROOF_BATCH: Final = 8
RELATIVE_TOLERANCE: Final = 1e-4
"""Largest difference of outputs that counts as rounding, relative to the largest output.

A float32 sum of n terms is off by about sqrt(n) · 6e-8 of their size; the longest sum in the
networks of this subject has a few thousand terms, and a network has a handful of layers. That is
below 1e-5; ten times as much is allowed.
"""


def _inputs(settings: NetworkSettings, shape: tuple[int, ...], seed: int, batch: int) -> Array:
    """A batch of whole-numbered inputs in the assignment's range, as float32."""
    low, high = settings.input_range
    generator = np.random.default_rng(seed)
    drawn = generator.uniform(low, high, (batch, *shape))
    return (np.rint(drawn) if high - low >= 2 else drawn).astype(np.float32)


def _forward(worker: Worker, name: str, batches: list[Array], stage: str) -> list[Array]:
    """The network's single output for each batch."""
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


def _build(
    worker: Worker, settings: NetworkSettings, index: int, shape: tuple[int, ...] | None
) -> tuple[BuildTrial, tuple[int, ...] | None, list[Incident]]:
    """Calls the builder; the first time also finds the input shape the network takes."""
    num_actions = settings.num_actions[index]
    name = f"model{index}"
    stage = f"calling the builder with num_actions={num_actions}"
    rejected: list[Incident] = []
    try:
        worker.ask(
            Invoke(target="builder", arguments={"num_actions": num_actions}, keep=name), stage
        )
        facts = worker.ask(ModelFacts(target=name), stage)
        expect(
            isinstance(facts, dict) and isinstance(facts.get("type"), str),
            stage,
            "malformed answer",
        )
    except WorkerIncident as error:
        return BuildTrial(num_actions=num_actions, incident=error.incident), shape, rejected
    built = {"num_actions": num_actions, "returned": facts["type"][:200]}
    if facts.get("is_model") is not True:
        return BuildTrial(**built), shape, rejected
    for candidate in (shape,) if shape is not None else settings.input_shapes:
        batch = _inputs(settings, candidate, _TRACE_SEED, 2)
        asked = f"calling the network on a batch of shape {batch.shape}"
        try:
            (output,) = _forward(worker, name, [batch], asked)
        except WorkerIncident as error:
            rejected.append(error.incident)
            if error.final:
                break
            continue
        trial = BuildTrial(**built, is_model=True, output_shape=output.shape)
        return trial, candidate, rejected
    # Where one of several shapes was refused by an exception, the network may still be judged as
    # built; where the worker is gone, or the shape of the first network is refused, it is not.
    ended = bool(rejected) and rejected[-1].kind is not IncidentKind.RAISED
    incident = rejected[-1] if shape is not None or ended else None
    return BuildTrial(**built, is_model=True, incident=incident), shape, rejected


def _describe(worker: Worker, inputs: Array) -> tuple[NetworkGraph, tuple[Any, ...]]:
    stage = "following a forward pass through the network"
    answer = worker.ask(Describe(target="model0", inputs=inputs), stage)
    try:
        description = Description.model_validate(answer, strict=True)
        graph = NetworkGraph.parse(description.graph)
    except (ValueError, TypeError, AttributeError) as error:
        expect(False, stage, f"the network's description is malformed ({type(error).__name__})")
        raise
    weights = description.weights
    expect(all(isinstance(item, np.ndarray) for item in weights), stage, "weights are no arrays")
    return graph, weights


def _difference(first: Array, second: Array) -> float | None:
    """Largest difference relative to the largest value; None if shapes differ or NaN is there."""
    if first.shape != second.shape or not (np.isfinite(first).all() and np.isfinite(second).all()):
        return None
    scale = max(float(np.max(np.abs(second), initial=0.0)), 1e-6)
    return float(np.max(np.abs(first.astype(np.float64) - second), initial=0.0)) / scale


def _prove_rebuilt(
    context: ProbeContext,
    graph: NetworkGraph,
    weights: tuple[Any, ...],
    batch: Array,
    outputs: Array,
) -> NetworkProof:
    inspector = context.source.inspector()
    try:
        (answer,) = inspector.ask(
            Rebuild(graph=graph.plain(), weights=weights, batches=(batch,)),
            "rebuilding the network",
        )
    except WorkerIncident as error:
        reason = error.incident.message or "it could not be rebuilt"
        return NetworkProof(method=ProofMethod.NONE, reason=reason)
    difference = _difference(outputs, answer[0]) if answer else None
    if difference is not None and difference <= RELATIVE_TOLERANCE:
        return NetworkProof(
            method=ProofMethod.REBUILT, difference=difference, tolerance=RELATIVE_TOLERANCE
        )
    return NetworkProof(
        method=ProofMethod.NONE,
        difference=difference,
        tolerance=RELATIVE_TOLERANCE,
        reason="a network of exactly these layers and weights gives other outputs",
    )


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


def _prove_transplanted(
    context: ProbeContext, worker: Worker, shape: tuple[int, ...]
) -> NetworkProof | None:
    """The proof by random weights, or None when the networks' weights have other shapes."""
    settings: NetworkSettings = context.settings
    inspector = context.source.inspector()
    layers, wanted = _expected_layers(settings), settings.input_shapes[0]
    try:
        sides = inspector.ask(Reference(layers=layers, input_shape=wanted), "the expected network")
    except WorkerIncident as error:
        raise GraderFault(f"the expected network cannot be built: {error}") from error
    read = worker.ask(ReadWeights(target="model0"), "reading the network's weights")
    if not isinstance(read, list) or [list(np.shape(array)) for array in read] != sides:
        return None
    generator = np.random.default_rng(_TRANSPLANT_SEED)
    weights = tuple(
        generator.normal(0, np.sqrt(2 / max(1, np.prod(side[:-1]))), side).astype(np.float32)
        for side in sides
    )
    batch = _inputs(settings, shape, _TRANSPLANT_SEED, _PROOF_BATCH)
    worker.ask(WriteWeights(target="model0", weights=weights), "setting the network's weights")
    (outputs,) = _forward(worker, "model0", [batch], "calling the network with other weights")
    same_order = _channels_last(settings, shape, batch)
    candidates = (
        same_order, same_order / 255, same_order / 256, same_order / 127.5 - 1,
        (same_order - 128) / 128,
    )  # fmt: skip
    try:
        answers = inspector.ask(
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


def _behaviour(worker: Worker, batch: Array) -> tuple[BehaviourTrial, Array | None]:
    stage = "calling the network on inputs it has not seen"
    try:
        (outputs,) = _forward(worker, "model0", [batch], stage)
        (repeated,) = _forward(worker, "model0", [batch], stage)
        alone = _forward(worker, "model0", [row[None] for row in batch], stage)
    except WorkerIncident as error:
        return BehaviourTrial(incident=error.incident), None
    if outputs.dtype.kind not in "fiu" or outputs.ndim == 0:
        return BehaviourTrial(), None
    singles = np.concatenate(alone) if len({item.shape for item in alone}) == 1 else outputs[:0]
    return (
        BehaviourTrial(
            outputs=ArrayRecord.of(outputs),
            repeat_difference=_absolute(outputs, repeated),
            single_difference=_absolute(outputs, singles),
            magnitude=float(np.max(np.abs(outputs), initial=0.0)),
        ),
        outputs,
    )


def _absolute(first: Array, second: Array) -> float | None:
    if first.shape != second.shape:
        return None
    return float(np.max(np.abs(first.astype(np.float64) - second), initial=0.0))


def collect(context: ProbeContext) -> NetworkEvidence:
    """Builds the network for every number of actions; traces, proves and asks the first."""
    settings: NetworkSettings = context.settings
    with context.worker(_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return NetworkEvidence(**fields)
        builds: list[BuildTrial] = []
        shape: tuple[int, ...] | None = None
        rejected: list[Incident] = []
        for index in range(len(settings.num_actions)):
            trial, shape, found = _build(worker, settings, index, shape)
            builds.append(trial)
            rejected += found if index == 0 else []
            if worker.ended:
                break
        fields |= {
            "builds": tuple(builds), "input_shape": shape, "rejected_inputs": tuple(rejected),
        }  # fmt: skip
        if shape is None or not builds[0].is_model or worker.ended:
            return NetworkEvidence(**fields)
        return NetworkEvidence(**fields, **_examine(context, worker, shape))


def _examine(context: ProbeContext, worker: Worker, shape: tuple[int, ...]) -> dict[str, Any]:
    settings: NetworkSettings = context.settings
    found: dict[str, Any] = {}
    weights: tuple[Any, ...] = ()
    try:
        found["graph"], weights = _describe(worker, _inputs(settings, shape, _TRACE_SEED + 1, 2))
    except WorkerIncident as error:
        found["graph_incident"] = error.incident
        if error.final:
            return found
    # Drawn only now: the description above could not be fitted to these inputs.
    batch = _inputs(settings, shape, _PROOF_SEED, _PROOF_BATCH)
    found["behaviour"], outputs = _behaviour(worker, batch)
    proof = NetworkProof(method=ProofMethod.NONE, reason="the network could not be described")
    if outputs is None:
        proof = NetworkProof(method=ProofMethod.NONE, reason="the network did not answer")
    elif "graph" in found:
        proof = _prove_rebuilt(context, found["graph"], weights, batch, outputs)
    if proof.method is ProofMethod.NONE and not worker.ended:
        try:
            proof = _prove_transplanted(context, worker, shape) or proof
        except WorkerIncident as error:
            proof = proof.model_copy(
                update={"reason": f"{proof.reason}; {error.incident.message}"[:400]}
            )
    found["proof"] = proof
    return found


PROBE = ProbeKind(
    id="network",
    roles=(Role("builder", "function", ("create_q_model",)),),
    settings=NetworkSettings,
    evidence=NetworkEvidence,
    collect=collect,
)
"""Kind `network`."""
