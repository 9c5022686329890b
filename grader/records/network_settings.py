"""What an assignment can set for a network and for the check of its layers."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from grader.records.arithmetic import ArithmeticProblem, evaluate, names_in
from grader.records.base import Record
from grader.records.layer_families import MERGES, SEVERAL_INPUTS
from grader.records.patterns import (
    AnyOfPattern,
    Between,
    Expression,
    LayerPattern,
    OneSize,
    RepeatPattern,
)
from grader.records.spec import Identifier, PythonName
from grader.records.variants import Variant, variants_of

Side = Annotated[int, Field(ge=1, le=65536)] | Expression
Shape = Annotated[tuple[Side, ...], Field(min_length=1, max_length=5)]
Argument = int | float | str | bool
Arguments = Annotated[dict[PythonName, Argument], Field(min_length=1)]
_MAX_DEPTH: Final = 6


class NetworkInput(Record):
    """One input of a network."""

    name: Identifier = "input"
    """What layers call it in `reads`."""
    shapes: Annotated[tuple[Shape, ...], Field(min_length=1)]
    """Accepted shapes, batch axis left out; tried in this order."""
    range: tuple[float | Expression, float | Expression] = (0.0, 255.0)
    """Smallest and largest value it is fed with."""
    whole_numbers: bool = False
    """Whether it is fed with integers (int32), such as numbers of words."""
    padded: bool = False
    """Whether some of the sequences it is fed with end in zeros."""


class NetworkSettings(Record):
    """Settings of a `network` part."""

    input_shapes: tuple[Shape, ...] = ()
    """Short for one input with these accepted shapes, batch axis left out."""
    input_range: tuple[float, float] = (0.0, 255.0)
    """Values the input is fed with; belongs to `input_shapes`."""
    inputs: tuple[NetworkInput, ...] = ()
    """The inputs, where there are several or they are no pictures."""
    num_actions: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = ()
    """Short for arguments of this name, one call for each number."""
    arguments: tuple[Arguments, ...] = ()
    """Arguments the builder is called with; the first call is judged in full."""
    layers: Annotated[tuple[LayerPattern, ...], Field(min_length=1)]
    """The expected network, from input to output."""
    outputs: tuple[Identifier, ...] = ()
    """Names of the layers whose values it returns; when left out, the last layer."""
    output_shape: Shape | None = None
    """Shape of the first output, batch axis left out; when left out, what the layers give."""
    preprocessing_allowed: bool = True
    """Whether scaling, casting and transposing in front of the first layer is free."""
    forbidden: tuple[Annotated[str, Field(max_length=60)], ...] = ()
    """Kinds of layer that must not be there, such as `Dropout`."""
    parameters: Between | None = None
    """Bounds on the number of parameters."""
    returns: Literal["q_values", "probabilities", "numbers"] = "q_values"
    """What the outputs are: values of actions, probabilities that add up to 1, or any numbers."""

    examine_weights: bool = False
    """Whether first weights and gradients are recorded, for `network.initialisation` and
    `network.gradients`."""

    @cached_property
    def network_inputs(self) -> tuple[NetworkInput, ...]:
        """All inputs, the short form included."""
        if self.inputs:
            return self.inputs
        return (NetworkInput(shapes=self.input_shapes, range=self.input_range),)

    @cached_property
    def builder_arguments(self) -> tuple[dict[str, Argument], ...]:
        """The arguments of each call, the short form included."""
        if self.arguments:
            return self.arguments
        return tuple({"num_actions": number} for number in self.num_actions)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The networks that the list of layers allows, without choices."""
        names = [single.name for single in self.network_inputs]
        return variants_of(self.layers, names, self.outputs)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.input_shapes) == bool(self.inputs):
            raise ValueError("give either `input_shapes` or `inputs`")
        if bool(self.num_actions) == bool(self.arguments):
            raise ValueError("give either `num_actions` or `arguments`")
        return self

    @model_validator(mode="after")
    def _arguments_agree(self) -> Self:
        names = set(self.builder_arguments[0]) if self.builder_arguments else set()
        for number, arguments in enumerate(self.builder_arguments, 1):
            if set(arguments) != names:
                raise ValueError(
                    f"call {number} of `arguments` has other names than the first: "
                    f"{', '.join(sorted(arguments))}"
                )
        for text in self._expressions():
            unknown = names_in(text) - names
            if unknown:
                raise ValueError(
                    f'the expression "{text}" names {_listed(unknown)}, which is no argument of '
                    f"the builder; there are: {', '.join(sorted(names))}"
                )
            for arguments in self.builder_arguments:
                try:
                    evaluate(text, arguments)
                except ArithmeticProblem as problem:
                    raise ValueError(f'the expression "{text}": {problem}') from problem
        return self

    @model_validator(mode="after")
    def _written_out(self) -> Self:
        names = [single.name for single in self.network_inputs]
        if len(set(names)) != len(names):
            raise ValueError("two inputs have the same name")
        for variant in variants_of(self.layers, names, self.outputs):
            for slot in variant.slots:
                count, kind = len(slot.reads), slot.entry.layer
                if kind in MERGES and count < 2:
                    raise ValueError(f"{kind} brings several layers together; name them in `reads`")
                if kind == "Dueling" and count != 2:
                    raise ValueError("Dueling reads two layers: the value and the advantages")
                if kind not in SEVERAL_INPUTS and count > 1:
                    raise ValueError(f"{kind} reads one layer, and `reads` names {count}")
        return self

    def _expressions(self) -> Iterator[str]:
        for single in self.network_inputs:
            for shape in single.shapes:
                yield from (side for side in shape if isinstance(side, str))
            yield from (bound for bound in single.range if isinstance(bound, str))
        yield from (side for side in self.output_shape or () if isinstance(side, str))
        for entry in flattened(self.layers):
            for field, value in entry:
                if field in SIZE_FIELDS and isinstance(value, str) and value != "any":
                    yield value
                elif isinstance(value, OneSize):
                    yield from (item for item in value.one_of if isinstance(item, str))


SIZE_FIELDS: Final = frozenset(
    {"units", "filters", "input_dim", "output_dim", "n", "groups", "depth_multiplier",
     "num_heads", "key_dim", "value_dim"}
)  # fmt: skip
"""Attributes of layers that may be expressions."""


def flattened(entries: tuple[LayerPattern, ...], depth: int = 0) -> Iterator[LayerPattern]:
    """All entries that are no lists of others, in the order in which they are written.

    Raises:
        ValueError: blocks stand in blocks too deep.
    """
    if depth > _MAX_DEPTH:
        raise ValueError("blocks stand in blocks too deep")
    for entry in entries:
        match entry:
            case AnyOfPattern():
                for choice in entry.choices:
                    yield from flattened(choice, depth + 1)
            case RepeatPattern():
                yield from flattened(entry.layers, depth + 1)
            case _:
                yield entry


def _listed(names: AbstractSet[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


class ArchitectureSettings(Record):
    """Settings of `network.architecture`."""

    extra_layer_cost: float = Field(default=1.0, ge=0, le=10)
    """Points lost by a layer that was not asked for, in weights of one layer."""
