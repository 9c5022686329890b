"""Typical mistakes, each with the finding it must lead to."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from written_networks import (
    AFFINE,
    BATCH_NORM,
    C1,
    C2,
    C3,
    D1,
    DQN,
    DROPOUT,
    FIRST_CONVS,
    FLATTEN,
    OUT,
    RESCALING,
    SOFTMAX,
    Spec,
    codes,
    conv,
    custom,
    dense,
    evidence_of,
    graph_of,
    insert,
    judged,
    judged_layers,
    layer,
    linear,
    operation,
    pool,
    replaced,
    table,
    with_inputs,
)

from grader.checks.network_codes import NetworkCode as Code
from grader.records.result import Outcome, RowStatus, Severity

MISTAKES: dict[str, tuple[Sequence[Spec], list[Code]]] = {
    "filters": (replaced(0, conv(16, 8, 4)), [Code.FILTERS]),
    "kernel size": (replaced(1, conv(64, 5, 2)), [Code.KERNEL_SIZE]),
    "strides": (replaced(0, conv(32, 8, 2)), [Code.STRIDES]),
    "kernel and strides swapped": (replaced(0, conv(32, 4, 8)), [Code.KERNEL_STRIDES_SWAPPED]),
    "keras 1 arguments": (replaced(1, conv(64, 4, 4)), [Code.STRIDES_AS_KERNEL]),
    "same padding": (replaced(0, C1.but(padding="same")), [Code.PADDING]),
    "same padding everywhere": (
        tuple(spec.but(padding="same") if spec.kind == "Conv2D" else spec for spec in DQN),
        [Code.PADDING],
    ),
    "no relu": (replaced(2, linear(C3)), [Code.ACTIVATION_MISSING]),
    "no relu anywhere": (
        tuple(linear(spec) if spec.kind in {"Conv2D", "Dense"} else spec for spec in DQN),
        [Code.ACTIVATION_MISSING, Code.ACTIVATION_MISSING],
    ),
    "tanh instead": (replaced(4, dense(512, "tanh")), [Code.ACTIVATION_WRONG]),
    "leaky relu as a layer": (
        (linear(C1), layer("LeakyReLU", negative_slope=0.3), *DQN[1:]),
        [Code.ACTIVATION_WRONG],
    ),
    "a function of one's own": (
        replaced(4, dense(512, "unknown")),
        [Code.ACTIVATION_UNKNOWN],
    ),
    "softmax on the output": (replaced(5, dense(4, "softmax")), [Code.OUTPUT_SOFTMAX]),
    "softmax layer on the output": ((*DQN, SOFTMAX), [Code.OUTPUT_SOFTMAX]),
    "relu on the output": (replaced(5, dense(4, "relu")), [Code.OUTPUT_RELU]),
    "sigmoid on the output": ((*DQN, operation("sigmoid")), [Code.OUTPUT_SQUASHED]),
    "tanh on the output": (replaced(5, dense(4, "tanh")), [Code.OUTPUT_SQUASHED]),
    "units": (replaced(4, dense(256, "relu")), [Code.UNITS]),
    "output units": (replaced(5, dense(7)), [Code.OUTPUT_UNITS]),
    "no bias": (replaced(4, D1.but(use_bias=False)), [Code.OPTION]),
    "dilation": (replaced(2, C3.but(dilation_rate=[2, 2])), [Code.OPTION]),
    "channels first": ((*FIRST_CONVS, FLATTEN, D1, OUT), [Code.CHANNELS_FIRST]),
    "first convolution missing": (DQN[1:], [Code.MISSING_LAYER]),
    "second convolution missing": (replaced(1), [Code.MISSING_LAYER]),
    "third convolution missing": (replaced(2), [Code.MISSING_LAYER]),
    "hidden layer missing": (replaced(4), [Code.MISSING_LAYER]),
    "output layer missing": (DQN[:-1], [Code.MISSING_LAYER]),
    "flatten missing": (replaced(3), [Code.MISSING_FLATTEN]),
    "another convolution": (insert(3, C3), [Code.EXTRA_LAYER]),
    "another hidden layer": (insert(5, dense(128, "relu")), [Code.EXTRA_LAYER]),
    "batch normalisation": (insert(1, BATCH_NORM), [Code.EXTRA_NORMALIZATION]),
    "batch normalisation before relu": (
        (linear(C1), BATCH_NORM, layer("ReLU"), *DQN[1:]),
        [Code.EXTRA_NORMALIZATION],
    ),
    "batch normalisation before every relu": (
        tuple(
            part
            for spec in DQN
            for part in (
                (linear(spec), BATCH_NORM, layer("ReLU")) if spec.kind == "Conv2D" else (spec,)
            )
        ),
        [Code.EXTRA_NORMALIZATION],
    ),
    "dropout": (insert(5, DROPOUT), [Code.EXTRA_DROPOUT]),
    "pooling": (insert(1, pool()), [Code.EXTRA_POOLING]),
    "pooling before relu": ((linear(C1), pool(), layer("ReLU"), *DQN[1:]), [Code.EXTRA_POOLING]),
    "two activations": (insert(5, operation("tanh")), [Code.EXTRA_ACTIVATION]),
    "activation of the input": (insert(0, operation("sigmoid")), [Code.EXTRA_ACTIVATION]),
    "softmax behind relu": (
        (*DQN[:5], dense(4, "relu"), SOFTMAX),
        [Code.OUTPUT_RELU, Code.EXTRA_ACTIVATION],
    ),
    "global pooling for flatten": (
        replaced(3, layer("GlobalAveragePooling2D")),
        [Code.GLOBAL_POOLING_FOR_FLATTEN],
    ),
    "separable convolution": (
        replaced(1, Spec("SeparableConv2D", C2.config)),
        [Code.OTHER_KIND],
    ),
    "dense for a convolution": (
        replaced(2, dense(64, "relu")),
        [Code.DENSE_FOR_CONVOLUTION],
    ),
    "filters in the wrong order": (
        (conv(64, 8, 4), conv(32, 4, 2), C3, FLATTEN, D1, OUT),
        [Code.ORDER],
    ),
    "layers in the wrong order": (
        (C2, C1, C3, FLATTEN, D1, OUT),
        [Code.ORDER],
    ),
    "flatten in the wrong place": ((C1, C2, C3, D1, FLATTEN, OUT), [Code.ORDER]),
    "scaled in between": (insert(2, AFFINE), [Code.PREPROCESSING]),
    "multiplied by nothing": (
        (operation("affine", scale=0.0, offset=0.0), *DQN),
        [Code.PREPROCESSING],
    ),
    "custom layer": (insert(3, custom("Attention")), [Code.UNKNOWN_LAYER]),
    "custom convolution": (replaced(0, custom("Conv2D", (20, 20, 32))), [Code.UNKNOWN_LAYER]),
    "scaled twice": ((RESCALING, AFFINE, *DQN), [Code.SCALED_TWICE]),
    "frozen": (replaced(0, C1.but(trainable=False)), [Code.FROZEN]),
    "flattened twice": (insert(4, FLATTEN), [Code.NO_EFFECT]),
    "two mistakes": (
        (conv(16, 8, 4), C2, conv(64, 3, 2), FLATTEN, D1, OUT),
        [Code.FILTERS, Code.STRIDES],
    ),
    "the network of 2013": (
        (conv(16, 8, 4), conv(32, 4, 2), FLATTEN, dense(256, "relu"), OUT),
        [Code.FILTERS, Code.FILTERS, Code.MISSING_LAYER, Code.UNITS],
    ),
    "no convolutions": (
        (FLATTEN, D1, OUT),
        [Code.MISSING_LAYER, Code.MISSING_LAYER, Code.MISSING_LAYER],
    ),
}
FREE = {Code.SCALED_TWICE, Code.FROZEN, Code.NO_EFFECT}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_has_its_own_finding(mistake: str) -> None:
    specs, expected = MISTAKES[mistake]
    verdict = judged_layers(*specs)
    assert codes(verdict) == expected
    if set(expected) <= FREE:
        assert verdict.outcome is Outcome.PASSED
        assert all(finding.severity is not Severity.ERROR for finding in verdict.findings)
    else:
        assert verdict.outcome is Outcome.PARTIAL
        assert 0 < verdict.fraction < 1
        assert all(finding.severity is Severity.ERROR for finding in verdict.findings)
    assert all(finding.where == "network.py:9" for finding in verdict.findings)
    assert all(finding.try_ for finding in verdict.findings)


def test_a_finding_says_what_was_expected_and_received() -> None:
    (finding,) = judged_layers(*replaced(0, conv(32, 8, 2))).findings
    assert finding.code == "NW102"
    assert finding.claim == "The strides are wrong in layer 1 (Conv2D)."
    assert (finding.expected, finding.received) == ("strides (4, 4)", "strides (2, 2)")
    assert finding.try_ == "Pass `strides=(4, 4)`."


def test_one_mistake_in_several_layers_is_told_once() -> None:
    specs, _ = MISTAKES["same padding everywhere"]
    (finding,) = judged_layers(*specs).findings
    assert "layers 1, 2 and 3 (Conv2D)" in finding.claim


def test_the_order_of_filters_is_told_as_an_order() -> None:
    specs, _ = MISTAKES["filters in the wrong order"]
    (finding,) = judged_layers(*specs).findings
    assert (finding.expected, finding.received) == ("filters 32, 64", "filters 64, 32")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_points_of_the_rows_add_up_to_those_of_the_check(mistake: str) -> None:
    verdict = judged_layers(*MISTAKES[mistake][0])
    total = sum(row.points for row in table(verdict).rows)
    assert total == pytest.approx(12 * verdict.fraction)


def test_the_same_evidence_gives_the_same_verdict() -> None:
    for specs, _ in MISTAKES.values():
        assert judged_layers(*specs) == judged_layers(*specs)


def test_a_missing_layer_that_is_made_and_never_called_is_told_so() -> None:
    specs = tuple(spec for spec in DQN if spec != DQN[2])
    for unused, hint in ((("conv2d_7",), "never called"), (("dense",), "nothing in its place")):
        verdict = judged(evidence_of(graph_of(specs, unused=unused)))
        missing = next(f for f in verdict.findings if f.code == Code.MISSING_LAYER)
        assert hint in (missing.received or "")


def test_a_residual_connection_is_followed_and_told() -> None:
    specs = (*DQN[:5], dense(512, "relu"), with_inputs(operation("add"), 4, 5), OUT)
    verdict = judged_layers(*specs)
    assert codes(verdict) == [Code.EXTRA_LAYER, Code.MERGE]
    assert table(verdict).rows[0].status is RowStatus.MATCHES


def test_a_merge_layer_of_one_output_with_itself_is_one_finding() -> None:
    specs = (*DQN[:5], with_inputs(layer("Add"), 4, 4), OUT)
    assert codes(judged_layers(*specs)) == [Code.MERGE]


def test_a_dueling_network_is_told_by_its_parts() -> None:
    specs = (
        *DQN,
        with_inputs(dense(512, "relu"), 3),
        with_inputs(dense(1), 6),
        with_inputs(operation("add"), 5, 7),
    )
    verdict = judged_layers(*specs)
    assert codes(verdict) == [Code.EXTRA_LAYER, Code.EXTRA_LAYER, Code.MERGE]
    assert verdict.outcome is Outcome.PARTIAL


def test_several_outputs_are_told() -> None:
    verdict = judged(evidence_of(graph_of(DQN, outputs=(4, 5))))
    assert codes(verdict) == [Code.SEVERAL_OUTPUTS]
    assert verdict.outcome is Outcome.PARTIAL


def test_layers_in_a_row_that_are_no_chain_do_not_pass() -> None:
    shortcut = (*DQN[:5], with_inputs(OUT, 4, 3))
    verdict = judged_layers(*shortcut)
    assert codes(verdict) == [Code.READS]
    assert verdict.outcome is Outcome.PARTIAL
