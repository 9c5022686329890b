"""What the student's process says of a network, and what the network answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from grader.probes.context import expect, parsed
from grader.probes.network_inputs import Batch
from grader.probes.network_observations import Outputs
from grader.records.messages import Describe, Description, Forward, ReadWeights, WriteWeights
from grader.records.network_evidence import NetworkGraph
from grader.records.text import clean_line
from grader.sandbox.worker import Worker

Array = npt.NDArray[Any]

_GRAPH_CHARS: Final = 1 << 20
_MOST_OUTPUTS: Final = 64
_MOST_NODES: Final = 4096


@dataclass(frozen=True)
class Claim:
    """What the student's process says of its network."""

    graph: NetworkGraph
    weights: Outputs


def as_sent(batch: Batch) -> Any:
    """A batch in the form of a request: an array, or a tuple where there are several inputs."""
    return batch[0] if len(batch) == 1 else batch


def forward(
    worker: Worker, name: str, batches: list[Batch], stage: str, *, training: bool = False,
    compiled: bool = False,
) -> list[Outputs]:  # fmt: skip
    """The outputs of the student's network for each batch.

    Raises:
        WorkerIncident: the network did not answer, or not with arrays.
    """
    request = Forward(
        target=name, batches=tuple(map(as_sent, batches)), training=training, compiled=compiled
    )
    answer = worker.ask(request, stage)
    outputs: list[Outputs] = []
    expect(isinstance(answer, list) and len(answer) == len(batches), stage, "answers are missing")
    for listed in answer:
        expect(
            isinstance(listed, list)
            and 0 < len(listed) <= _MOST_OUTPUTS
            and all(isinstance(array, np.ndarray) for array in listed),
            stage,
            "the network's output is not an array",
        )
        outputs.append(tuple(listed))
    return outputs


def read_weights(worker: Worker, name: str) -> Outputs | None:
    """All weights of the student's network; None if they are no arrays.

    Raises:
        WorkerIncident: they could not be read.
    """
    read = worker.ask(ReadWeights(target=name), "reading the network's weights")
    if not isinstance(read, list) or not all(isinstance(item, np.ndarray) for item in read):
        return None
    return tuple(read)


def write_weights(worker: Worker, name: str, weights: Outputs) -> None:
    """Sets all weights of the student's network.

    Raises:
        WorkerIncident: they could not be set.
    """
    worker.ask(WriteWeights(target=name, weights=weights), "setting the network's weights")


def describe_network(
    worker: Worker, name: str, inputs: Batch, *, training: bool = False
) -> tuple[NetworkGraph, Outputs]:
    """What the worker says its network consists of, and the arrays it refers to.

    Raises:
        WorkerIncident: it could not say, or what it says makes no graph.
    """
    stage = "following a forward pass through the network"
    request = Describe(target=name, inputs=as_sent(inputs), training=training)
    description = parsed(Description, worker.ask(request, stage), stage)
    weights = description.weights
    expect(all(isinstance(item, np.ndarray) for item in weights), stage, "weights are no arrays")
    try:
        graph = _cleaned(NetworkGraph.parse(description.graph))
    except (ValueError, TypeError) as error:
        expect(False, stage, f"the network's description is malformed ({type(error).__name__})")
        raise
    expect(
        _well_formed(graph, len(inputs), len(weights)),
        stage,
        "the network's description makes no graph",
    )
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
                "output_dtype": clean_line(node.output_dtype, 40),
                "config": _clean_settings(node.config),
                "call_arguments": _clean_settings(node.call_arguments),
            }
        )
        for node in graph.nodes
    )
    names = {
        field: tuple(clean_line(name, 100) for name in getattr(graph, field))
        for field in ("unused_layers", "untracked_layers")
    }
    return graph.model_copy(update={"nodes": nodes, **names})


def _clean_settings(settings: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {clean_line(key, 100): _clean_value(value) for key, value in settings.items()}


def _clean_value(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return clean_line(value)
        case list():
            return [_clean_value(item) for item in value]
        case dict():
            return _clean_settings(value)
    return value


def _well_formed(graph: NetworkGraph, inputs: int, weights: int) -> bool:
    """Whether every node reads earlier ones only and all numbers refer to something."""
    ordered = all(
        node.index == position
        and all(-inputs <= source < position for source in node.inputs)
        and all(0 <= number < weights for number in node.weights)
        and all(side >= 0 for side in node.output_shape)
        and node.parameters >= 0
        for position, node in enumerate(graph.nodes)
    )
    return (
        len(graph.nodes) <= _MOST_NODES
        and ordered
        and len(graph.input_shapes) == inputs
        and 0 < len(graph.outputs) <= _MOST_OUTPUTS
        and all(-inputs <= node < len(graph.nodes) for node in graph.outputs)
    )
