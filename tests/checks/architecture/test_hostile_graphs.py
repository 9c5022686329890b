"""Graphs that no worker of ours would send, and graphs of thousands of layers."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from written_networks import (
    DQN,
    OUT,
    dense,
    evidence_of,
    graph_of,
    judged,
    table,
)

from grader.records.network_evidence import (
    GraphNode,
    NetworkGraph,
    NodeSource,
    ProofMethod,
)
from grader.records.result import Outcome

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["relu", "same", "valid", "channels_first", "unknown"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["class_name", "config", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
KINDS = st.sampled_from(
    ["Conv2D", "Dense", "Flatten", "Reshape", "reshape", "flatten", "Activation", "ReLU", "relu",
     "affine", "Rescaling", "transpose", "Permute", "add", "Concatenate", "MaxPooling2D", "Dropout",
     "cast", "identity", "Softmax", "PReLU", "BatchNormalization", "{layers}", "", "code"]
)  # fmt: skip
KEYS = st.sampled_from(
    ["filters", "kernel_size", "strides", "padding", "activation", "units", "scale", "offset",
     "permutation", "dims", "target_shape", "use_bias", "data_format", "pool_size", "rate",
     "groups", "max_value", "negative_slope", "trainable"]
)  # fmt: skip
NODES = st.builds(
    GraphNode,
    index=st.integers(-2, 8),
    source=st.sampled_from(NodeSource),
    kind=KINDS,
    name=st.text(max_size=5),
    config=st.dictionaries(KEYS, JUNK, max_size=6),
    inputs=st.lists(st.integers(-2, 9), max_size=3).map(tuple),
    output_shape=st.lists(st.integers(-5, 10**30), max_size=4).map(tuple),
    parameters=st.integers(-5, 10**30),
    layer=st.none() | st.integers(0, 3),
)
GRAPHS = st.builds(
    NetworkGraph,
    nodes=st.lists(NODES, max_size=9).map(tuple),
    outputs=st.lists(st.integers(-2, 9), max_size=3).map(tuple),
    input_shapes=st.sampled_from(
        [((84, 84, 4),), ((4, 84, 84), (6,)), ((),), ((3,),), ((-1, 10**25, 7),)]
    ),
    parameters=st.integers(-5, 10**30),
)


@settings(deadline=None, max_examples=400)
@given(GRAPHS, st.sampled_from(ProofMethod))
def test_no_graph_makes_the_judge_fail(graph: NetworkGraph, method: ProofMethod) -> None:
    verdict = judged(evidence_of(graph, method))
    assert 0 <= verdict.fraction <= 1
    verdict.model_dump_json()
    if method is ProofMethod.REBUILT:
        assert verdict.outcome is not Outcome.PASSED


def test_thousands_of_layers_are_judged_and_shown_in_bounds() -> None:
    many = [dense(16 + number % 50, "relu") for number in range(5000)]
    graph = graph_of((*DQN[:5], *many, OUT))
    start = time.perf_counter()
    verdict = judged(evidence_of(graph))
    assert time.perf_counter() - start < 5
    assert verdict.fraction == 0.0
    assert len(verdict.findings) <= 40
    assert len(table(verdict).rows) <= 300
    assert sum(row.expected is not None for row in table(verdict).rows) == 6
