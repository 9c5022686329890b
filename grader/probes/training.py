"""Probe of a loss and a training step: values, gradients, and the weights that come back."""

from __future__ import annotations

import itertools
from typing import Any, Final, Literal

import numpy as np

from grader.assignments.registry import ProbeKind, Role
from grader.errors import GraderFault
from grader.probes.cases import loss_cases, training_batches
from grader.probes.context import Loaded, ProbeContext, expect, load
from grader.probes.inspection import ask_inspector
from grader.probes.learning import layer_trials, learning_trial
from grader.probes.losses import loss_trial
from grader.probes.values import renamed
from grader.records.evidence import (
    FunctionTrial,
    LayerTrial,
    LearningTrial,
    StepTrial,
    TrainingEvidence,
)
from grader.records.incident import Incident
from grader.records.messages import (
    Invoke,
    Kept,
    MakeMlp,
    MakeOptimizer,
    ReadWeights,
    ReferenceSteps,
)
from grader.records.settings import TrainingSettings
from grader.records.wire import describe, type_name
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import WorkerSource
from grader.sandbox.worker import Worker

Optimizer = Literal["sgd", "adam"]

_CASES_SEED: Final = 41
_BATCH_SEED: Final = 43
_WEIGHTS_SEED: Final = 47
_ENTROPY: Final = 404
_SECOND_VARIABLES: Final = "Creating variables on a non-first call"
_OPTIMIZERS: Final[tuple[tuple[Optimizer, str], ...]] = (
    ("sgd", "one step with SGD"),
    ("adam", "one step with Adam"),
)


def _weights(settings: TrainingSettings) -> tuple[Any, ...]:
    generator = np.random.default_rng(_WEIGHTS_SEED)
    sides = (settings.features, settings.hidden_units, settings.num_actions)
    arrays: list[Any] = []
    for fan_in, fan_out in itertools.pairwise(sides):
        scale = np.sqrt(2.0 / fan_in)
        arrays.append(generator.normal(0, scale, (fan_in, fan_out)).astype(np.float32))
        arrays.append(generator.normal(0, 0.1, fan_out).astype(np.float32))
    return tuple(arrays)


