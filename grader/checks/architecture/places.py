"""Where in the student's file a layer is made.

The worker lists the calls of Keras layer classes in the source text. Where there are as many calls
of a class as the network has layers of it, they belong to each other in order. Otherwise (a loop, a
second network in the file) nothing is said, and findings point at the builder.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from grader.checks.architecture.layers import Layer
from grader.checks.architecture.normal_form import NormalForm
from grader.records.layer_families import Attribute
from grader.records.network_evidence import NetworkEvidence


@dataclass(frozen=True)
class Places:
    """Lines of layers.

    Attributes:
        builder: `file:line` of the builder, for all that has no place of its own.
        lines: `file:line` of received layers, by the number of their node.
    """

    builder: str
    lines: dict[int, str] = field(default_factory=dict)

    def of(self, *layers: Layer | None) -> str:
        """`file:line` of the first of these layers that has one; that of the builder otherwise."""
        found = (self.lines.get(layer.index) for layer in layers if layer is not None)
        return next((place for place in found if place is not None), self.builder)


def places_of(evidence: NetworkEvidence, form: NormalForm) -> Places:
    """The places of a network's layers, as far as they are known.

    Args:
        evidence: for the calls in the source text.
        form: the network.
    """
    by_kind: dict[str, list[Layer]] = defaultdict(list)
    made = sorted((*form.preprocessing, *form.layers), key=lambda layer: layer.index)
    for layer in made:
        if layer.values.get(Attribute.WEIGHTS) != "shared":
            by_kind[layer.kind].append(layer)
    lines: dict[int, str] = {}
    for kind, layers in by_kind.items():
        calls = evidence.lines_of(kind)
        if len(calls) == len(layers):
            pairs = zip(layers, calls, strict=True)
            lines |= {layer.index: f"{evidence.file}:{line}" for layer, line in pairs}
    return Places(evidence.place("builder"), lines)
