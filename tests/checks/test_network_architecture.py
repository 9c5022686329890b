from __future__ import annotations

import math
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.assignments.registry import JudgeInput
from grader.checks.architecture.alignment import align
from grader.checks.architecture.expected import expected_networks, layer_of
from grader.checks.architecture.layers import Layer, values_of
from grader.checks.network import CHECKS
from grader.checks.network_codes import NetworkCode as Code
from grader.records.evidence import Symbol, Unresolved
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.network_evidence import (
    BuildTrial,
    GraphNode,
    NetworkEvidence,
    NetworkGraph,
    NetworkProof,
    NodeSource,
    ProofMethod,
)
from grader.records.network_settings import ArchitectureSettings, NetworkSettings
from grader.records.patterns import ConvolutionPattern, FlattenPattern
from grader.records.result import NetworkTable, Outcome, RowStatus, Severity, Verdict
from grader.records.spec import Assignment, CheckSpec, Isolation

ASSIGNMENT = Assignment.parse(
    tomllib.loads(
        (files("grader.assignments") / "builtin" / "week13" / "assignment.toml").read_text("utf-8")
    )
)
PART = ASSIGNMENT.parts["network"]
SETTINGS = NetworkSettings.parse(PART.settings)
JUDGE = {kind.id: kind.judge for kind in CHECKS}["network.architecture"]

Shape = tuple[int, ...]


# --- networks, written down as short as a student would -------------------------------------------


@dataclass(frozen=True)
class Spec:
    kind: str
    config: dict[str, Any] = field(default_factory=dict)
    source: NodeSource = NodeSource.LAYER
    inputs: tuple[int, ...] | None = None
    shape: Shape | None = None
    layer: int | None = None

    def but(self, **changes: Any) -> Spec:
        return Spec(self.kind, {**self.config, **changes}, self.source, self.inputs, self.shape)


def conv(filters: int, kernel: int, strides: int, activation: Any = "relu", **more: Any) -> Spec:
    return Spec(
        "Conv2D",
        {
            "filters": filters,
            "kernel_size": [kernel, kernel],
            "strides": [strides, strides],
            "padding": "valid",
            "data_format": "channels_last",
            "dilation_rate": [1, 1],
            "groups": 1,
            "use_bias": True,
            "activation": activation,
            **more,
        },
    )


def dense(units: int, activation: Any = "linear", **more: Any) -> Spec:
    return Spec("Dense", {"units": units, "activation": activation, "use_bias": True, **more})


def layer(kind: str, **config: Any) -> Spec:
    return Spec(kind, config)


def operation(kind: str, **config: Any) -> Spec:
    return Spec(kind, config, NodeSource.OPERATION)


def custom(kind: str, shape: Shape | None = None) -> Spec:
    return Spec(kind, {}, NodeSource.UNKNOWN, shape=shape)


def pool(kind: str = "MaxPooling2D") -> Spec:
    return layer(kind, pool_size=[2, 2], strides=[2, 2], padding="valid")


FLATTEN = layer("Flatten")
C1, C2, C3, D1, OUT = conv(32, 8, 4), conv(64, 4, 2), conv(64, 3, 1), dense(512, "relu"), dense(4)
DQN = (C1, C2, C3, FLATTEN, D1, OUT)


def linear(spec: Spec) -> Spec:
    return spec.but(activation="linear")


def pair(size: int | list[int]) -> list[int]:
    return [size, size] if isinstance(size, int) else size


