import numpy as np
import pytest

from grader.probes.network_agreement import (
    RELATIVE_TOLERANCE,
    difference,
    finite,
    tolerance_of,
    varies,
)
from grader.records.network_evidence import GraphNode, NetworkGraph, NodeSource

ONES = np.ones((2, 3), np.float32)


def test_weights_in_full_precision_are_compared_as_such():
    graph = _graph("float32", "float16")
    weighted = tuple(
        node.model_copy(update={"parameters": parameters})
        for node, parameters in zip(graph.nodes, (0, 3), strict=True)
    )
    assert tolerance_of(graph.model_copy(update={"nodes": weighted})) == 2.0**-8
    weighted = (weighted[0].model_copy(update={"parameters": 1}), weighted[1])
    assert tolerance_of(graph.model_copy(update={"nodes": weighted})) == RELATIVE_TOLERANCE


def _graph(*dtypes, outputs=(-1,)):
    nodes = tuple(
        GraphNode(
            index=index, source=NodeSource.LAYER, kind="Dense", name="", config={},
            inputs=(index - 1,), output_shape=(3,), output_dtype=dtype, parameters=0,
        )
        for index, dtype in enumerate(dtypes)
    )  # fmt: skip
    outputs = tuple(len(nodes) + node for node in outputs)
    return NetworkGraph(nodes=nodes, outputs=outputs, input_shapes=((3,),), parameters=0)


@pytest.mark.parametrize(
    ("dtypes", "tolerance"),
    [
        (("float32", "float32"), RELATIVE_TOLERANCE),
        (("float64",), RELATIVE_TOLERANCE),
        (("", "text"), RELATIVE_TOLERANCE),
        (("float16", "float32"), RELATIVE_TOLERANCE),
        (("float16", "float16"), 2.0**-8),
        (("bfloat16", "float16"), 2.0**-5),
    ],
)
def test_the_tolerance_follows_the_least_precise_node(dtypes, tolerance):
    assert tolerance_of(_graph(*dtypes)) == tolerance


def test_what_leads_to_no_output_loosens_nothing():
    assert tolerance_of(_graph("float32", "float16", outputs=(-2,))) == RELATIVE_TOLERANCE


def test_the_difference_is_relative_to_the_largest_value_of_each_output():
    assert difference([ONES, 100 * ONES], [ONES, 101 * ONES]) == pytest.approx(1 / 101)
    assert difference([ONES], [ONES]) == 0
    assert difference([np.zeros(2)], [np.full(2, 1e-9)]) == 1
    assert difference([np.full(2, 1e-9)], [np.zeros(2)]) == 1
    assert difference([np.zeros(2)], [np.zeros(2)]) == 0


def test_unusual_inputs_are_compared_by_the_size_of_usual_outputs():
    tiny, nothing = np.full((2, 3), 1e-9), np.full((2, 3), np.nan)
    assert difference([tiny], [tiny * 0], [ONES]) == pytest.approx(1e-6)
    assert difference([nothing], [nothing], [ONES]) == 0
    assert difference([nothing], [ONES], [ONES]) is None
    assert difference([ONES], [2 * ONES], [ONES]) == pytest.approx(0.5)
    assert difference([ONES], [ONES], [ONES, ONES]) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([ONES], []),
        ([ONES, ONES], [ONES]),
        ([ONES], [ONES[:1]]),
        ([ONES], [ONES * np.nan]),
        ([ONES * np.inf], [ONES * np.inf]),
        ([ONES.astype(str)], [ONES]),
    ],
)
def test_what_cannot_be_compared_has_no_difference(first, second):
    assert difference(first, second) is None


def test_outputs_vary_where_each_of_them_does():
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert varies([rows])
    assert varies([rows, rows])
    assert not varies([rows, ONES])
    assert not varies([ONES])
    assert not varies([rows * 1e-6 + 1])
    assert not varies([ONES * np.inf])
    assert not varies([rows.astype(str)])
    assert not varies([rows * 1e-3 + 1], 2.0**-5)
    assert varies([rows * 1e-20])
    assert not varies([rows * 1e-30])


def test_finite_outputs_are_numbers():
    assert finite([ONES, np.ones(2, int)])
    assert not finite([ONES, ONES * np.inf])
    assert not finite([ONES.astype(complex)])
