"""Probe of a target update: called on two of the grader's networks, judged by their weights."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.assignments.registry import ProbeKind, Role
from grader.probes.context import ProbeContext, expect, load
from grader.probes.values import renamed
from grader.records.arrays import ArrayRecord
from grader.records.function_settings import TargetUpdateSettings
from grader.records.learning_evidence import TargetUpdateEvidence, UpdateTrial
from grader.records.messages import Invoke, Kept, MakeMlp, ReadWeights, WriteWeights
from grader.records.practice_requests import MakeNormalized
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]
Weights = tuple[Array, ...]

_ENTROPY: Final = 907
_TARGET: Final = re.compile("target|tgt", re.IGNORECASE)
_ONLINE: Final = re.compile("online|policy|local|main|primary|source|src", re.IGNORECASE)
_SHARE: Final = re.compile(
    "^(tau|t|alpha|polyak|rho|rate)$|_tau$|^tau_|_rate$|share", re.IGNORECASE
)
"""Names of the step's share, which is no network."""
_WEIGHTS_SEED: Final = 71
_SIDES: Final = (5, 7, 3)
_NORMALIZED: Final = 4
_TRAINED_OF_NORMALIZED: Final = (True, True, True, True, False, False, True, True)
"""Dense kernel and bias; gamma, beta, moving mean, moving variance; Dense kernel and bias."""


def _plain_shapes() -> tuple[tuple[int, ...], ...]:
    first, hidden, last = _SIDES
    return (first, hidden), (hidden,), (hidden, last), (last,)


def _normalized_shapes() -> tuple[tuple[int, ...], ...]:
    first, hidden, last = _SIDES
    return (first, hidden), (hidden,), *((hidden,),) * _NORMALIZED, (hidden, last), (last,)


def _draw(rng: np.random.Generator, shapes: tuple[tuple[int, ...], ...]) -> Weights:
    # Positive, as variances are; far apart, so that shares of them are told apart.
    return tuple(rng.uniform(0.5, 2.0, shape).astype(np.float32) for shape in shapes)


def _make(worker: Worker, name: str, weights: Weights, *, normalized: bool) -> None:
    if normalized:
        first, hidden, last = _SIDES
        worker.ask(
            MakeNormalized(keep=name, inputs=first, units=hidden, outputs=last), "making a network"
        )
        worker.ask(WriteWeights(target=name, weights=weights), "making a network")
    else:
        worker.ask(MakeMlp(keep=name, weights=weights), "making a network")


def _read(worker: Worker, name: str, like: Weights, stage: str) -> tuple[ArrayRecord, ...]:
    arrays = worker.ask(ReadWeights(target=name), stage)
    expect(
        isinstance(arrays, list)
        and len(arrays) == len(like)
        and all(
            isinstance(array, np.ndarray) and array.shape == sent.shape and array.dtype.kind == "f"
            for array, sent in zip(arrays, like, strict=True)
        ),
        stage,
        "the network's weights changed their shapes",
    )
    return tuple(map(ArrayRecord.of, arrays))


def _trial(
    worker: Worker, names: dict[str, str], label: str, tau: float | None, *,
    normalized: bool, seed: int,
) -> UpdateTrial:  # fmt: skip
    rng = np.random.default_rng([_WEIGHTS_SEED, seed])
    shapes = _normalized_shapes() if normalized else _plain_shapes()
    trained = _TRAINED_OF_NORMALIZED if normalized else (True,) * len(shapes)
    online, target, later = (_draw(rng, shapes) for _ in range(3))
    stage = f"calling the update ({label})"
    offered: dict[str, Any] = {"online": Kept(name="online"), "target": Kept(name="target")}
    if tau is not None:
        offered["tau"] = tau
    try:
        _make(worker, "online", online, normalized=normalized)
        _make(worker, "target", target, normalized=normalized)
        request = Invoke(target="update", arguments=renamed(offered, names), keep="returned")
        worker.ask(request, stage)
        online_after = _read(worker, "online", online, stage)
        target_after = _read(worker, "target", target, stage)
        worker.ask(WriteWeights(target="online", weights=later), "changing the online network")
        target_later = _read(worker, "target", target, stage)
    except WorkerIncident as error:
        return UpdateTrial(label=label, tau=tau, incident=error.incident)
    return UpdateTrial(
        label=label, tau=tau, trainable=trained,
        online=tuple(map(ArrayRecord.of, online)), target=tuple(map(ArrayRecord.of, target)),
        online_after=online_after, target_after=target_after, target_later=target_later,
    )  # fmt: skip


def _plan(settings: TargetUpdateSettings) -> tuple[tuple[str, float | None, bool], ...]:
    soft: tuple[tuple[str, float | None, bool], ...] = (
        (f"tau = {settings.tau:g}", settings.tau, False),
        (f"tau = {settings.tau:g}, batch normalisation", settings.tau, True),
    )
    if not settings.tau_built_in:
        soft = (*soft, ("tau = 0.01", 0.01, False), ("tau = 1", 1.0, False))
    hard: tuple[tuple[str, float | None, bool], ...] = (
        ("a copy", None, False), ("a copy, batch normalisation", None, True),
    )  # fmt: skip
    return {"soft": soft, "hard": hard, "both": (*soft, *hard)}[settings.updates]


def networks_by_name(parameters: tuple[str, ...]) -> dict[str, str]:
    """Which parameters take the online and the target network, where their names say so.

    Exactly one of the networks must be named as target (`target`, `target_model`, `q_target`) or as
    online (`online`, `policy_net`, `local_model`); the other parameter that may be a network takes
    the other one. Names that say neither, or say it twice, leave the order to decide.

    Args:
        parameters: names of the function's parameters, in order.

    Returns:
        Parameters by `online` and `target`; empty where the names say nothing.
    """
    networks = [name for name in parameters if not _SHARE.search(name)][:2]
    if len(networks) != 2:
        return {}
    for role, other, pattern in (("target", "online", _TARGET), ("online", "target", _ONLINE)):
        told = [bool(pattern.search(name)) for name in networks]
        if sum(told) == 1:
            return {role: networks[told.index(True)], other: networks[told.index(False)]}
    return {}


def collect(context: ProbeContext) -> TargetUpdateEvidence:
    """Calls the update with every share, with and without weights that are not trained."""
    settings: TargetUpdateSettings = context.settings
    trials: list[UpdateTrial] = []
    with context.worker(_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return TargetUpdateEvidence(**fields)
        parameters = next(s.parameters for s in loaded.symbols if s.role == "update")
        names = networks_by_name(parameters) | settings.arguments
        for number, (label, tau, normalized) in enumerate(_plan(settings)):
            trials.append(_trial(worker, names, label, tau, normalized=normalized, seed=number))
    return TargetUpdateEvidence(**fields, trials=tuple(trials))


PROBE = ProbeKind(
    id="target_update",
    roles=(
        Role(
            "update", "function",
            ("update_target", "update_target_network", "soft_update", "hard_update"),
        ),
    ),
    settings=TargetUpdateSettings,
    evidence=TargetUpdateEvidence,
    collect=collect,
    uses_seeds=False,
)  # fmt: skip
"""Kind `target_update`."""
