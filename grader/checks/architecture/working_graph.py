"""The nodes of a graph while they are rewritten."""

from __future__ import annotations

from collections import Counter

from grader.checks.architecture.values import read_integer, read_integers
from grader.records.network_evidence import GraphNode, NodeSource


class WorkingGraph:
    """The nodes by index, and how often each is read.

    Attributes:
        nodes: what is left, each after those it reads.
        readers: how often each node is read or returned.
        pools_as_global: whether pooling of a whole image counts as global pooling.
    """

    def __init__(
        self,
        nodes: list[GraphNode],
        outputs: tuple[int, ...],
        input_shapes: tuple[tuple[int, ...], ...],
        *,
        pools_as_global: bool = False,
    ) -> None:
        self.pools_as_global = pools_as_global
        self.nodes = {node.index: node for node in nodes}
        self.readers = Counter(index for node in nodes for index in node.inputs)
        self.readers.update(set(outputs))
        self._inputs = {-1 - number: shape for number, shape in enumerate(input_shapes)}

    def operation(self, index: int, kind: str) -> GraphNode | None:
        """The node with this index, if it is of that kind."""
        node = self.nodes.get(index)
        return node if node is not None and node.kind == kind and is_known(node) else None

    def replace(self, node: GraphNode, *swallowed: int) -> None:
        """Puts a node in the place of the one with its index; others become part of it."""
        before = self.nodes[node.index]
        self.readers.subtract(before.inputs)
        self.nodes[node.index] = node
        for index in swallowed:
            self.readers.subtract(self.nodes.pop(index).inputs)
        self.readers.update(node.inputs)

    def remove(self, index: int) -> None:
        """Takes out a node that nothing reads."""
        self.readers.subtract(self.nodes.pop(index).inputs)

    def shape(self, index: int) -> tuple[int, ...] | None:
        """The shape behind a node, batch axis left out; None for an index that is no node."""
        node = self.nodes.get(index)
        return self._inputs.get(index) if node is None else node.output_shape

    def sole_input(self, node: GraphNode) -> GraphNode | None:
        """What a node reads, if it is one node that nothing else reads."""
        if len(node.inputs) != 1 or self.readers[node.inputs[0]] != 1:
            return None
        return self.nodes.get(node.inputs[0])


def is_known(node: GraphNode) -> bool:
    """Whether a node is what its kind says, and no code of the student's."""
    return node.source is not NodeSource.UNKNOWN


def axes_of(node: GraphNode, rank: int) -> tuple[int, ...]:
    """The axes a node works on, batch axis counted; those counted from the end are turned round.

    Args:
        node: with an `axis` in its configuration.
        rank: number of axes, if it is larger than 2.
    """
    axis = node.config.get("axis")
    single = read_integer(axis)
    axes = (single,) if single is not None else read_integers(axis) or ()
    return tuple(one + rank if one < 0 and rank > 2 else one for one in axes)
