"""A network's first weights in figures, and the gradients that reach them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.probes.context import ProbeContext
from grader.probes.inspection import ask_inspector
from grader.records.arrays import ArrayRecord
from grader.records.network_evidence import NetworkGraph
from grader.records.practice_requests import Gradients
from grader.records.weights_evidence import GradientTrial, LayerGradient, WeightTrial
from grader.sandbox.incident import WorkerIncident

Array = npt.NDArray[Any]

_SAMPLE: Final = 4000
_MOST_UNITS: Final = 4096
_WITH_KERNELS: Final = ("Dense", "Conv", "SeparableConv", "DepthwiseConv", "EinsumDense")


def weight_trials(graph: NetworkGraph, weights: tuple[Array, ...]) -> tuple[WeightTrial, ...]:
    """Every array of every layer once, in the order of the nodes.

    Args:
        graph: what the network consists of.
        weights: the arrays that its nodes refer to, as they crossed the boundary.
    """
    trials: list[WeightTrial] = []
    seen: set[int] = set()
    for node in graph.nodes:
        for index in node.weights:
            if index in seen or not 0 <= index < len(weights):
                continue
            seen.add(index)
            role = "other"
            if node.kind.startswith(_WITH_KERNELS):
                role = "kernel" if weights[index].ndim > 1 else "bias"
            trials.append(_trial(node.name, node.kind, role, weights[index]))
    return tuple(trials)


def _trial(layer: str, kind: str, role: str, array: Array) -> WeightTrial:
    fields: dict[str, Any] = {"layer": layer, "kind": kind, "role": role, "shape": array.shape}
    if array.dtype.kind not in "fiu":
        return WeightTrial(**fields)
    # No network computes with more than float32 holds: what is beyond it is infinite there. The
    # figures below then stay within float64.
    with np.errstate(over="ignore", invalid="ignore"):
        values = array.astype(np.float32).astype(np.float64).reshape(-1)
    if not np.all(np.isfinite(values)):
        return WeightTrial(**fields, finite=False)
    step = max(1, -(-values.size // _SAMPLE))
    return WeightTrial(
        **fields,
        mean=float(values.mean()) if values.size else 0.0,
        deviation=float(values.std()) if values.size else 0.0,
        largest=float(np.max(np.abs(values), initial=0.0)),
        equal=_equal_units(array) if role == "kernel" else None,
        sample=ArrayRecord.of(values[::step].astype(np.float32)),
    )


def _equal_units(kernel: Array) -> tuple[int, int] | None:
    """The first two units with the same weights; the last axis counts the units."""
    if not kernel.size:
        return None
    columns = kernel.reshape(-1, kernel.shape[-1]).T
    if not 1 < len(columns) <= _MOST_UNITS:
        return None
    seen: dict[bytes, int] = {}
    for number, column in enumerate(np.ascontiguousarray(columns)):
        first = seen.setdefault(column.tobytes(), number)
        if first != number:
            return first, number
    return None


def gradient_trial(
    context: ProbeContext, graph: NetworkGraph, weights: tuple[Array, ...], batch: Any
) -> GradientTrial:
    """Gradients of the network as the inspector rebuilds it.

    Args:
        context: whose inspector.
        graph: what the network consists of.
        weights: the arrays that its nodes refer to.
        batch: one array for each input.
    """
    request = Gradients(graph=graph.plain(), weights=weights, batch=batch)
    try:
        answer = ask_inspector(context.source, request, "computing gradients")
    except WorkerIncident as error:
        incident = error.incident
        if incident.error_type:
            return GradientTrial(reason=incident.message or incident.error_type)
        return GradientTrial(incident=incident)
    layers = tuple(
        LayerGradient(
            layer=graph.nodes[each["node"]].name or graph.nodes[each["node"]].kind,
            kind=graph.nodes[each["node"]].kind,
            gradients=tuple(each["gradients"]), finite=each["finite"],
            frozen=each.get("frozen", False),
            units=each.get("units", 0), dead=each.get("dead", 0),
        )
        for each in answer
    )  # fmt: skip
    return GradientTrial(layers=layers)
