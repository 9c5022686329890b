"""What stands in front of the first layer: scaling, casting, transposing.

All of it is free where the assignment allows it, except for two mistakes that change what the
first layer sees: frames rearranged with `reshape`, and channels that are not the last axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from grader.checks.architecture.activations import activation_of_layer
from grader.checks.architecture.layers import Layer
from grader.checks.architecture.values import read_number
from grader.records.network_evidence import GraphNode, NodeSource

SCALINGS: Final = frozenset({"Rescaling", "affine"})
TRANSPOSITIONS: Final = frozenset({"Permute", "transpose"})
RESHAPES: Final = frozenset({"Reshape", "reshape"})
PREPROCESSING_KINDS: Final = (
    SCALINGS | TRANSPOSITIONS | {"Normalization", "cast", "identity", "Identity"}
)
_IDENTITIES: Final = frozenset({"identity", "Identity", "cast", "ActivityRegularization"})
_MAX_FACTORS: Final = 16
_MARGINS: Final[Mapping[str, str]] = {
    f"{kind}{rank}D": key
    for kind, key in (("ZeroPadding", "padding"), ("Cropping", "cropping"))
    for rank in (1, 2, 3)
}
"""Layers that do nothing with margins of 0, and where these stand."""
_ENLARGEMENTS: Final = frozenset(f"UpSampling{rank}D" for rank in (1, 2, 3))


@dataclass(frozen=True)
class Scaling:
    """`factor * x + offset`, for all values or for each channel.

    Attributes:
        factors: one or more factors, none of them 0.
        offsets: one or more offsets.
    """

    factors: tuple[float, ...]
    offsets: tuple[float, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether the output is the input."""
        return set(self.factors) == {1.0} and set(self.offsets) == {0.0}

    @property
    def text(self) -> str:
        """The scaling, as shown in the table."""
        factors = " or ".join(f"{factor:.6g}" for factor in dict.fromkeys(self.factors))
        offsets = " or ".join(f"{offset:.6g}" for offset in dict.fromkeys(self.offsets))
        return f"× {factors}" if set(self.offsets) == {0.0} else f"× {factors}, + {offsets}"

    def largest(self, magnitude: float) -> float:
        """The largest absolute value that comes out for values up to `magnitude`."""
        return max(abs(factor) for factor in self.factors) * magnitude + max(
            abs(offset) for offset in self.offsets
        )


def scaling_of(node: GraphNode) -> Scaling | None:
    """The scaling a node does; None when it does none or would wipe out its input."""
    if node.kind not in SCALINGS or node.source is NodeSource.UNKNOWN:
        return None
    factors, offsets = _numbers(node.config.get("scale")), _numbers(node.config.get("offset", 0.0))
    if not factors or not offsets or 0.0 in factors:
        return None
    return Scaling(factors, offsets)


def _numbers(value: JsonValue) -> tuple[float, ...]:
    items = value if isinstance(value, list) else [value]
    numbers = [number for item in items[:_MAX_FACTORS] if (number := read_number(item)) is not None]
    return tuple(numbers) if len(numbers) == len(items) else ()


def _all_are(value: JsonValue, number: int) -> bool:
    """Whether a setting is a number, or holds nothing but it."""
    if isinstance(value, list):
        return 0 < len(value) <= _MAX_FACTORS and all(_all_are(item, number) for item in value)
    return read_number(value) == number


def permutation_of(node: GraphNode) -> tuple[int, ...] | None:
    """The order in which a node puts the axes, batch axis included; None when it does not."""
    if node.kind not in TRANSPOSITIONS or node.source is NodeSource.UNKNOWN:
        return None
    # Keras' Permute counts the axes from 1 and leaves the batch axis out.
    key, before = ("dims", [0]) if node.kind == "Permute" else ("permutation", [])
    value = node.config.get(key)
    if not isinstance(value, list) or not 0 < len(value) <= 8:
        return None
    axes = [
        axis for axis in (*before, *value) if isinstance(axis, int) and not isinstance(axis, bool)
    ]
    return tuple(axes) if sorted(axes) == list(range(len(before) + len(value))) else None


def is_preprocessing(node: GraphNode, input_shape: tuple[int, ...] | None) -> bool:
    """Whether a node in front of the first layer only prepares the pixels.

    Args:
        node: the node.
        input_shape: what it reads, batch axis left out; None where not known.
    """
    if node.source is NodeSource.UNKNOWN or len(node.inputs) != 1:
        return False
    if node.kind in SCALINGS:
        return scaling_of(node) is not None
    if node.kind in TRANSPOSITIONS:
        # The batch axis has to stay where it is.
        return (order := permutation_of(node)) is not None and order[0] == 0
    return node.kind in PREPROCESSING_KINDS or rearranges(node, input_shape)


def rearranges(node: GraphNode, input_shape: tuple[int, ...] | None) -> bool:
    """Whether a node reshapes frames to a permutation of their axes, which scrambles them."""
    return (
        node.kind in RESHAPES
        and input_shape is not None
        and len(input_shape) > 1
        and node.output_shape != input_shape
        and sorted(node.output_shape) == sorted(input_shape)
    )


def scaled_range(nodes: Sequence[GraphNode], largest: float) -> tuple[float, int] | None:
    """The largest value after all scalings, and their number; None where it is not known.

    Args:
        nodes: what stands in front of the first layer.
        largest: the largest absolute value of the input.
    """
    count = 0
    for node in nodes:
        if node.kind == "Normalization":
            return None
        scaling = scaling_of(node)
        if scaling is not None and not scaling.changes_nothing:
            count += 1
            largest = scaling.largest(largest)
    return largest, count


def note_of(node: GraphNode) -> str:
    """What the table says about a node in front of the first layer."""
    if (scaling := scaling_of(node)) is not None:
        return scaling.text
    if (order := permutation_of(node)) is not None:
        return f"axes in the order {order}"
    return ""


def does_nothing(layer: Layer, node: GraphNode, input_shape: tuple[int, ...] | None) -> bool:
    """Whether a node hands on what it reads, value for value.

    Args:
        layer: the node, as it is compared.
        node: the node.
        input_shape: what it reads, batch axis left out; None where not known.
    """
    if is_identity(node):
        return True
    if node.source is NodeSource.UNKNOWN or len(node.inputs) != 1:
        return False
    if node.kind in RESHAPES or layer.kind == "Flatten":
        return input_shape is not None and node.output_shape == input_shape
    return False


def is_identity(node: GraphNode) -> bool:
    """Whether a node hands on what it reads, whatever its shape."""
    if node.source is NodeSource.UNKNOWN or len(node.inputs) != 1:
        return False
    if node.kind in _IDENTITIES:
        return True
    if node.kind == "Dropout":
        return read_number(node.config.get("rate")) == 0.0
    if node.source is NodeSource.LAYER and node.kind in _MARGINS:
        return _all_are(node.config.get(_MARGINS[node.kind]), 0)
    if node.source is NodeSource.LAYER and node.kind in _ENLARGEMENTS:
        return _all_are(node.config.get("size"), 1)
    if (scaling := scaling_of(node)) is not None:
        return scaling.changes_nothing
    if (order := permutation_of(node)) is not None:
        return order == tuple(range(len(order)))
    return node.kind == "Activation" and activation_of_layer(node.kind, node.config) == "linear"
