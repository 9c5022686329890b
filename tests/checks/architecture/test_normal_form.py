"""The same network in many styles has one normal form."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from written_networks import (
    AFFINE,
    C1,
    C2,
    C3,
    D1,
    DQN,
    FIRST,
    FLATTEN,
    OUT,
    RESCALING,
    SETTINGS,
    Shape,
    Spec,
    codes,
    conv,
    dense,
    evidence_of,
    graph_of,
    insert,
    judged,
    judged_layers,
    layer,
    linear,
    operation,
    replaced,
    table,
    with_inputs,
)

from grader.checks.architecture.expected import expected_networks
from grader.checks.architecture.normal_form import normal_form
from grader.checks.network_codes import NetworkCode as Code
from grader.records.layer_families import Attribute
from grader.records.network_settings import NetworkSettings
from grader.records.result import Outcome, RowStatus, Severity

STYLES: dict[str, tuple[Sequence[Spec], Shape]] = {
    "as written in the reference": ((RESCALING, *DQN), (84, 84, 4)),
    "without scaling": (DQN, (84, 84, 4)),
    "division in code": ((operation("cast"), AFFINE, *DQN), (84, 84, 4)),
    "scaled to -1 and 1": ((operation("affine", scale=1 / 127.5, offset=-1.0), *DQN), (84, 84, 4)),
    "normalised per channel": (
        (layer("Rescaling", scale=[0.1, 0.2, 0.3, 0.4], offset=0.0), *DQN),
        (84, 84, 4),
    ),
    "transposed in code": (
        (operation("transpose", permutation=[0, 2, 3, 1]), AFFINE, *DQN),
        FIRST,
    ),
    "transposed by a layer": ((RESCALING, layer("Permute", dims=[2, 3, 1]), *DQN), FIRST),
    "activations as layers": (
        (
            linear(C1),
            layer("Activation", activation="relu"),
            linear(C2),
            layer("ReLU", max_value=None, negative_slope=0.0, threshold=0.0),
            linear(C3),
            operation("relu"),
            FLATTEN,
            linear(D1),
            layer("Activation", activation={"class_name": "function", "config": "relu"}),
            OUT,
            layer("Activation", activation="linear"),
        ),
        (84, 84, 4),
    ),
    "activation behind the flatten": (
        (C1, C2, linear(C3), FLATTEN, layer("ReLU"), D1, OUT),
        (84, 84, 4),
    ),
    "activation as an object": (
        (
            C1.but(
                activation={
                    "class_name": "ReLU",
                    "config": {"negative_slope": 0.0, "max_value": None},
                }
            ),
            *DQN[1:],
        ),
        (84, 84, 4),
    ),
    "relu twice": (insert(1, layer("ReLU")), (84, 84, 4)),
    "flattened with Reshape": (replaced(3, layer("Reshape", target_shape=[-1])), (84, 84, 4)),
    "flattened in code": (replaced(3, operation("reshape", target_shape=[-1])), (84, 84, 4)),
    "identities between": (insert(2, layer("Identity"), operation("identity")), (84, 84, 4)),
    "sizes as single numbers": (
        (C1.but(kernel_size=8, strides=4), C2.but(kernel_size=4, strides=2), *DQN[2:]),
        (84, 84, 4),
    ),
    "no activation given as null": (replaced(5, OUT.but(activation=None)), (84, 84, 4)),
}


@pytest.mark.parametrize("style", STYLES)
def test_style_costs_nothing(style: str) -> None:
    specs, shape = STYLES[style]
    verdict = judged_layers(*specs, input_shape=shape)
    assert codes(verdict) == []
    assert verdict.outcome is Outcome.PASSED
    assert verdict.fraction == 1.0
    rows = table(verdict).rows
    assert {row.status for row in rows} <= {RowStatus.MATCHES, RowStatus.PREPROCESSING}
    assert sum(row.points for row in rows) == pytest.approx(12)


def test_frames_rearranged_with_reshape_are_told() -> None:
    verdict = judged_layers(layer("Reshape", target_shape=[84, 84, 4]), *DQN, input_shape=FIRST)
    assert codes(verdict) == [Code.FRAMES_RESHAPED]
    assert verdict.outcome is Outcome.PARTIAL


def test_a_convolution_over_frames_with_channels_first_is_told() -> None:
    same = [spec.but(padding="same") if spec.kind == "Conv2D" else spec for spec in DQN]
    verdict = judged_layers(*same, input_shape=FIRST)
    assert codes(verdict) == [Code.CHANNELS_NOT_LAST, Code.PADDING]


def test_preprocessing_counts_as_extra_where_it_is_not_allowed() -> None:
    strict = SETTINGS.model_copy(update={"preprocessing_allowed": False})
    verdict = judged(evidence_of(graph_of((RESCALING, *DQN))), strict)
    assert codes(verdict) == [Code.PREPROCESSING]
    assert verdict.outcome is Outcome.PARTIAL


def test_layers_beside_the_path_are_a_warning() -> None:
    specs = (*DQN[:5], with_inputs(dense(9), 4), with_inputs(OUT, 4))
    verdict = judged(evidence_of(graph_of(specs, unused=("spare",))))
    assert codes(verdict) == [Code.UNUSED_LAYERS]
    assert verdict.findings[0].severity is Severity.WARNING
    assert verdict.findings[0].received == "spare, dense_5"
    assert verdict.outcome is Outcome.PASSED


def test_one_layer_used_twice_shares_its_weights() -> None:
    double = NetworkSettings.parse(
        {
            "input_shapes": [[8]],
            "num_actions": [4],
            "layers": [
                {"layer": "Dense", "units": 8, "activation": "relu"},
                {"layer": "Dense", "units": 8, "activation": "relu"},
                {"layer": "Dense", "units": "num_actions"},
            ],
        }
    )
    own = (dense(8, "relu"), dense(8, "relu"), OUT)
    shared = tuple(
        Spec(spec.kind, spec.config, layer=number)
        for spec, number in zip(own, (0, 0, 1), strict=True)
    )
    assert codes(judged(evidence_of(graph_of(own, (8,))), double)) == []
    assert codes(judged(evidence_of(graph_of(shared, (8,))), double)) == [Code.SHARED_WEIGHTS]


def test_unreadable_attributes_are_shown_as_unknown() -> None:
    verdict = judged_layers(Spec("Conv2D", {"filters": "many"}, shape=(20, 20, 32)), *DQN[1:])
    assert set(codes(verdict)) == {
        Code.FILTERS, Code.KERNEL_SIZE, Code.STRIDES, Code.PADDING, Code.ACTIVATION_UNKNOWN,
    }  # fmt: skip
    assert verdict.findings[0].received == "filters unknown"


# --- one form for many ways of writing ------------------------------------------------------------


def form_of(*specs: Spec, shape: Shape = (8, 8, 2)) -> list[tuple[str, tuple[int, ...]]]:
    """Kinds of the layers in the normal form, and what each reads."""
    form = normal_form(graph_of(specs, shape), 1.0, preprocessing_allowed=True)
    return [(layer.kind, layer.inputs) for layer in form.layers]


def at(spec: Spec, *inputs: int, shape: Shape | None = None) -> Spec:
    return Spec(spec.kind, spec.config, spec.source, inputs or None, shape or spec.shape)


def test_pooling_in_code_is_the_layer() -> None:
    pooled = operation("max_pool", pool_size=[2, 2], strides=[2, 2], padding="SAME")
    specs = (at(pooled, shape=(4, 4, 2)), FLATTEN, OUT)
    form = normal_form(graph_of(specs, (8, 8, 2)), 1.0, preprocessing_allowed=True)
    values = form.layers[0].values
    assert form.layers[0].kind == "MaxPooling2D"
    assert (values[Attribute.POOL_SIZE], values[Attribute.PADDING]) == ((2, 2), "same")


@pytest.mark.parametrize(
    ("zeros", "padding"),
    [
        ([[0, 1], [0, 1]], "same"),
        ([[1, 0], [0, 1]], "zeros ((1, 0), (0, 1))"),
        ([[0, 0], [0, 0]], "valid"),
    ],
)
def test_zeros_in_front_of_a_convolution_are_its_padding(
    zeros: list[list[int]], padding: str
) -> None:
    sides = tuple(8 + sum(pair) for pair in zeros)
    for padded in (
        layer("ZeroPadding2D", padding=zeros),
        operation("pad", paddings=[[0, 0], *zeros, [0, 0]], mode="CONSTANT", value=0.0),
    ):
        specs = (at(padded, shape=(*sides, 2)), conv(4, 3, 2), FLATTEN, OUT)
        form = normal_form(graph_of(specs, (8, 8, 2)), 1.0, preprocessing_allowed=True)
        assert [found.kind for found in form.layers] == ["Conv2D", "Flatten", "Dense"]
        assert form.layers[0].values[Attribute.PADDING] == padding


def test_zeros_that_something_else_reads_as_well_stay() -> None:
    padded = at(layer("ZeroPadding2D", padding=[[1, 1], [1, 1]]), shape=(10, 10, 2))
    specs = (
        padded, at(conv(2, 3, 1), 0), at(conv(2, 3, 1), 0),
        at(layer("Add"), 1, 2), at(FLATTEN, 3), at(OUT, 4),
    )  # fmt: skip
    assert form_of(*specs)[0] == ("ZeroPadding2D", (-1,))


def test_a_sum_of_two_halved_is_an_average() -> None:
    branches = at(dense(4), -1), at(dense(4, "relu"), -1)
    halved = operation("affine", scale=0.5, offset=0.0)
    specs = (*branches, at(operation("add"), 0, 1), at(halved, 2), at(OUT, 3))
    assert [kind for kind, _ in form_of(*specs, shape=(6,))] == [
        "Dense",
        "Dense",
        "Average",
        "Dense",
    ]
    shifted = operation("affine", scale=0.5, offset=1.0)
    specs = (*branches, at(operation("add"), 0, 1), at(shifted, 2), at(OUT, 3))
    assert "Add" in [kind for kind, _ in form_of(*specs, shape=(6,))]


def test_a_vector_tiled_along_a_new_axis_is_repeated() -> None:
    grown = at(operation("expand_dims", axis=1), shape=(1, 6))
    tiled = at(operation("tile", multiples=[1, 3, 1]), shape=(3, 6))
    assert [kind for kind, _ in form_of(grown, tiled, OUT, shape=(6,))] == ["RepeatVector", "Dense"]
    other = at(operation("tile", multiples=[1, 3, 2]), shape=(3, 12))
    assert form_of(grown, other, OUT, shape=(6,))[1][0] == "tile"


def test_keys_that_are_the_values_go_without_saying() -> None:
    heads = layer("MultiHeadAttention", num_heads=2, key_dim=4)
    for inputs, reads in (((-1, 0, 0), (-1, 0)), ((-1, 0, -1), (-1, 0, -1)), ((0, 0), (0, 0))):
        form = form_of(at(dense(4), -1), at(heads, *inputs, shape=(5, 4)), at(OUT, 1), shape=(5, 4))
        assert form[1] == ("MultiHeadAttention", reads)


def test_arguments_of_attention_may_stand_in_any_order() -> None:
    heads = layer("MultiHeadAttention", num_heads=2, key_dim=4)
    graph = graph_of((at(dense(4), -1), at(heads, -1, 0, 0, shape=(5, 4)), at(OUT, 1)), (5, 4))
    called = {"key": {"input": 1}, "value": {"input": 2}, "use_causal_mask": True}
    node = graph.nodes[1].model_copy(update={"inputs": (-1, -1, 0), "call_arguments": called})
    graph = graph.model_copy(update={"nodes": (graph.nodes[0], node, graph.nodes[2])})
    found = normal_form(graph, 1.0, preprocessing_allowed=True).layers[1]
    assert found.inputs == (-1, 0, -1)
    assert found.values[Attribute.CAUSAL] is True


def test_what_an_assignment_asks_for_has_the_same_normal_form() -> None:
    asked = NetworkSettings.parse(
        {
            "input_shapes": [[8, 8, 2]],
            "num_actions": [4],
            "layers": [
                {"layer": "Conv2D", "filters": 4, "kernel_size": 3},
                {"layer": "MaxPooling2D"},
                {"layer": "Activation", "activation": "relu"},
                {"layer": "Reshape", "target_shape": [9, -1]},
                {"layer": "Reshape", "target_shape": [-1]},
                {"layer": "Dense", "units": "num_actions"},
            ],
        }
    )
    (network,) = expected_networks(asked, ((8, 8, 2),))
    told = [(found.kind, found.values.get(Attribute.ACTIVATION)) for found in network.layers]
    assert told == [
        ("Conv2D", "relu"), ("MaxPooling2D", None), ("Reshape", None), ("Flatten", None),
        ("Dense", "linear"),
    ]  # fmt: skip
    assert network.layers[2].values[Attribute.TARGET_SHAPE] == (9, 4)
