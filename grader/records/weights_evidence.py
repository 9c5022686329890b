"""What was seen of a network's first weights, and of the gradients that reach them."""

from __future__ import annotations

from pydantic import Field

from grader.records.arrays import ArrayRecord
from grader.records.base import Record
from grader.records.incident import Incident


class WeightTrial(Record):
    """One array of a layer, as the builder made it."""

    layer: str
    """The layer's name."""
    kind: str
    """Keras class name."""
    role: str
    """`kernel`, `bias` or `other`."""
    shape: tuple[int, ...]
    finite: bool = True
    mean: float | None = None
    deviation: float | None = None
    """Standard deviation; with `mean`, None where not everything is finite."""
    largest: float | None = None
    """Largest size of a value."""
    equal: tuple[int, int] | None = None
    """Two units (filters) whose weights are the same, the first such pair."""
    sample: ArrayRecord | None = None
    """Values at even distances in the array, float32."""


class LayerGradient(Record):
    """How far the gradient of a loss on the network's outputs reaches into one layer."""

    layer: str
    kind: str
    gradients: tuple[float | None, ...] = ()
    """Largest size of the gradient of each weight that is trained; None where there is none."""
    finite: bool = True
    frozen: bool = False
    """Whether it has weights that would be trained, and is set not to be."""
    units: int = 0
    """Units behind a ReLU; 0 where there is no ReLU."""
    dead: int = 0
    """Those among them that answer 0 to every input of the batch."""


class GradientTrial(Record):
    """Gradients of the network rebuilt without the student's code."""

    layers: tuple[LayerGradient, ...] = Field(default=())
    incident: Incident | None = None
    reason: str = ""
    """Why there are none, where the network could not be rebuilt."""
