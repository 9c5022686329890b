"""What was seen of a network: its traced graph, and how that was proven."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import JsonValue

from grader.records.arrays import ArrayRecord
from grader.records.base import Record
from grader.records.evidence import PartEvidence
from grader.records.incident import Incident


class NodeSource(StrEnum):
    """Where a node of the graph came from."""

    LAYER = "layer"
    """A Keras layer of exactly a known class."""
    OPERATION = "operation"
    """Code between layers, identified as a known function by what it computes."""
    UNKNOWN = "unknown"
    """A custom layer or code between layers that is no known function."""


class GraphNode(Record):
    """One layer or operation, in the order in which data passes."""

    index: int
    source: NodeSource
    kind: str
    """Keras class name (`Conv2D`), or the operation (`affine`, `transpose`, `relu`, …)."""
    name: str
    config: dict[str, JsonValue]
    """The layer's configuration, or the operation's parameters."""
    inputs: tuple[int, ...]
    """Indices of the nodes it reads; −1 is the network's input."""
    output_shape: tuple[int, ...]
    """Batch axis left out."""
    parameters: int
    """Scalars in its weights."""
    weights: tuple[int, ...] = ()
    """Indices of its arrays among those sent with the graph."""
    layer: int | None = None
    """Number of the layer object; the same number twice is a shared layer."""


class NetworkGraph(Record):
    """What the worker says the network consists of. A claim, until the proof holds."""

    nodes: tuple[GraphNode, ...]
    outputs: tuple[int, ...]
    """Indices of the nodes whose values the network returns."""
    input_shape: tuple[int, ...]
    """Batch axis left out."""
    unused_layers: tuple[str, ...] = ()
    """Layers that were made and never called."""
    parameters: int
    """Scalars in all weights of the model."""


class ProofMethod(StrEnum):
    """How it was established that the graph describes the network."""

    REBUILT = "rebuilt"
    """Rebuilt from graph and weights in a clean process; same outputs on fresh inputs."""
    TRANSPLANTED = "transplanted"
    """Given random weights, it answers like the reference with the same weights."""
    NONE = "none"
    """Neither succeeded."""


class NetworkProof(Record):
    """The proof, with its figures."""

    method: ProofMethod
    difference: float | None = None
    """Largest absolute difference of outputs, relative to the largest output."""
    tolerance: float | None = None
    reason: str = ""
    """Why there is no proof."""


class BuildTrial(Record):
    """One call of the student's builder."""

    num_actions: int
    returned: str = ""
    """Type of what it returned."""
    is_model: bool = False
    output_shape: tuple[int, ...] | None = None
    """Shape of the answer to a batch of two."""
    parameters: int | None = None
    incident: Incident | None = None


class BehaviourTrial(Record):
    """What the network answers to inputs drawn outside its process."""

    outputs: ArrayRecord | None = None
    """(batch, num_actions) answers to one batch."""
    repeat_difference: float | None = None
    """Largest difference when the same batch is asked again."""
    single_difference: float | None = None
    """Largest difference when each input is asked alone."""
    magnitude: float | None = None
    """Largest absolute output, the scale for the differences."""
    incident: Incident | None = None


class NetworkEvidence(PartEvidence):
    """Evidence of a network builder."""

    kind: Literal["network"] = "network"
    builds: tuple[BuildTrial, ...] = ()
    input_shape: tuple[int, ...] | None = None
    """The first accepted input shape that the network took, batch axis left out."""
    rejected_inputs: tuple[Incident, ...] = ()
    """Why the accepted shapes before it were not taken."""
    graph: NetworkGraph | None = None
    graph_incident: Incident | None = None
    proof: NetworkProof | None = None
    behaviour: BehaviourTrial | None = None
