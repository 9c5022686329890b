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

from grader.checks.network_codes import NetworkCode as Code
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
