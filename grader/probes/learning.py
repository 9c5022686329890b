"""Calls a training step again and again, and once on a network of which a part is frozen."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.cases import learning_batches
from grader.probes.context import expect
from grader.probes.perceptron import descended, mean_huber
from grader.probes.values import renamed
from grader.records.evidence import LayerTrial, LearningTrial
from grader.records.messages import Invoke, Kept, MakeMlp, MakeOptimizer, ReadWeights
from grader.records.practice_requests import Freeze
from grader.records.settings import TrainingSettings
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]
Weights = tuple[Array, ...]

_SEED: Final = 73
_BATCHES: Final = 16
_FROZEN: Final = (0, 1)
"""Kernel and bias of the first layer."""


def _prepare(worker: Worker, settings: TrainingSettings, weights: Weights) -> None:
    worker.ask(MakeMlp(keep="model", weights=weights), "making a model to train")
    request = MakeOptimizer(keep="optimizer", kind="sgd", learning_rate=settings.learning_rate)
    worker.ask(request, "making an optimizer")


def _step(
    worker: Worker, settings: TrainingSettings, batch: tuple[Array, Array], stage: str
) -> None:
    offered = {
        "model": Kept(name="model"), "optimizer": Kept(name="optimizer"),
        "states": batch[0], "targets": batch[1],
    }  # fmt: skip
    worker.ask(
        Invoke(target="step", arguments=renamed(offered, settings.arguments), keep="returned"),
        stage,
    )


def _read(worker: Worker, weights: Weights, stage: str) -> list[Array]:
    returned = worker.ask(ReadWeights(target="model"), f"{stage}, reading the weights")
    expect(
        isinstance(returned, list)
        and len(returned) == len(weights)
        and all(
            isinstance(array, np.ndarray) and array.shape == sent.shape and array.dtype.kind == "f"
            for array, sent in zip(returned, weights, strict=True)
        ),
        stage,
        "the model's weights changed their shapes",
    )
    found: list[Array] = returned
    return found


def learning_trial(worker: Worker, settings: TrainingSettings, weights: Weights) -> LearningTrial:
    """The step called as often as the assignment says, on a few batches in turn.

    The losses are computed here, from the weights that came back.

    Args:
        worker: has the step under the role `step`.
        settings: how often, with what rate, on what data.
        weights: that the network starts with.
    """
    last = settings.learning_steps
    label = f"{last} steps with SGD"
    stage = f"calling the training step ({label})"
    batches = learning_batches(_SEED, settings, _BATCHES)
    marks = sorted({0, 1, last // 4, last // 2, last})
    losses: list[tuple[int, float | None]] = []

    def measure(count: int, arrays: list[Array] | Weights) -> None:
        losses.append((count, mean_huber(arrays, *batches.held_out, settings.delta)))

    try:
        _prepare(worker, settings, weights)
        measure(0, weights)
        for count in range(1, last + 1):
            _step(worker, settings, batches.training[(count - 1) % _BATCHES], stage)
            if count in marks:
                measure(count, _read(worker, weights, stage))
    except WorkerIncident as error:
        return LearningTrial(label=label, incident=error.incident)
    right = descended(
        weights, [batches.training[count % _BATCHES] for count in range(last)],
        settings.learning_rate, settings.delta,
    )  # fmt: skip
    return LearningTrial(
        label=label,
        steps=tuple(count for count, _ in losses),
        held_out=tuple(loss for _, loss in losses),
        reference=mean_huber(right, *batches.held_out, settings.delta),
    )


def layer_trials(
    worker: Worker, settings: TrainingSettings, weights: Weights
) -> tuple[LayerTrial, ...]:
    """One step on a network that is trained as a whole, and on one whose first layer is frozen."""
    batch = learning_batches(_SEED, settings, 1).training[0]
    trials: list[LayerTrial] = []
    for label, frozen in (("all layers", ()), ("the first layer frozen", _FROZEN)):
        stage = f"calling the training step ({label})"
        try:
            _prepare(worker, settings, weights)
            if frozen:
                worker.ask(Freeze(target="model", layer=0), "freezing a layer")
            _step(worker, settings, batch, stage)
            returned = _read(worker, weights, stage)
        except WorkerIncident as error:
            trials.append(LayerTrial(label=label, frozen=frozen, incident=error.incident))
            continue
        changes = tuple(_change(a, b) for a, b in zip(returned, weights, strict=True))
        trials.append(LayerTrial(label=label, frozen=frozen, changes=changes))
    return tuple(trials)


def _change(after: Array, before: Array) -> float | None:
    if not np.all(np.isfinite(after)):
        return None
    return float(np.max(np.abs(after.astype(np.float64) - before), initial=0.0))
