"""An operation that TensorFlow has run, and ways to turn it into nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from grader.worker.tracing.record import Trace
from grader.worker.tracing.sources import aside_of, resolve


@dataclass(frozen=True)
class Call:
    """An operation that was run.

    Attributes:
        trace: what has been found so far.
        name: as TensorFlow calls the operation.
        inputs: tensors.
        attributes: settings.
        outputs: tensors.
    """

    trace: Trace
    name: str
    inputs: tuple[Any, ...]
    attributes: dict[str, Any]
    outputs: tuple[Any, ...]

    @property
    def output(self) -> Any:
        """The first output."""
        return self.outputs[0]

    def fixed(self, position: int) -> Any:
        """An input as an array if the network's input has no part in it; otherwise None."""
        value = self.inputs[position]
        return None if aside_of(self.trace, value) is None else np.asarray(value)

    def node(self, position: int) -> int:
        """The node of an input."""
        others = (self.trace.by_identity.get(id(value)) for value in self.inputs)
        like = next((node for node in others if node is not None), None)
        return resolve(self.trace, self.inputs[position], like)

    def add(self, kind: str, positions: tuple[int, ...] = (0,), **config: Any) -> bool:
        """Adds a known operation on some of the inputs."""
        sources = [self.node(position) for position in positions]
        self.trace.operation(kind, sources, self.output, config)
        return True

    def same(self, position: int = 0) -> bool:
        """Registers the output as what an input is."""
        self.trace.remember(self.output, self.node(position))
        return True

    @property
    def floats(self) -> bool:
        """Whether the output holds floating-point numbers."""
        return bool(self.output.dtype.is_floating)


def readable_number(value: Any, dtype: Any) -> float:
    """A constant as it was probably written: 0.1 and not 0.10000000149011612."""
    return float(str(np.float32(value))) if dtype == tf.float32 else float(value)
