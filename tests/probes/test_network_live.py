"""What of a claimed graph reaches an output."""

from grader.probes.network_live import (
    MOST_ELEMENTS,
    elements,
    fits,
    live_nodes,
    with_shared_layers,
    without_dead_ends,
)
from grader.records.network_evidence import GraphNode, NetworkGraph, NodeSource


def _node(index, inputs, weights=(), layer=None):
    return GraphNode(
        index=index, source=NodeSource.LAYER, kind="Dense", name="", config={}, inputs=inputs,
        output_shape=(10,), parameters=len(weights), weights=weights, layer=layer,
    )  # fmt: skip


GRAPH = NetworkGraph(
    nodes=(
        _node(0, (-1,), (0, 1), 0), _node(1, (0,), (5,), 1), _node(2, (0,), (0, 2), 2),
        _node(3, (2,), (3, 4), 3),
    ),
    outputs=(3,), input_shapes=((6,),), parameters=5,
)  # fmt: skip


def test_nodes_that_lead_nowhere_are_replaced_by_the_input():
    assert [node.index for node in live_nodes(GRAPH)] == [3, 2, 0]
    first, dead, *others = without_dead_ends(GRAPH).nodes
    assert (first, *others) == (GRAPH.nodes[0], *GRAPH.nodes[2:])
    assert (dead.index, dead.kind, dead.inputs, dead.weights) == (1, "identity", (-1,), ())
    assert dead.output_shape == (6,)


def test_the_size_of_a_network_is_that_of_what_reaches_an_output():
    assert elements(GRAPH) == 30
    assert fits(GRAPH, MOST_ELEMENTS // 30)
    assert not fits(GRAPH, MOST_ELEMENTS // 30 + 1)


def test_layers_with_an_array_in_common_have_one_number():
    assert [node.layer for node in with_shared_layers(GRAPH).nodes] == [0, 1, 0, 3]
