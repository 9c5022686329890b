"""One change of a network is one finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_networks import (
    BATCH_NORM,
    C1,
    C2,
    C3,
    D1,
    DQN,
    DROPOUT,
    Spec,
    custom,
    dense,
    evidence_of,
    graph_of,
    judged,
    judged_layers,
    layer,
    operation,
    pool,
    replaced,
)

from grader.records.result import Outcome

ALTERATIONS: list[tuple[int, str, Callable[[int], Any]]] = [
    *(
        (index, key, make)
        for index in range(3)
        for key, make in (
            ("filters", lambda n: n),
            ("kernel_size", lambda n: [n, n]),
            ("strides", lambda n: [n, n]),
            ("padding", lambda _: "same"),
            ("activation", lambda n: ("linear", "tanh", "elu", "unknown", "sigmoid")[n % 5]),
            ("dilation_rate", lambda n: [n + 1, n + 1]),
            ("use_bias", lambda _: False),
            ("data_format", lambda _: "channels_first"),
        )
    ),
    *((index, "units", lambda n: n) for index in (4, 5)),
    (4, "activation", lambda n: ("linear", "tanh", "softmax", "unknown")[n % 4]),
    (5, "activation", lambda n: ("relu", "tanh", "softmax", "unknown", "silu")[n % 5]),
]


EXTRAS = (C1, C2, C3, D1, dense(64), pool(), BATCH_NORM, DROPOUT, layer("ZeroPadding2D"),
          custom("Own"), operation("tanh"), operation("affine", scale=2.0, offset=0.0))  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(ALTERATIONS), st.integers(1, 9))
def test_one_altered_attribute_is_exactly_one_finding(
    alteration: tuple[int, str, Callable[[int], Any]], number: int
) -> None:
    index, key, make = alteration
    value = make(number)
    if value == DQN[index].config.get(key):
        return
    changed = (
        graph_of(DQN).nodes[index].model_copy(update={"config": {**DQN[index].config, key: value}})
    )
    graph = graph_of(DQN)
    nodes = (*graph.nodes[:index], changed, *graph.nodes[index + 1 :])
    verdict = judged(evidence_of(graph.model_copy(update={"nodes": nodes})))
    assert len(verdict.findings) == 1
    assert verdict.outcome is Outcome.PARTIAL
    assert verdict.fraction < 1


@pytest.mark.parametrize("index", range(6))
def test_one_layer_less_is_exactly_one_finding(index: int) -> None:
    verdict = judged_layers(*replaced(index))
    assert len(verdict.findings) == 1
    assert verdict.fraction < 1


@settings(deadline=None, max_examples=120)
@given(st.integers(1, 6), st.sampled_from(EXTRAS))
def test_one_layer_more_is_exactly_one_finding(index: int, extra: Spec) -> None:
    graph = graph_of(DQN)
    added = graph_of(
        (extra,) if extra.shape else (Spec(extra.kind, extra.config, extra.source, shape=(7,)),)
    ).nodes[0]
    nodes = [*graph.nodes[:index], added, *graph.nodes[index:]]
    chained = tuple(
        node.model_copy(update={"index": place, "inputs": (place - 1,), "layer": place})
        for place, node in enumerate(nodes)
    )
    verdict = judged(
        evidence_of(graph.model_copy(update={"nodes": chained, "outputs": (len(DQN),)}))
    )
    assert len(verdict.findings) == 1
    assert verdict.fraction < 1