def _number(value: object) -> float | None:
    """The number a step returned: a float, or an array of one element."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, np.ndarray | np.generic) and value.size == 1:
        array = np.asarray(value)
        return float(array.reshape(-1)[0]) if array.dtype.kind in "fiu" else None
    return None


def _step_trial(
    worker: Worker,
    source: WorkerSource,
    settings: TrainingSettings,
    kind: Optimizer,
    label: str,
) -> StepTrial:
    weights = _weights(settings)
    batch, held_out = training_batches(_BATCH_SEED, settings)
    rate = settings.learning_rate
    stage = f"calling the training step ({label})"
    try:
        worker.ask(MakeMlp(keep="model", weights=weights), "making a model to train")
        worker.ask(
            MakeOptimizer(keep="optimizer", kind=kind, learning_rate=rate), "making an optimizer"
        )
        arguments = {
            "model": Kept(name="model"),
            "optimizer": Kept(name="optimizer"),
            "states": batch[0],
            "targets": batch[1],
        }
        offered = renamed(arguments, settings.arguments)
        value = worker.ask(Invoke(target="step", arguments=offered), stage)
        returned = worker.ask(ReadWeights(target="model"), f"{stage}, reading the weights")
        expect(_fits(returned, weights), stage, "the model's weights changed their shapes")
    except WorkerIncident as error:
        return StepTrial(label=label, optimizer=kind, incident=error.incident)
    finite = all(np.isfinite(array).all() for array in returned)
    measured = _measure(
        source,
        ReferenceSteps(
            weights=weights,
            returned=tuple(returned) if finite else weights,
            states=batch[0], targets=batch[1],
            held_out_states=held_out[0], held_out_targets=held_out[1],
            kind=kind, learning_rate=rate, delta=settings.delta,
        ),
    )  # fmt: skip
    if not finite:
        measured["distances"] = {}
        measured["loss_after"] = measured["held_out_after"] = None
    return StepTrial(
        label=label,
        optimizer=kind,
        returned=_number(value),
        returned_type=describe(value) if _number(value) is None else type_name(value),
        **measured,
    )


def _fits(returned: object, weights: tuple[Any, ...]) -> bool:
    return (
        isinstance(returned, list)
        and len(returned) == len(weights)
        and all(
            isinstance(array, np.ndarray) and array.shape == sent.shape
            for array, sent in zip(returned, weights, strict=True)
        )
    )


def _measure(source: WorkerSource, request: ReferenceSteps) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = ask_inspector(source, request, "measuring a training step")
    except WorkerIncident as error:
        raise GraderFault(f"the inspector failed: {error}") from error
    return answer


def collect(context: ProbeContext) -> TrainingEvidence:
    """Calls the loss on every case and takes a step with each optimizer.

    Loss and step are tried each by itself: one that is missing, or that ends its worker, does not
    keep the other from being seen.
    """
    settings: TrainingSettings = context.settings
    loss: tuple[FunctionTrial, ...] = ()
    steps: tuple[StepTrial, ...] = ()
    with context.worker(_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if _found(loaded, "loss"):
            cases = loss_cases(_CASES_SEED, settings.delta)
            loss = tuple(loss_trial(worker, case) for case in cases)
        if _found(loaded, "step") and not worker.ended:
            steps = _steps(worker, context.source, settings)
    if _found(loaded, "step") and not steps:
        with context.worker(_ENTROPY) as worker:
            again = load(context, worker)
            steps = _steps(worker, context.source, settings, again.incident)
    steps = tuple(
        _alone(context, trial) if number and _compiled_once(trial) else trial
        for number, trial in enumerate(steps)
    )
    learning: dict[str, Any] = {}
    if _found(loaded, "step") and settings.learning_steps:
        with context.worker(_ENTROPY) as worker:
            learning = _learning(context, worker, settings)
    return TrainingEvidence(**fields, loss=loss, steps=steps, **learning)


def _compiled_once(trial: StepTrial) -> bool:
    """Whether a `tf.function` was refused the variables of a second optimizer.

    Such a function may make variables when it is called first, and never again. A program that
    trains with one optimizer does not meet that limit.
    """
    incident = trial.incident
    return (
        incident is not None
        and incident.error_type == "ValueError"
        and _SECOND_VARIABLES in incident.message
    )


def _alone(context: ProbeContext, trial: StepTrial) -> StepTrial:
    """The trial in a process of its own, in which no step was taken before."""
    kind = next(kind for kind, _ in _OPTIMIZERS if kind == trial.optimizer)
    with context.worker(_ENTROPY) as worker:
        again = load(context, worker)
        if again.incident is not None or not _found(again, "step"):
            return trial
        return _step_trial(worker, context.source, context.settings, kind, trial.label)


def _learning(context: ProbeContext, worker: Worker, settings: TrainingSettings) -> dict[str, Any]:
    """The step on a network of which a part is frozen, and then again and again."""
    weights = _weights(settings)
    again = load(context, worker)
    if again.incident is not None:
        lost = LayerTrial(label="all layers", incident=again.incident)
        return {
            "learning": LearningTrial(label="many steps", incident=again.incident),
            "layers": (lost, lost.model_copy(update={"label": "the first layer frozen"})),
        }
    layers = layer_trials(worker, settings, weights)
    ended = next((trial.incident for trial in layers if trial.incident is not None), None)
    if worker.ended and ended is not None:
        return {"layers": layers, "learning": LearningTrial(label="many steps", incident=ended)}
    return {"layers": layers, "learning": learning_trial(worker, settings, weights)}


def _found(loaded: Loaded, role: str) -> bool:
    return any(symbol.role == role for symbol in loaded.symbols)


def _steps(
    worker: Worker,
    source: WorkerSource,
    settings: TrainingSettings,
    incident: Incident | None = None,
) -> tuple[StepTrial, ...]:
    return tuple(
        StepTrial(label=label, optimizer=kind, incident=incident)
        if incident is not None
        else _step_trial(worker, source, settings, kind, label)
        for kind, label in _OPTIMIZERS
    )


PROBE = ProbeKind(
    id="training",
    roles=(
        Role("loss", "function", ("huber_loss",)),
        Role("step", "function", ("train_step",)),
    ),
    settings=TrainingSettings,
    evidence=TrainingEvidence,
    collect=collect,
    uses_seeds=False,
)
"""Kind `training`."""
