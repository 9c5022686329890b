"""What was seen of a network: its traced graph, and how that was proven."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, JsonValue

from grader.records.arrays import ArrayRecord
from grader.records.base import Record
from grader.records.evidence import PartEvidence
from grader.records.incident import Incident
from grader.records.network_pictures import NetworkPictures
from grader.records.weights_evidence import GradientTrial, WeightTrial


class NodeSource(StrEnum):
    """Where a node of the graph came from."""

    LAYER = "layer"
    """A Keras layer of exactly a known class."""
    OPERATION = "operation"
    """Code between layers that is a known function."""
    UNKNOWN = "unknown"
    """A custom layer or code between layers that is no known function."""


class GraphNode(Record):
    """One layer or operation, in the order in which data passes."""

    index: int
    source: NodeSource
    kind: str
    """Keras class name (`Conv2D`), or the operation (`affine`, `transpose`, `relu`, …).

    Four operations are no computation: `part` (a further output of the layer it reads, such as a
    state), `mask` (the mask of what it reads), `masked` (its first input with the second as mask)
    and `constant` (numbers that are no weights)."""
    name: str
    config: dict[str, JsonValue]
    """The layer's configuration, or the operation's parameters."""
    inputs: tuple[int, ...]
    """Indices of the nodes it reads, in the order of its arguments.

    −1 is the first input of the network, −2 the second."""
    output_shape: tuple[int, ...]
    """Batch axis left out; of the first output, where there are several."""
    output_dtype: str = ""
    """Such as `float32`; empty where not known."""
    call_arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """What a layer was called with beside its input.

    `{"input": 1}` stands for the second of `inputs`; the layer's input is all those that no
    argument names."""
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
    input_shapes: tuple[tuple[int, ...], ...] = Field(min_length=1)
    """One for each input, batch axis left out."""
    unused_layers: tuple[str, ...] = ()
    """Layers that were made and never called."""
    untracked_layers: tuple[str, ...] = ()
    """Layers that compute something with weights that are not among the model's."""
    parameters: int
    """Scalars in all weights of the model."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the first input, batch axis left out."""
        return self.input_shapes[0]


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

    arguments: dict[str, JsonValue]
    """What it was called with."""
    returned: str = ""
    """Type of what it returned."""
    is_model: bool = False
    """Whether there is a model: it, or one that was found in it."""
    wrapper: str = ""
    """Where the model was found in what it returned, such as `.q_network`; empty for itself."""
    output_shapes: tuple[tuple[int, ...], ...] = ()
    """Shape of each output for a batch of two, in order; empty where there was no answer."""
    parameters: int | None = None
    incident: Incident | None = None

    @property
    def output_shape(self) -> tuple[int, ...] | None:
        """Shape of the first output for a batch of two."""
        return self.output_shapes[0] if self.output_shapes else None


class BehaviourTrial(Record):
    """What the network answers to inputs drawn outside its process."""

    outputs: ArrayRecord | None = None
    """(batch, …) answers to one batch; the first output, where there are several."""
    further_outputs: tuple[ArrayRecord, ...] = ()
    """The other outputs for the same batch."""
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
    input_shapes: tuple[tuple[int, ...], ...] = ()
    """The accepted shape of each input as the network took them, batch axis left out; empty where
    it took none."""
    extra_inputs: tuple[tuple[int, ...], ...] = ()
    """Shapes of inputs beyond those asked for; they are fed with ones."""
    rejected_inputs: tuple[Incident, ...] = ()
    """Why the accepted shapes before it were not taken."""
    graph: NetworkGraph | None = None
    graph_incident: Incident | None = None
    proof: NetworkProof | None = None
    behaviour: BehaviourTrial | None = None
    pictures: NetworkPictures | None = None
    """What it does to an image; None for one that reads none. Nobody is judged by it."""
    weights: tuple[WeightTrial, ...] = ()
    """Its weights as they were built, where the assignment looks at them."""
    gradients: GradientTrial | None = None

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """The accepted shape that the first input has."""
        return self.input_shapes[0] if self.input_shapes else None
