"""Probe of a network builder: build it, describe it, ask it, and prove the description."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import ProbeKind, Role
from grader.probes.context import ProbeContext, expect, load
from grader.probes.network_claim import (
    Claim,
    describe_network,
    forward,
    read_weights,
)
from grader.probes.network_inputs import Batch, DrawnInputs, Look, accepted_shapes, input_candidates
from grader.probes.network_live import elements, fits, with_shared_layers, without_dead_ends
from grader.probes.network_observations import Observation, Outputs, touched
from grader.probes.network_pictures import network_pictures
from grader.probes.network_proof import prove
from grader.probes.network_weights import gradient_trial, weight_trials
from grader.probes.values import MAX_ELEMENTS, TYPE_CHARS
from grader.records.arrays import ArrayRecord
from grader.records.incident import Incident, IncidentKind
from grader.records.messages import Invoke, ModelFacts
from grader.records.network_evidence import BehaviourTrial, BuildTrial, NetworkEvidence
from grader.records.network_settings import NetworkSettings
from grader.records.text import clean_line
from grader.records.weights_evidence import GradientTrial
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]

_ENTROPY: Final = 701
_TRACE_SEED: Final = 53
_PROOF_SEED: Final = 59
_TRACE_BATCH: Final = 7
"""A prime, so that the batch axis is not taken for another one."""
_PROOF_BATCH: Final = 4
_OTHER_BATCH: Final = 9
_LARGE_BATCH: Final = 33
"""More than the 32 rows that Keras takes at once if it is told nothing."""
_LOOK_BATCH: Final = 2
_COMPILED_BATCH: Final = 5
_CHEAP_ELEMENTS: Final = 1 << 20
"""Networks with more numbers in a row are not asked for a large batch, which would take long."""
_MOST_EXTRA_INPUTS: Final = 8


@dataclass(frozen=True)
class _Taken:
    """How the first network took its inputs.

    Attributes:
        choice: which accepted shape each input has.
        inputs: the inputs.
    """

    choice: tuple[int, ...]
    inputs: DrawnInputs


def _build(
    worker: Worker, settings: NetworkSettings, index: int, taken: _Taken | None
) -> tuple[BuildTrial, _Taken | None, list[Incident]]:
    """Calls the builder; the first time also finds the shapes of the inputs the network takes."""
    arguments: dict[str, Any] = dict(settings.builder_arguments[index])
    name = f"model{index}"
    told = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    stage = f"calling the builder with {told}"
    rejected: list[Incident] = []
    try:
        worker.ask(Invoke(target="builder", arguments=dict(arguments), keep=name), stage)
        facts = _facts(worker, settings, arguments, name, stage)
    except WorkerIncident as error:
        return BuildTrial(arguments=arguments, incident=error.incident), taken, rejected
    built: dict[str, Any] = {
        "arguments": arguments,
        "returned": clean_line(facts["type"], TYPE_CHARS),
        "wrapper": clean_line(facts["wrapper"], TYPE_CHARS),
    }
    if facts.get("is_model") is not True:
        return BuildTrial(**built), taken, rejected
    for choice, inputs in input_candidates(settings, arguments, tuple(facts["extra_inputs"])):
        if taken is not None and choice != taken.choice:
            continue
        batch = inputs.draw(_TRACE_SEED, 2)
        shapes = " and ".join(str(array.shape) for array in batch)
        asked = f"calling the network on a batch of shape {shapes}"
        try:
            (outputs,) = forward(worker, name, [batch], asked)
        except WorkerIncident as error:
            rejected.append(error.incident)
            if error.final:
                break
            continue
        trial = BuildTrial(
            **built,
            is_model=True,
            output_shapes=tuple(array.shape for array in outputs),
        )
        return trial, taken or _Taken(choice, inputs), rejected
    # Where one of several shapes was refused by an exception, the network may still be judged as
    # built; where the worker is gone, or the shape of the first network is refused, it is not.
    ended = bool(rejected) and rejected[-1].kind is not IncidentKind.RAISED
    incident = rejected[-1] if taken is not None or ended else None
    return BuildTrial(**built, is_model=True, incident=incident), taken, rejected


def _facts(
    worker: Worker, settings: NetworkSettings, arguments: dict[str, Any], name: str, stage: str
) -> dict[str, Any]:
    request = ModelFacts(
        target=name,
        names=tuple(single.name for single in settings.network_inputs),
        shapes=accepted_shapes(settings, arguments),
        outputs=settings.outputs,
    )
    facts = worker.ask(request, stage)
    expect(
        isinstance(facts, dict)
        and type(facts.get("is_model")) is bool
        and all(isinstance(facts.get(key), str) for key in ("type", "wrapper"))
        and isinstance(facts.get("extra_inputs"), list | tuple)
        and len(facts["extra_inputs"]) <= _MOST_EXTRA_INPUTS
        and all(map(_is_shape, facts["extra_inputs"])),
        stage,
        "malformed answer",
    )
    return dict(facts) | {"extra_inputs": [tuple(shape) for shape in facts["extra_inputs"]]}


def _is_shape(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and all(type(side) is int and side >= 0 for side in value)
        and math.prod(value) <= MAX_ELEMENTS
    )


def _behaviour(
    worker: Worker, inputs: DrawnInputs, claim: Claim | None
) -> tuple[BehaviourTrial, tuple[Observation, ...]]:
    """What the network answers: to a batch, to that again, to each row alone, to other batches."""
    stage = "calling the network on inputs it has not seen"
    batch = inputs.draw(_PROOF_SEED, _PROOF_BATCH)
    other = inputs.draw(_PROOF_SEED + 1, _OTHER_BATCH)
    rows = [tuple(array[at : at + 1] for array in batch) for at in range(_PROOF_BATCH)]
    try:
        (outputs,) = forward(worker, "model0", [batch], stage)
        (repeated,) = forward(worker, "model0", [batch], stage)
        alone = forward(worker, "model0", rows, stage)
        (others,) = forward(worker, "model0", [other], stage)
        further = [
            Observation(single, forward(worker, "model0", [single], stage)[0], changed)
            for single, changed in _further_batches(inputs, claim)
        ]
    except WorkerIncident as error:
        return BehaviourTrial(incident=error.incident), ()
    if not all(map(_is_judged, outputs)):
        return BehaviourTrial(), ()
    seen = (
        Observation(batch, outputs),
        Observation(batch, repeated),
        *(Observation(row, answer) for row, answer in zip(rows, alone, strict=True)),
        Observation(other, others),
        *further,
        *_compiled(worker, inputs),
    )
    return (
        BehaviourTrial(
            outputs=ArrayRecord.of(outputs[0]),
            further_outputs=tuple(ArrayRecord.of(array) for array in outputs[1:]),
            repeat_difference=_largest(outputs, repeated),
            single_difference=_largest(outputs, _joined(outputs, alone)),
            magnitude=max(float(np.max(np.abs(array), initial=0.0)) for array in outputs),
        ),
        seen,
    )


def _further_batches(
    inputs: DrawnInputs, claim: Claim | None
) -> Iterator[tuple[Batch, Batch | None]]:
    span = max(single.high - single.low for single in inputs.asked)
    for number, look in enumerate(Look):
        seed = _PROOF_SEED + 2 + number
        batch = inputs.draw_look(look, seed, _LOOK_BATCH)
        yield batch, touched(batch, span, seed)
    if claim is None or elements(claim.graph) <= _CHEAP_ELEMENTS:
        yield inputs.draw(_PROOF_SEED + 5, _LARGE_BATCH), None


def _compiled(worker: Worker, inputs: DrawnInputs) -> Iterator[Observation]:
    """What the network answers in a compiled function; nothing where it cannot be compiled."""
    batch = inputs.draw(_PROOF_SEED + 6, _COMPILED_BATCH)
    stage = "calling the network in a compiled function"
    with contextlib.suppress(WorkerIncident):
        (outputs,) = forward(worker, "model0", [batch], stage, compiled=True)
        yield Observation(batch, outputs)


def _is_judged(output: Array) -> bool:
    return output.dtype.kind in "fiu" and output.ndim > 0 and output.size <= MAX_ELEMENTS


def _joined(outputs: Outputs, alone: list[Outputs]) -> Outputs:
    """The answers to single rows as one batch; empty arrays where they have other shapes."""
    wanted = [(1, *output.shape[1:]) for output in outputs]
    if any([array.shape for array in answer] != wanted for answer in alone):
        return tuple(output[:0] for output in outputs)
    return tuple(np.concatenate(arrays) for arrays in zip(*alone, strict=True))


def _largest(first: Outputs, second: Outputs) -> float | None:
    """Largest difference; NaN if one is there, None if the shapes differ."""
    if [array.shape for array in first] != [array.shape for array in second]:
        return None
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        found = [
            float(np.max(np.abs(a.astype(np.float64) - b), initial=0.0))
            for a, b in zip(first, second, strict=True)
        ]
    return float(np.max(found))


def collect(context: ProbeContext) -> NetworkEvidence:
    """Builds the network with all arguments; traces, proves and asks the first."""
    settings: NetworkSettings = context.settings
    with context.worker(_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return NetworkEvidence(**fields)
        builds: list[BuildTrial] = []
        taken: _Taken | None = None
        rejected: list[Incident] = []
        for index in range(len(settings.builder_arguments)):
            trial, taken, found = _build(worker, settings, index, taken)
            builds.append(trial)
            rejected = rejected or found
            if worker.ended:
                break
        fields |= {"builds": tuple(builds), "rejected_inputs": tuple(rejected)}
        if taken is not None:
            fields |= {
                "input_shapes": taken.inputs.shapes,
                "extra_inputs": taken.inputs.extra,
            }
        if taken is None or not builds[0].is_model or worker.ended:
            return NetworkEvidence(**fields)
        return NetworkEvidence(**fields, **_examine(context, worker, taken.inputs))


def _examine(context: ProbeContext, worker: Worker, inputs: DrawnInputs) -> dict[str, Any]:
    found: dict[str, Any] = {}
    claim: Claim | None = None
    own: Outputs | None = None
    try:
        traced = inputs.draw(_TRACE_SEED + 1, _TRACE_BATCH)
        claim = Claim(*describe_network(worker, "model0", traced))
        found["graph"] = with_shared_layers(claim.graph)
    except WorkerIncident as error:
        found["graph_incident"] = error.incident
        if worker.ended:
            return found
    with contextlib.suppress(WorkerIncident):
        own = read_weights(worker, "model0")
    # Drawn only now: neither description nor weights could be fitted to these inputs.
    found["behaviour"], seen = _behaviour(worker, inputs, claim)
    found["proof"] = prove(context, worker, inputs, claim, seen, own)
    live = None if claim is None else without_dead_ends(claim.graph)
    found["pictures"] = network_pictures(
        context,
        inputs.shapes[0],
        live,
        () if claim is None else claim.weights,
        found["proof"],
    )
    if claim is not None and live is not None and context.settings.examine_weights:
        found["weights"] = weight_trials(claim.graph, claim.weights)
        batch = inputs.draw(_TRACE_SEED + 2, _OTHER_BATCH)
        found["gradients"] = (
            gradient_trial(context, live, claim.weights, batch)
            if fits(live, _OTHER_BATCH)
            else GradientTrial(reason="the network is too large")
        )
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
