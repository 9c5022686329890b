"""Networks written down as short as a student would, as the records of a worker."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from grader.assignments.registry import JudgeInput
from grader.checks.network import CHECKS
from grader.records.evidence import Symbol
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
from grader.records.result import NetworkTable, Verdict
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


RESCALING = layer("Rescaling", scale=1 / 255, offset=0.0)
AFFINE = operation("affine", scale=1 / 255, offset=0.0)
FIRST = (4, 84, 84)
BATCH_NORM = layer("BatchNormalization", axis=-1)
DROPOUT = layer("Dropout", rate=0.5)
SOFTMAX = layer("Softmax", axis=-1)
FIRST_CONVS = tuple(spec.but(data_format="channels_first") for spec in (C1, C2, C3))


def with_inputs(spec: Spec, *inputs: int) -> Spec:
    return Spec(spec.kind, spec.config, spec.source, inputs, spec.shape, spec.layer)
