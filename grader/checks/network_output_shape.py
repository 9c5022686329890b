"""Have the outputs of a network the shapes asked for, whatever its builder is called with?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from grader.checks.architecture.expected import (
    ExpectedNetwork,
    canonical_shapes,
    expected_networks,
    sides_of,
)
from grader.checks.network_codes import NetworkCode
from grader.records.network_evidence import NetworkEvidence
from grader.records.network_settings import NetworkSettings
from grader.records.result import Finding, Severity

WRONG_SHAPE_COST: Final = 0.5
"""Share of the points lost when the output has the right shape for some numbers of actions only;
when it has it for none, all are lost."""

_MAX_OUTPUTS: Final = 4
"""Outputs whose shapes are told."""


def judge_shape(
    evidence: NetworkEvidence, settings: NetworkSettings
) -> tuple[float, tuple[Finding, ...]]:
    """The cost of the outputs' shapes, and one finding for all calls of the builder together."""
    wrong: list[str] = []
    built = {_told(build.arguments): build.output_shapes for build in evidence.builds}
    calls = {_told(arguments): arguments for arguments in settings.builder_arguments}
    for told, arguments in calls.items():
        shapes = built.get(told, ())
        accepted = _accepted(settings, evidence, arguments)
        if not shapes:
            wrong.append(f"no output for {told}")
        elif not any(_is_one_of(shapes, wanted) for wanted in accepted):
            sides = [", ".join(("batch", *map(str, shape[1:6]))) for shape in shapes[:_MAX_OUTPUTS]]
            listed = " and ".join(f"({each})" for each in sides)
            count = f"{len(shapes)} outputs, " if len(shapes) > 1 else ""
            wrong.append(f"{count}{listed} for {told}")
    if not wrong:
        return 0.0, ()
    asked = _sides_asked(settings)
    several = len(asked) > 1
    q_values = settings.returns == "q_values" and not several and "," not in asked[0]
    if several:
        advice = "Return the outputs that the assignment names, in its order: the last layer of "
        advice += "each decides about its shape."
    elif q_values:
        advice = f"Let the last layer be `Dense({asked[0]})`, behind a `Flatten`, and use the "
        advice += "argument instead of a fixed number."
    else:
        advice = "Compare the shapes in the table: the last layer decides about the last side."
    listed = " and ".join(f"(batch, {sides})" for sides in asked)
    return 1.0 if len(wrong) == len(calls) else WRONG_SHAPE_COST, (
        Finding(
            code=NetworkCode.OUTPUT_SHAPE,
            severity=Severity.ERROR,
            claim="The output does not have one value per action."
            if q_values
            else f"The {'outputs have' if several else 'output has'} another shape than asked for.",
            where=evidence.place("builder"),
            expected=f"{len(asked)} outputs of the shapes {listed}, in this order"
            if several
            else f"outputs of the shape {listed}",
            received="; ".join(wrong),
            try_=advice,
        ),
    )


def _told(arguments: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())


def _accepted(
    settings: NetworkSettings, evidence: NetworkEvidence, arguments: Mapping[str, object]
) -> list[tuple[tuple[int, ...] | None, ...]]:
    """The shapes of all outputs, for each network that is accepted; None where not known."""
    shapes = canonical_shapes(settings, evidence.input_shapes or None, arguments)
    found = [network.output_shapes for network in expected_networks(settings, shapes, arguments)]
    if settings.output_shape is None:
        return found
    first = sides_of(settings.output_shape, arguments)
    return [(first, *given[1:]) for given in found]


def _is_one_of(
    shapes: tuple[tuple[int, ...], ...], wanted: tuple[tuple[int, ...] | None, ...]
) -> bool:
    return len(shapes) == len(wanted) and all(
        one is None or shape[1:] == one for shape, one in zip(shapes, wanted, strict=True)
    )


def _sides_asked(settings: NetworkSettings) -> tuple[str, ...]:
    """The sides of each output, with the argument by name where it decides."""
    (network, *_) = expected_networks(settings, canonical_shapes(settings, None))
    told = [_sides_of(network, place) for place in network.outputs]
    if settings.output_shape is not None:
        told[0] = ", ".join(map(str, settings.output_shape))
    return tuple(told)


def _sides_of(network: ExpectedNetwork, place: int) -> str:
    last = network.layers[place] if place >= 0 else None
    if last is not None and last.per_argument:
        return last.per_argument
    shape = None if last is None else last.output_shape
    return "…" if shape is None else ", ".join(map(str, shape))