def shape_after(spec: Spec, shape: Shape) -> Shape:
    config = spec.config
    if spec.shape is not None:
        return spec.shape
    if spec.kind == "Dense":
        return (*shape[:-1], config["units"])
    if spec.kind in {"Flatten", "flatten"}:
        return (math.prod(shape),)
    if spec.kind in {"Reshape", "reshape"}:
        return (math.prod(shape),) if config["target_shape"] == [-1] else (*config["target_shape"],)
    if spec.kind == "Permute":
        return tuple(shape[axis - 1] for axis in config["dims"])
    if spec.kind == "transpose":
        return tuple(shape[axis - 1] for axis in config["permutation"][1:])
    if spec.kind.startswith("Global"):
        return (shape[-1],)
    if spec.kind in {"Conv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D"}:
        window = pair(config.get("kernel_size") or config["pool_size"])
        strides = pair(config.get("strides") or window)
        first = config.get("data_format") == "channels_first"
        image = shape[1:] if first else shape[:2]
        sides = tuple(
            -(-side // stride) if config["padding"] == "same" else (side - size) // stride + 1
            for side, size, stride in zip(image, window, strides, strict=True)
        )
        channels = config.get("filters", shape[0 if first else -1])
        return (channels, *sides) if first else (*sides, channels)
    return shape


def parameters_of(spec: Spec, shape: Shape) -> int:
    if spec.shape is not None:
        return 0
    if spec.kind == "Dense":
        return (shape[-1] + 1) * int(spec.config["units"])
    if spec.kind == "Conv2D":
        size = math.prod(pair(spec.config["kernel_size"]))
        return (size * shape[-1] + 1) * int(spec.config["filters"])
    return 4 * shape[-1] if spec.kind == "BatchNormalization" else 0


def graph_of(
    specs: Sequence[Spec],
    input_shape: Shape = (84, 84, 4),
    outputs: tuple[int, ...] | None = None,
    unused: tuple[str, ...] = (),
) -> NetworkGraph:
    shapes: dict[int, Shape] = {-1: input_shape}
    nodes = []
    for index, spec in enumerate(specs):
        inputs = (index - 1,) if spec.inputs is None else spec.inputs
        read = shapes[inputs[0]] if inputs else ()
        shapes[index] = shape_after(spec, read)
        nodes.append(
            GraphNode(
                index=index,
                source=spec.source,
                kind=spec.kind,
                name=f"{spec.kind.lower()}_{index}",
                config=spec.config,
                inputs=inputs,
                output_shape=shapes[index],
                parameters=parameters_of(spec, read),
                layer=index if spec.layer is None else spec.layer,
            )
        )
    return NetworkGraph(
        nodes=tuple(nodes),
        outputs=(len(specs) - 1,) if outputs is None else outputs,
        input_shapes=(input_shape,),
        unused_layers=unused,
        parameters=sum(node.parameters for node in nodes),
    )


def evidence_of(
    graph: NetworkGraph | None,
    method: ProofMethod | None = ProofMethod.REBUILT,
    *,
    widths: dict[int, int] | None = None,
    **more: Any,
) -> NetworkEvidence:
    widths = widths or {count: count for count in SETTINGS.num_actions}
    fields: dict[str, Any] = {
        "part": "network",
        "file": "network.py",
        "isolation": Isolation.FULL,
        "symbols": (
            Symbol(role="builder", name="create_q_model", line=9, parameters=("num_actions",)),
        ),
        "builds": tuple(
            BuildTrial(
                arguments={"num_actions": count},
                returned="Sequential",
                is_model=True,
                output_shapes=((2, width),),
            )
            for count, width in widths.items()
        ),
        "input_shapes": graph.input_shapes if graph else ((84, 84, 4),),
        "graph": graph,
        "proof": None if method is None else NetworkProof(method=method),
    }
    return NetworkEvidence(**{**fields, **more})


def judged(
    evidence: NetworkEvidence,
    part: NetworkSettings = SETTINGS,
    options: ArchitectureSettings | None = None,
) -> Verdict:
    return JUDGE(
        JudgeInput(
            part_id="network",
            part=PART,
            check=CheckSpec(title="layers", points=12),
            part_settings=part,
            settings=options or ArchitectureSettings(),
            evidence=evidence,
        )
    )


def judged_layers(*specs: Spec, **more: Any) -> Verdict:
    return judged(evidence_of(graph_of(specs, **more)))


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


def table(verdict: Verdict) -> NetworkTable:
    (exhibit,) = verdict.exhibits
    assert isinstance(exhibit, NetworkTable)
    return exhibit


def insert(index: int, *specs: Spec) -> tuple[Spec, ...]:
    return (*DQN[:index], *specs, *DQN[index:])


def replaced(index: int, *specs: Spec) -> tuple[Spec, ...]:
    return (*DQN[:index], *specs, *DQN[index + 1 :])


# --- the same network in many styles --------------------------------------------------------------

RESCALING = layer("Rescaling", scale=1 / 255, offset=0.0)
AFFINE = operation("affine", scale=1 / 255, offset=0.0)
FIRST = (4, 84, 84)

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


# --- typical mistakes, each with the findings it must lead to ------------------------------------

BATCH_NORM = layer("BatchNormalization", axis=-1)
DROPOUT = layer("Dropout", rate=0.5)
SOFTMAX = layer("Softmax", axis=-1)
FIRST_CONVS = tuple(spec.but(data_format="channels_first") for spec in (C1, C2, C3))

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


# --- axes -----------------------------------------------------------------------------------------


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


# --- branches -------------------------------------------------------------------------------------


def with_inputs(spec: Spec, *inputs: int) -> Spec:
    return Spec(spec.kind, spec.config, spec.source, inputs, spec.shape, spec.layer)


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


# --- the number of actions ------------------------------------------------------------------------


def test_a_fixed_number_of_outputs_is_told_although_the_first_build_fits() -> None:
    verdict = judged(evidence_of(graph_of(DQN), widths={4: 4, 6: 4, 18: 4}))
    assert codes(verdict) == [Code.OUTPUT_UNITS]
    assert table(verdict).rows[-1].status is RowStatus.DIFFERS
    assert verdict.fraction == pytest.approx(1 - (1 / 2) / 5.5)


def test_a_wrong_number_of_outputs_is_told_once() -> None:
    graph = graph_of(replaced(5, dense(6)))
    verdict = judged(evidence_of(graph, widths={4: 6, 6: 6, 18: 6}))
    assert codes(verdict) == [Code.OUTPUT_UNITS]


def test_what_stands_behind_the_output_is_not_told_as_wrong_units() -> None:
    graph = graph_of((*DQN, dense(1)))
    verdict = judged(evidence_of(graph, widths={4: 1, 6: 1, 18: 1}))
    assert codes(verdict) == [Code.EXTRA_LAYER]


def test_a_function_proven_network_must_follow_the_number_of_actions_too() -> None:
    verdict = judged(
        evidence_of(graph_of(DQN), ProofMethod.TRANSPLANTED, widths={4: 4, 6: 4, 18: 4})
    )
    assert codes(verdict) == [Code.PROVEN_BY_FUNCTION, Code.OUTPUT_UNITS]
    assert verdict.fraction == pytest.approx(1 - (1 / 2) / 5.5)


# --- points ---------------------------------------------------------------------------------------


def lost(*specs: Spec, options: ArchitectureSettings | None = None) -> float:
    return 5.5 * (1 - judged(evidence_of(graph_of(specs)), options=options).fraction)


def test_one_wrong_attribute_leaves_half_of_a_layer_and_two_leave_nothing() -> None:
    assert lost(*replaced(0, conv(16, 8, 4))) == pytest.approx(1 / 2)
    assert lost(*replaced(0, conv(16, 8, 2))) == pytest.approx(1)
    assert lost(*replaced(0, conv(16, 5, 2))) == pytest.approx(1)
    assert lost(*replaced(5, dense(4, "softmax"))) == pytest.approx(1 / 2)


def test_a_missing_layer_costs_its_weight() -> None:
    assert lost(*replaced(2)) == pytest.approx(1)
    assert lost(*replaced(3)) == pytest.approx(0.5)


def test_an_extra_layer_costs_the_mean_weight_and_dropout_half_of_it() -> None:
    assert lost(*insert(3, C3)) == pytest.approx(5.5 / 6)
    assert lost(*insert(5, DROPOUT)) == pytest.approx(5.5 / 12)
    assert lost(*insert(3, C3), options=ArchitectureSettings(extra_layer_cost=0.5)) == (
        pytest.approx(5.5 / 12)
    )


def test_points_do_not_fall_below_nothing() -> None:
    verdict = judged_layers(*DQN[:-1], *([dense(16, "relu")] * 9), OUT)
    assert verdict.fraction == 0.0
    assert verdict.outcome is Outcome.FAILED
    assert codes(verdict) == [Code.EXTRA_LAYER]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_points_of_the_rows_add_up_to_those_of_the_check(mistake: str) -> None:
    verdict = judged_layers(*MISTAKES[mistake][0])
    total = sum(row.points for row in table(verdict).rows)
    assert total == pytest.approx(12 * verdict.fraction)


# --- the table ------------------------------------------------------------------------------------


def test_the_table_shows_shapes_parameters_and_receptive_fields() -> None:
    exhibit = table(judged_layers(RESCALING, *DQN))
    assert exhibit.expected_parameters == exhibit.received_parameters == 1_686_180
    assert "Proven" in exhibit.proof
    preprocessing, *rows = exhibit.rows
    assert preprocessing.received is not None
    assert preprocessing.received.summary == "× 0.00392157"
    assert [row.expected.output_shape for row in rows if row.expected] == [
        "(20, 20, 32)", "(9, 9, 64)", "(7, 7, 64)", "(3136,)", "(512,)", "(4,)",
    ]  # fmt: skip
    assert [row.expected.receptive_field for row in rows if row.expected] == [
        "8 × 8", "20 × 20", "36 × 36", "36 × 36", "84 × 84", "84 × 84",
    ]  # fmt: skip
    assert [row.expected.parameters for row in rows if row.expected] == [
        8_224, 32_832, 36_928, 0, 1_606_144, 2_052,
    ]  # fmt: skip
    for row in rows:
        assert row.expected
        assert row.received
        assert row.received.output_shape == row.expected.output_shape
        assert row.received.receptive_field == row.expected.receptive_field
        assert row.received.parameters == row.expected.parameters
    assert rows[0].received
    assert rows[0].received.summary == (
        "32 filters, kernel (8, 8), strides (4, 4), valid padding, relu"
    )


def test_the_table_shows_what_differs() -> None:
    rows = table(judged_layers(*replaced(1, conv(64, 5, 2)))).rows
    assert rows[1].status is RowStatus.DIFFERS
    assert rows[1].differences == ("kernel_size: expected (4, 4), received (5, 5)",)
    assert rows[1].points == pytest.approx(rows[1].max_points / 2)


# --- proof ----------------------------------------------------------------------------------------


def test_without_proof_there_are_no_points_and_the_table_is_a_claim() -> None:
    evidence = evidence_of(
        graph_of(DQN),
        proof=NetworkProof(method=ProofMethod.NONE, reason="the outputs differ"),
    )
    verdict = judged(evidence)
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [Code.UNPROVEN]
    assert verdict.findings[0].received == "the outputs differ"
    assert "Not proven" in table(verdict).proof
    assert all(row.points == 0 for row in table(verdict).rows)


def test_without_proof_and_graph_there_are_no_points() -> None:
    verdict = judged(evidence_of(None, ProofMethod.NONE))
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [Code.UNPROVEN]
    assert verdict.exhibits == ()


def test_a_network_proven_by_its_function_earns_full_marks() -> None:
    graph = graph_of((custom("ConvStack", (7, 7, 64)), FLATTEN, D1, OUT), unused=("spare",))
    verdict = judged(evidence_of(graph, ProofMethod.TRANSPLANTED))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PASSED, 1.0)
    assert codes(verdict) == [Code.PROVEN_BY_FUNCTION, Code.UNUSED_LAYERS]
    assert verdict.findings[0].severity is Severity.NOTE
    expected = [row for row in table(verdict).rows if row.expected]
    assert {row.status for row in expected} == {RowStatus.MATCHES}
    assert sum(row.points for row in table(verdict).rows) == pytest.approx(12)


