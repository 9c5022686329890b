"""Probe of a network builder: build it, describe it, ask it, and prove the description."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import ProbeKind, Role
from grader.probes.context import ProbeContext, expect, load
from grader.probes.function import MAX_ELEMENTS, TYPE_CHARS
from grader.probes.network_proof import describe_network, draw_inputs, forward, prove
from grader.records.arrays import ArrayRecord
from grader.records.incident import Incident, IncidentKind
from grader.records.messages import Invoke, ModelFacts
from grader.records.network_evidence import BehaviourTrial, BuildTrial, NetworkEvidence
from grader.records.settings import NetworkSettings
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]

_ENTROPY: Final = 701
_TRACE_SEED: Final = 53
_PROOF_SEED: Final = 59
_PROOF_BATCH: Final = 4


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
    built: dict[str, Any] = {
        "num_actions": num_actions,
        "returned": clean_line(facts["type"], TYPE_CHARS),
    }
    if facts.get("is_model") is not True:
        return BuildTrial(**built), shape, rejected
    for candidate in (shape,) if shape is not None else settings.input_shapes:
        batch = draw_inputs(settings, candidate, _TRACE_SEED, 2)
        asked = f"calling the network on a batch of shape {batch.shape}"
        try:
            (output,) = forward(worker, name, [batch], asked)
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


def _behaviour(worker: Worker, batch: Array) -> tuple[BehaviourTrial, Array | None]:
    stage = "calling the network on inputs it has not seen"
    try:
        (outputs,) = forward(worker, "model0", [batch], stage)
        (repeated,) = forward(worker, "model0", [batch], stage)
        alone = forward(worker, "model0", [row[None] for row in batch], stage)
    except WorkerIncident as error:
        return BehaviourTrial(incident=error.incident), None
    if outputs.dtype.kind not in "fiu" or outputs.ndim == 0 or outputs.size > MAX_ELEMENTS:
        return BehaviourTrial(), None
    alike = all(item.shape == (1, *outputs.shape[1:]) for item in alone)
    singles = np.concatenate(alone) if alike else outputs[:0]
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
    """Largest difference; NaN if one is there, None if the shapes differ."""
    if first.shape != second.shape:
        return None
    with np.errstate(invalid="ignore"):  # infinity minus infinity
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
            rejected = rejected or found
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
    weights: tuple[Array, ...] = ()
    try:
        traced = draw_inputs(settings, shape, _TRACE_SEED + 1, 2)
        found["graph"], weights = describe_network(worker, "model0", traced)
    except WorkerIncident as error:
        found["graph_incident"] = error.incident
        if worker.ended:
            return found
    # Drawn only now: the description above could not be fitted to these inputs.
    batch = draw_inputs(settings, shape, _PROOF_SEED, _PROOF_BATCH)
    found["behaviour"], outputs = _behaviour(worker, batch)
    found["proof"] = prove(context, worker, shape, found.get("graph"), weights, batch, outputs)
    return found


PROBE = ProbeKind(
    id="network",
    roles=(Role("builder", "function", ("create_q_model",)),),
    settings=NetworkSettings,
    evidence=NetworkEvidence,
    collect=collect,
    uses_seeds=False,
)
"""Kind `network`."""
