"""What a trace has found so far: nodes, and where every tensor came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from grader.worker.layers import plain_array

_MAX_NODES: Final = 4000
_LOOK_BACK: Final = 12
_MOST_VALUES: Final = 1 << 22


class TooLarge(ValueError):
    """The network has more parts than the grader reads."""


@dataclass(frozen=True)
class Seen:
    """A tensor seen during the pass and the node that made it."""

    value: Any
    node: int


@dataclass(frozen=True)
class Aside:
    """A tensor that the input has no part in.

    Attributes:
        value: the tensor.
        fixed: whether it is the same in every pass: a constant, and no variable or random number.
        variables: identities and sizes of the variables it was made of.
    """

    value: Any
    fixed: bool
    variables: frozenset[tuple[int, int]] = frozenset()


@dataclass
class Trace:
    """The nodes found so far.

    Attributes:
        batch: rows of the inputs.
        nodes: as in `GraphNode`.
        weights: arrays that nodes refer to.
        layers: the layers that were called and their numbers.
    """

    batch: int
    nodes: list[dict[str, Any]] = field(default_factory=list)
    tensors: list[Seen] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)
    layers: dict[int, int] = field(default_factory=dict)
    layer_weights: dict[int, tuple[int, ...]] = field(default_factory=dict)
    variables: dict[int, int] = field(default_factory=dict)
    """Where in `weights` the numbers of each variable are, by its identity."""
    held: list[Any] = field(default_factory=list)
    """Variables whose identities are kept."""
    keep_alive: list[Any] = field(default_factory=list)
    owners: list[tuple[str, int]] = field(default_factory=list)
    asides: dict[int, Aside] = field(default_factory=dict)
    by_identity: dict[int, int] = field(default_factory=dict)
    masks: dict[int, Any] = field(default_factory=dict)
    """The mask that a layer put on what each node makes."""
    masks_before: dict[int, Any] = field(default_factory=dict)
    """Masks of the inputs of the layer being called, by identity; attention takes them away."""
    inside_leaf: bool = False
    by_operations: bool = True
    calls: int = 0
    unknown_of: dict[int, tuple[str, int]] = field(default_factory=dict)
    variables_of: dict[int, frozenset[tuple[int, int]]] = field(default_factory=dict)

    def remember(self, value: Any, node: int) -> None:
        """Registers a tensor as made by a node; the reference keeps its identity unique."""
        self.tensors.append(Seen(value, node))
        self.by_identity[id(value)] = node

    def set_aside(self, value: Any, aside: Aside) -> None:
        """Registers a tensor that the input has no part in."""
        self.asides[id(value)] = aside

    def recent(self) -> list[Seen]:
        """The values of the last nodes, newest first, and the inputs; one of each node."""
        found: dict[int, Seen] = {}
        for tensor in reversed(self.tensors):
            if len(found) == _LOOK_BACK:
                break
            found.setdefault(tensor.node, tensor)
        for tensor in self.tensors:
            if tensor.node >= 0:
                break
            found.setdefault(tensor.node, tensor)
        return list(found.values())

    def add(
        self,
        kind: str,
        source: str,
        inputs: Iterable[int],
        value: Any,
        *,
        config: dict[str, Any] | None = None,
        **more: Any,
    ) -> int:
        """Adds a node that makes a value.

        Raises:
            TooLarge: there are too many.
        """
        if len(self.nodes) >= _MAX_NODES:
            raise TooLarge(f"the network has more than {_MAX_NODES} layers and operations")
        index = len(self.nodes)
        shape = [int(side) for side in value.shape]
        self.nodes.append(
            {
                "index": index,
                "source": source,
                "kind": kind,
                "name": "",
                "config": config or {},
                "inputs": tuple(inputs),
                "output_shape": tuple(shape[1:]),
                "output_dtype": _dtype(value),
                "call_arguments": {},
                "parameters": 0,
                "weights": (),
                "layer": None,
            }
            | more
        )
        self.remember(value, index)
        return index

    def operation(
        self, kind: str, inputs: Iterable[int], value: Any, config: dict[str, Any] | None = None
    ) -> int:
        """Adds a known operation."""
        return self.add(kind, "operation", inputs, value, config=config)

    def constant(self, value: Any, like: int | None) -> int:
        """Adds a node for numbers that are no weights.

        Args:
            value: the numbers; with the batch axis where `like` is given.
            like: a node with the same batch axis, along which the numbers repeat.

        Raises:
            TooLarge: there are too many numbers.
        """
        array = plain_array(value)
        kept = array if like is None else array[0]
        if kept.size > _MOST_VALUES:
            raise TooLarge("the network holds too many numbers that are no weights")
        self.weights.append(kept)
        index = self.add(
            "constant", "operation", () if like is None else (like,), value,
            weights=(len(self.weights) - 1,),
        )  # fmt: skip
        if like is None:
            self.nodes[index]["output_shape"] = tuple(int(side) for side in kept.shape)
        return index

    def unknown(
        self, inputs: Iterable[int], value: Any, variables: frozenset[tuple[int, int]] = frozenset()
    ) -> int:
        """Adds code that is no known function, or takes it to the same code just before."""
        name, call = self.owners[-1] if self.owners else ("code", 0)
        sources = tuple(dict.fromkeys(inputs))
        if len(sources) == 1 and self.unknown_of.get(sources[0]) == (name, call):
            node = sources[0]
            self.nodes[node]["output_shape"] = tuple(int(side) for side in value.shape[1:])
            self.remember(value, node)
        else:
            node = self.add(name, "unknown", sources, value)
            self.unknown_of[node] = (name, call)
        known = self.variables_of.get(node, frozenset()) | variables
        self.variables_of[node] = known
        self.nodes[node]["parameters"] = sum(size for _, size in known)
        return node


def _dtype(value: Any) -> str:
    dtype = value.dtype
    return str(getattr(dtype, "name", dtype))