def test_a_network_proven_by_its_function_needs_no_graph() -> None:
    verdict = judged(evidence_of(None, ProofMethod.TRANSPLANTED))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PASSED, 1.0)
    assert verdict.exhibits == ()


def test_dropout_in_a_network_proven_by_its_function_is_a_warning() -> None:
    verdict = judged(evidence_of(graph_of(insert(5, DROPOUT)), ProofMethod.TRANSPLANTED))
    assert codes(verdict) == [Code.PROVEN_BY_FUNCTION, Code.EXTRA_DROPOUT]
    assert verdict.findings[1].severity is Severity.WARNING
    assert verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (IncidentKind.FAULT, Outcome.FAULT),
        (IncidentKind.RAISED, Outcome.FAILED),
        (IncidentKind.LIMIT, Outcome.INVALID),
    ],
)
@pytest.mark.parametrize("method", [None, ProofMethod.NONE])
def test_what_ended_the_tracing_decides_the_outcome(
    kind: IncidentKind, outcome: Outcome, method: ProofMethod | None
) -> None:
    incident = Incident(
        kind=kind, stage="tracing the network", limit=LimitName.CALL_WALL, limit_value="60 s"
    )
    verdict = judged(evidence_of(None, method, graph_incident=incident))
    assert (verdict.outcome, verdict.fraction) == (outcome, 0.0)


