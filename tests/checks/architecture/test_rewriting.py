"""Whatever an honest way of writing does to a graph, the verdict stays the same."""

from __future__ import annotations

import random

import pytest
from concrete_networks import (
    Writing,
    graph_of,
    lost_by,
    network_of,
    settings_of,
    verdict_of,
    written_otherwise,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from random_patterns import random_pattern

from grader.records.layer_families import FAMILIES
from grader.records.network_evidence import NetworkGraph
from grader.records.network_settings import NetworkSettings
from grader.records.result import Verdict

SEEDS = st.integers(0, 1 << 32)
PROPERTY = settings(deadline=None, max_examples=150, derandomize=True)
ACTIVATIONS = ("linear", "relu", "tanh", "elu", "sigmoid", "selu")
SIZES = {"units", "filters", "n", "num_heads", "key_dim", "depth_multiplier"}
WINDOWS = {"kernel_size", "pool_size"}


def drawn(seed: int) -> tuple[random.Random, NetworkSettings, NetworkGraph]:
    """A pattern and a graph that satisfies it."""
    dice = random.Random(seed)
    asked = settings_of(*random_pattern(dice))
    return dice, asked, graph_of(network_of(asked))


def codes(verdict: Verdict) -> list[str]:
    return sorted(finding.code for finding in verdict.findings)


@PROPERTY
@given(SEEDS)
def test_what_is_asked_for_gets_full_marks(seed: int) -> None:
    _, asked, graph = drawn(seed)
    verdict = verdict_of(asked, graph)
    assert codes(verdict) == []
    assert verdict.fraction == 1.0


@PROPERTY
@given(SEEDS)
def test_honest_rewritings_keep_full_marks(seed: int) -> None:
    dice, asked, graph = drawn(seed)
    verdict = verdict_of(asked, written_otherwise(graph, dice))
    assert codes(verdict) == []
    assert verdict.fraction == 1.0


def altered(graph: NetworkGraph, dice: random.Random) -> tuple[NetworkGraph, int, str] | None:
    """A graph with one attribute of one layer altered, its place, and the attribute."""
    places = [node.index for node in graph.nodes if node.kind in FAMILIES]
    found = [
        (place, key)
        for place in places
        for key in graph.nodes[place].config
        if key in SIZES | WINDOWS | {"activation", "rate", "return_sequences", "use_bias"}
    ]
    if not found:
        return None
    place, key = dice.choice(found)
    config = dict(graph.nodes[place].config)
    value = config[key]
    if key in SIZES:
        config[key] = int(value) + 101
    elif key in WINDOWS:
        config[key] = [side + 4 for side in value]
    elif key == "activation":
        config[key] = dice.choice([name for name in ACTIVATIONS if name not in {value, "linear"}])
    elif key == "rate":
        config[key] = 0.875
    else:
        config[key] = not value
    writing = Writing.of(graph)
    writing.set(place, config=config)
    return writing.graph(), place, key


@PROPERTY
@given(SEEDS)
def test_one_altered_attribute_costs_half_of_its_layer_however_it_is_written(seed: int) -> None:
    dice, asked, graph = drawn(seed)
    changed = altered(graph, dice)
    if changed is None:
        return
    other, place, key = changed
    layer = network_of(asked).layers[place]
    # A layer that is an activation and nothing else may be one of another kind as well.
    verdict = verdict_of(asked, other)
    assert len(verdict.findings) == 1, key
    assert lost_by(asked, verdict) == pytest.approx(layer.weight / 2)
    if key != "return_sequences":
        again = verdict_of(asked, written_otherwise(other, dice))
        assert (codes(again), again.fraction) == (codes(verdict), verdict.fraction)


@PROPERTY
@given(SEEDS)
def test_one_missing_layer_costs_its_weight_however_the_rest_is_written(seed: int) -> None:
    dice, asked, graph = drawn(seed)
    network = network_of(asked)
    removable = [node.index for node in graph.nodes if len(node.inputs) == 1]
    if len(graph.nodes) < 2:
        return
    place = dice.choice(removable)
    writing = Writing.of(graph)
    (source,) = writing.nodes[place].inputs
    writing.redirect(place, source)
    del writing.nodes[place]
    other = writing.graph()
    verdict = verdict_of(asked, other)
    assert len(verdict.findings) == 1
    assert lost_by(asked, verdict) == pytest.approx(network.layers[place].weight)


FURTHER = (
    ("Dense", {"units": 977, "activation": "relu", "use_bias": True}, 1.0),
    ("LayerNormalization", {"axis": -1}, 1.0),
    ("UpSampling2D", {"size": [2, 2]}, 1.0),
    ("Dropout", {"rate": 0.77}, 0.5),
    ("GaussianNoise", {"stddev": 0.2}, 0.5),
)


@PROPERTY
@given(SEEDS)
def test_one_further_layer_costs_a_mean_layer_however_the_rest_is_written(seed: int) -> None:
    dice, asked, graph = drawn(seed)
    network = network_of(asked)
    kind, config, share = dice.choice(FURTHER)
    writing = Writing.of(graph)
    index = dice.choice(list(writing.nodes))
    node = writing.nodes[index]
    at = dice.randrange(len(node.inputs))
    shape = writing.shape(node.inputs[at])
    further = writing.add(kind, [node.inputs[at]], shape, layer=True, **config)
    inputs = (*node.inputs[:at], further, *node.inputs[at + 1 :])
    writing.set(index, inputs=inputs)
    other = writing.graph()
    verdict = verdict_of(asked, other)
    mean = network.weight / len(network.layers)
    assert len(verdict.findings) == 1
    assert lost_by(asked, verdict) == pytest.approx(share * mean)
    again = verdict_of(asked, written_otherwise(other, dice))
    assert (codes(again), again.fraction) == (codes(verdict), verdict.fraction)
