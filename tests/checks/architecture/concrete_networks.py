"""Graphs made from what an assignment asks for, and honest ways of writing them otherwise."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from grader.assignments.registry import JudgeInput
from grader.checks.architecture.expected import ExpectedLayer, ExpectedNetwork, expected_networks
from grader.checks.architecture.judge import judge_architecture
from grader.records.evidence import Symbol
from grader.records.layer_families import COMMUTATIVE, FAMILIES, Attribute
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
from grader.records.result import Verdict
from grader.records.spec import CheckSpec, Isolation, PartSpec

PART = PartSpec.parse(
    {"title": "Network", "kind": "network", "file": "network.py",
     "checks": {"architecture": {"title": "Layers", "points": 12}}}
)  # fmt: skip
_LINEAR_ONLY = {"SimpleRNN", "LSTM", "GRU", "Activation"}
_NOT_IN_CONFIG = {Attribute.WEIGHTS, Attribute.BIDIRECTIONAL, Attribute.CAUSAL, Attribute.READS}


def settings_of(shape: tuple[int, ...], layers: Sequence[dict[str, Any]]) -> NetworkSettings:
    """Settings of a part that asks for these layers."""
    return NetworkSettings.parse(
        {"input_shapes": [list(shape)], "num_actions": [3], "layers": list(layers)}
    )


def network_of(settings: NetworkSettings) -> ExpectedNetwork:
    """The first network that settings accept."""
    shapes = tuple(
        tuple(int(side) for side in single.shapes[0]) for single in settings.network_inputs
    )
    return expected_networks(settings, shapes)[0]


def verdict_of(settings: NetworkSettings, graph: NetworkGraph) -> Verdict:
    """The verdict on a graph that is proven."""
    evidence = NetworkEvidence(
        part="network",
        file="network.py",
        isolation=Isolation.FULL,
        symbols=(Symbol(role="builder", name="create_q_model", line=1, parameters=()),),
        builds=tuple(
            BuildTrial(arguments=arguments, is_model=True)
            for arguments in settings.builder_arguments
        ),
        input_shapes=graph.input_shapes,
        graph=graph,
        proof=NetworkProof(method=ProofMethod.REBUILT),
    )  # fmt: skip
    return judge_architecture(
        JudgeInput(
            part_id="network",
            part=PART,
            check=CheckSpec(title="Layers", points=12),
            part_settings=settings,
            settings=ArchitectureSettings(),
            evidence=evidence,
        )
    )


def lost_by(settings: NetworkSettings, verdict: Verdict) -> float:
    """Weights of layers lost."""
    return network_of(settings).weight * (1 - verdict.fraction)


# --- the network asked for, as a graph ------------------------------------------------------------


def graph_of(network: ExpectedNetwork) -> NetworkGraph:
    """A graph with exactly the layers asked for."""
    writing = Writing([], {}, network.input_shapes)
    for place, layer in enumerate(network.layers):
        writing.append(node_of(place, layer))
    writing.outputs = list(network.outputs)
    return writing.graph()


def node_of(place: int, layer: ExpectedLayer) -> GraphNode:
    """A layer as the worker would describe it."""
    config: dict[str, Any] = {}
    for attribute, rule in layer.rules.items():
        value = (
            rule.example
            if rule.example is not None
            else FAMILIES[layer.kind].options.get(attribute)
        )
        if attribute not in _NOT_IN_CONFIG and value is not None:
            config[attribute.value] = list(value) if isinstance(value, tuple) else value
    if config.get("value_dim") == 0:
        del config["value_dim"]
    causal = layer.rules.get(Attribute.CAUSAL)
    node = GraphNode(
        index=place,
        source=NodeSource.OPERATION if layer.kind == "Dueling" else NodeSource.LAYER,
        kind="dueling" if layer.kind == "Dueling" else layer.kind,
        name=f"{layer.kind.lower()}_{place}",
        config=config,
        inputs=layer.inputs,
        output_shape=layer.output_shape or (),
        call_arguments={"use_causal_mask": True} if causal and causal.example is True else {},
        parameters=layer.parameters or 0,
        layer=place,
    )
    both = layer.rules.get(Attribute.BIDIRECTIONAL)
    if both is None or both.example in {"no", None}:
        return node
    inner = {"class_name": layer.kind, "config": config}
    return node.model_copy(
        update={"kind": "Bidirectional", "config": {"layer": inner, "merge_mode": both.example}}
    )  # fmt: skip


class Writing:
    """A graph while it is written otherwise."""

    def __init__(
        self,
        nodes: list[GraphNode],
        outputs: Any,
        input_shapes: tuple[tuple[int, ...], ...],
    ) -> None:
        self.nodes = {node.index: node for node in nodes}
        self.outputs: list[int] = list(outputs)
        self.input_shapes = input_shapes

    @classmethod
    def of(cls, graph: NetworkGraph) -> Writing:
        return cls(list(graph.nodes), graph.outputs, graph.input_shapes)

    def append(self, node: GraphNode) -> int:
        self.nodes[node.index] = node
        return node.index

    def add(
        self, kind: str, inputs: Sequence[int], shape: tuple[int, ...], *, layer: bool = False,
        **config: Any,
    ) -> int:  # fmt: skip
        """A further node that nothing reads yet."""
        index = max(self.nodes, default=-1) + 1
        return self.append(
            GraphNode(
                index=index,
                source=NodeSource.LAYER if layer else NodeSource.OPERATION,
                kind=kind,
                name=f"further_{index}",
                config=config,
                inputs=tuple(inputs),
                output_shape=shape,
                parameters=0,
                layer=1000 + index if layer else None,
            )
        )

    def set(self, index: int, **changes: Any) -> None:
        self.nodes[index] = self.nodes[index].model_copy(update=changes)

    def redirect(self, before: int, after: int, *, but: Sequence[int] = ()) -> None:
        """Has all that read one node read another."""
        for index, node in self.nodes.items():
            if index != after and index not in but and before in node.inputs:
                inputs = tuple(after if one == before else one for one in node.inputs)
                self.set(index, inputs=inputs)
        self.outputs = [after if one == before else one for one in self.outputs]

    def shape(self, index: int) -> tuple[int, ...]:
        return self.input_shapes[-1 - index] if index < 0 else self.nodes[index].output_shape

    def graph(self, dice: random.Random | None = None) -> NetworkGraph:
        """The graph, its nodes in one of the orders in which they can be computed."""
        order: list[int] = []
        left = dict(self.nodes)
        while left:
            ready = [i for i, node in left.items() if not set(node.inputs) & set(left)]
            chosen = dice.choice(ready) if dice else ready[0]
            order.append(chosen)
            del left[chosen]
        places = {index: place for place, index in enumerate(order)}
        nodes = tuple(
            self.nodes[index].model_copy(
                update={
                    "index": places[index],
                    "inputs": tuple(places.get(one, one) for one in self.nodes[index].inputs),
                }
            )
            for index in order
        )
        return NetworkGraph(
            nodes=nodes,
            outputs=tuple(places.get(one, one) for one in self.outputs),
            input_shapes=self.input_shapes,
            parameters=sum(node.parameters for node in nodes),
        )


# --- honest ways of writing it otherwise ----------------------------------------------------------

_SPELLINGS = ("layer", "class", "operation", "object")


def split_activation(writing: Writing, index: int, dice: random.Random) -> None:
    node = writing.nodes[index]
    name = node.config.get("activation")
    if node.kind in _LINEAR_ONLY or not isinstance(name, str) or name == "linear":
        return
    if node.kind == "TimeDistributed":
        return
    writing.set(index, config={**node.config, "activation": dice.choice(["linear", None])})
    shape, spelling = node.output_shape, dice.choice(_SPELLINGS)
    if spelling == "class" and name in {"relu", "softmax", "elu"}:
        kind = {"relu": "ReLU", "softmax": "Softmax", "elu": "ELU"}[name]
        after = writing.add(kind, [index], shape, layer=True)
    elif spelling == "object":
        told = {"class_name": "function", "config": name}
        after = writing.add("Activation", [index], shape, layer=True, activation=told)
    elif spelling == "operation":
        after = writing.add(name, [index], shape)
    else:
        after = writing.add("Activation", [index], shape, layer=True, activation=name)
    writing.redirect(index, after)


def insert_nothing(writing: Writing, index: int, dice: random.Random) -> None:
    kind, layer, config = dice.choice(
        [
            ("Identity", True, {}),
            ("identity", False, {}),
            ("cast", False, {"dtype": "float32"}),
            ("Activation", True, {"activation": "linear"}),
            ("affine", False, {"scale": 1.0, "offset": 0.0}),
            ("Dropout", True, {"rate": 0.0}),
        ]
    )
    after = writing.add(kind, [index], writing.shape(index), layer=layer, **config)
    writing.redirect(index, after)


def shuffle_inputs(writing: Writing, index: int, dice: random.Random) -> None:
    node = writing.nodes[index]
    if node.kind in COMMUTATIVE or node.kind in {"add", "multiply", "maximum", "minimum"}:
        writing.set(index, inputs=tuple(dice.sample(node.inputs, len(node.inputs))))


def merge_in_code(writing: Writing, index: int, dice: random.Random) -> None:
    node = writing.nodes[index]
    name = node.kind.lower()
    if node.kind not in {"Add", "Multiply", "Maximum", "Minimum", "Concatenate", "Subtract"}:
        return
    first, *rest = node.inputs
    if name in {"concatenate", "subtract"} or len(node.inputs) == 2 or dice.random() < 0.3:
        writing.set(index, kind=name, source=NodeSource.OPERATION, layer=None)
        return
    while len(rest) > 1:
        first = writing.add(name, [first, rest.pop(0)], node.output_shape)
    inputs = (first, rest[0])
    writing.set(index, kind=name, source=NodeSource.OPERATION, layer=None, inputs=inputs)


def write_dueling_out(writing: Writing, index: int, dice: random.Random) -> None:
    node = writing.nodes[index]
    if node.kind != "dueling" or len(node.inputs) != 2:
        return
    value, advantage = node.inputs
    shape, word = node.output_shape, node.config.get("baseline", "mean")
    axis = dice.choice([[1], [-1], -1])
    mean = writing.add(f"reduce_{word}", [advantage], (1,), axis=axis, keepdims=True)
    form = dice.randrange(3)
    if form == 0:
        inner = writing.add("subtract", [advantage, mean], shape)
        last, inputs = "add", [value, inner]
    elif form == 1:
        inner = writing.add("add", dice.sample([value, advantage], 2), shape)
        last, inputs = "subtract", [inner, mean]
    else:
        inner = writing.add("subtract", [value, mean], shape)
        last, inputs = "add", [inner, advantage]
    if last == "add":
        inputs = dice.sample(inputs, 2)
    writing.set(index, kind=last, config={}, inputs=tuple(inputs))


def flatten_otherwise(writing: Writing, index: int, dice: random.Random) -> None:
    node = writing.nodes[index]
    if node.kind != "Flatten":
        return
    kind, layer, target = dice.choice(
        [("Reshape", True, [-1]), ("Reshape", True, list(node.output_shape)),
         ("reshape", False, [-1]), ("flatten", False, list(node.output_shape))]
    )  # fmt: skip
    source = NodeSource.LAYER if layer else NodeSource.OPERATION
    writing.set(index, kind=kind, source=source, config={"target_shape": target})


def wrap_in_time_distributed(writing: Writing, index: int, _: random.Random) -> None:
    node = writing.nodes[index]
    if node.kind in {"Dense", "Dropout"} and len(writing.shape(node.inputs[0])) == 2:
        inner = {"class_name": node.kind, "config": dict(node.config)}
        writing.set(index, kind="TimeDistributed", config={"layer": inner})


def pool_in_code(writing: Writing, index: int, dice: random.Random) -> None:
    node = writing.nodes[index]
    if not node.kind.startswith("Global") or node.config.get("keepdims") is True:
        return
    word = "reduce_mean" if "Average" in node.kind else "reduce_max"
    axes = list(range(1, len(writing.shape(node.inputs[0]))))
    if dice.random() < 0.5:
        config = {"axis": axes, "keepdims": False}
        writing.set(index, kind=word, source=NodeSource.OPERATION, config=config, layer=None)
        return
    shape = (*(1,) * len(axes), node.output_shape[-1])
    kept = writing.add(node.kind, node.inputs, shape, layer=True, keepdims=True)
    writing.set(index, kind="Flatten", config={}, inputs=(kept,))


def use_a_cell(writing: Writing, index: int, _: random.Random) -> None:
    node = writing.nodes[index]
    if node.kind in {"SimpleRNN", "LSTM", "GRU"}:
        outer = ("return_sequences", "go_backwards", "stateful")
        cell = {key: value for key, value in node.config.items() if key not in outer}
        config = {key: node.config[key] for key in outer if key in node.config}
        config["cell"] = {"class_name": f"{node.kind}Cell", "config": cell}
        writing.set(index, kind="RNN", config=config)


def take_the_last_step(writing: Writing, index: int, dice: random.Random) -> None:
    node = writing.nodes[index]
    plain = node.kind in {"SimpleRNN", "LSTM", "GRU", "RNN"}
    if not plain or node.config.get("return_sequences") is not False:
        return
    if node.config.get("go_backwards") is True:
        return
    steps = writing.shape(node.inputs[0])[0]
    rows = dice.choice([None, [None, None, None]])
    after = writing.add(
        "slice", [index], node.output_shape, index=[rows, dice.choice([-1, steps - 1])]
    )
    writing.set(
        index,
        config={**node.config, "return_sequences": True},
        output_shape=(steps, *node.output_shape),
    )
    writing.redirect(index, after)


def rearrange_in_code(writing: Writing, index: int, _: random.Random) -> None:
    node = writing.nodes[index]
    if node.kind == "Permute":
        config = {"permutation": [0, *node.config["dims"]]}
        writing.set(index, kind="transpose", source=NodeSource.OPERATION, config=config, layer=None)
    elif node.kind == "Reshape":
        writing.set(index, kind="reshape", source=NodeSource.OPERATION, layer=None)


def write_sizes_otherwise(writing: Writing, index: int, dice: random.Random) -> None:
    node = writing.nodes[index]
    config = dict(node.config)
    for key in ("kernel_size", "strides", "pool_size", "dilation_rate"):
        sides = config.get(key)
        if isinstance(sides, list) and len(set(sides)) == 1 and dice.random() < 0.5:
            config[key] = sides[0]
    if isinstance(config.get("padding"), str) and dice.random() < 0.5:
        config["padding"] = config["padding"].upper()
    writing.set(index, config=config)


def name_otherwise(writing: Writing, index: int, dice: random.Random) -> None:
    writing.set(index, name=dice.choice(["", "conv", "x" * 30, "dense_1", f"layer{index}"]))


REWRITINGS: tuple[Callable[[Writing, int, random.Random], None], ...] = (
    name_otherwise, shuffle_inputs, merge_in_code, write_dueling_out, flatten_otherwise,
    wrap_in_time_distributed, pool_in_code, take_the_last_step, use_a_cell, rearrange_in_code,
    write_sizes_otherwise, split_activation, insert_nothing,
)  # fmt: skip


def written_otherwise(graph: NetworkGraph, dice: random.Random) -> NetworkGraph:
    """A graph that computes the same."""
    writing = Writing.of(graph)
    for rewriting in REWRITINGS:
        for index in list(writing.nodes):
            if dice.random() < 0.4:
                rewriting(writing, index, dice)
    return writing.graph(dice)