def test_what_is_no_model_is_the_students_side() -> None:
    builds = (
        BuildTrial(arguments={"num_actions": 4}, returned="list"),
        BuildTrial(arguments={"num_actions": 6}, is_model=True),
    )
    verdict = judged(evidence_of(None, None, builds=builds))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.NOT_A_MODEL])


@pytest.mark.parametrize("method", [None, ProofMethod.REBUILT])
def test_evidence_that_is_absent_is_a_fault(method: ProofMethod | None) -> None:
    assert judged(evidence_of(None, method)).outcome is Outcome.FAULT


def test_an_input_that_is_refused_fails_with_the_reason() -> None:
    refused = Incident(kind=IncidentKind.RAISED, stage="calling the model", message="bad shape")
    evidence = evidence_of(None, None, input_shapes=(), rejected_inputs=(refused, refused))
    verdict = judged(evidence)
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.INPUT_REFUSED])


def test_a_builder_that_is_not_there_fails() -> None:
    missing = Unresolved(role="builder", accepted=("create_q_model",), available=("model",))
    assert judged(evidence_of(None, None, unresolved=(missing,))).outcome is Outcome.FAILED


# --- properties -----------------------------------------------------------------------------------

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


EXTRAS = (C1, C2, C3, D1, dense(64), pool(), BATCH_NORM, DROPOUT, layer("ZeroPadding2D"),
          custom("Own"), operation("tanh"), operation("affine", scale=2.0, offset=0.0))  # fmt: skip


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


def test_the_same_evidence_gives_the_same_verdict() -> None:
    for specs, _ in MISTAKES.values():
        assert judged_layers(*specs) == judged_layers(*specs)


# --- hostile and huge evidence --------------------------------------------------------------------

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


def test_unreadable_attributes_are_shown_as_unknown() -> None:
    verdict = judged_layers(Spec("Conv2D", {"filters": "many"}, shape=(20, 20, 32)), *DQN[1:])
    assert set(codes(verdict)) == {
        Code.FILTERS, Code.KERNEL_SIZE, Code.STRIDES, Code.PADDING, Code.ACTIVATION_UNKNOWN,
    }  # fmt: skip
    assert verdict.findings[0].received == "filters unknown"


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


def test_two_lists_of_two_hundred_layers_align_in_no_time() -> None:
    sizes = [(n + 1, n % 9 + 1) for n in range(200)]
    one = [
        layer_of(ConvolutionPattern(layer="Conv2D", filters=filters, kernel_size=kernel), {})
        for filters, kernel in sizes
    ]
    same = [
        Layer("Conv2D", values_of("Conv2D", conv(filters, kernel, 1).config, {}))
        for filters, kernel in sizes
    ]
    two = [*same[5:60], *reversed(same[:60]), *same[60:140]]
    start = time.perf_counter()
    pairs = align(one, two).pairs
    assert time.perf_counter() - start < 0.1
    assert [index for index, _ in pairs if index is not None] == list(range(200))
    assert [index for _, index in pairs if index is not None] == list(range(len(two)))


def test_of_equal_layers_the_first_are_paired() -> None:
    asked, found = [layer_of(FlattenPattern(layer="Flatten"), {})], [Layer("Flatten")]
    assert align(asked, found * 3).pairs == ((0, 0), (None, 1), (None, 2))
    assert align(asked * 2, found).pairs == ((0, 0), (1, None))


def test_an_expected_network_that_cannot_be_is_no_error() -> None:
    impossible = NetworkSettings.parse({**PART.settings, "input_shapes": [[5, 5, 4]]})
    (layers,) = [network.layers for network in expected_networks(impossible, ((5, 5, 4),))]
    assert layers[0].output_shape is None
    assert layers[-1].parameters is None
    assert table(judged(evidence_of(graph_of(DQN)), impossible)).expected_parameters is None


def test_a_missing_layer_that_is_made_and_never_called_is_told_so() -> None:
    specs = tuple(spec for spec in DQN if spec != DQN[2])
    for unused, hint in ((("conv2d_7",), "never called"), (("dense",), "nothing in its place")):
        verdict = judged(evidence_of(graph_of(specs, unused=unused)))
        missing = next(f for f in verdict.findings if f.code == Code.MISSING_LAYER)
        assert hint in (missing.received or "")
