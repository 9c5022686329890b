"""Naming the mistakes behind a comparison, each with what to do about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grader.checks.architecture.comparison import Comparison, Row
from grader.checks.architecture.layers import (
    UNKNOWN,
    Attribute,
    ExpectedLayer,
    Layer,
    Value,
    value_text,
)
from grader.checks.architecture.surplus import surplus_mistake
from grader.checks.architecture.wording import Mistake, layer_text, layers_text
from grader.checks.network_codes import NetworkCode
from grader.records.network_evidence import NodeSource
from grader.records.result import Finding, Severity

_ORDERED: Final = (
    Attribute.FILTERS,
    Attribute.UNITS,
    Attribute.KERNEL_SIZE,
    Attribute.STRIDES,
    Attribute.POOL_SIZE,
    Attribute.RATE,
)
"""Attributes whose right values can stand in the wrong order."""

_PLAIN: Final[Mapping[Attribute, tuple[NetworkCode, str]]] = {
    Attribute.FILTERS: (NetworkCode.FILTERS, "The number of filters is wrong in {layers}."),
    Attribute.KERNEL_SIZE: (NetworkCode.KERNEL_SIZE, "The kernel size is wrong in {layers}."),
    Attribute.STRIDES: (NetworkCode.STRIDES, "The strides are wrong in {layers}."),
    Attribute.PADDING: (NetworkCode.PADDING, "The padding is wrong in {layers}."),
    Attribute.UNITS: (NetworkCode.UNITS, "The number of units is wrong in {layers}."),
    Attribute.POOL_SIZE: (NetworkCode.POOL_SIZE, "The pool size is wrong in {layers}."),
    Attribute.RATE: (NetworkCode.DROPOUT_RATE, "The dropout rate is wrong in {layers}."),
    Attribute.DILATION_RATE: (NetworkCode.OPTION, "The kernel has gaps in {layers}."),
    Attribute.GROUPS: (NetworkCode.OPTION, "The channels are split into groups in {layers}."),
    Attribute.USE_BIAS: (NetworkCode.OPTION, "The bias is left out in {layers}."),
    Attribute.DATA_FORMAT: (
        NetworkCode.CHANNELS_FIRST,
        "Channels are taken to be the first axis in {layers}.",
    ),
    Attribute.WEIGHTS: (NetworkCode.SHARED_WEIGHTS, "One layer object is used again as {layers}."),
}


@dataclass(frozen=True)
class _Order:
    """Right values in the wrong order, in the layers of one kind."""

    kind: str
    attributes: tuple[Attribute, ...]
    rows: tuple[Row, ...]


def layer_findings(comparison: Comparison, place: str) -> tuple[Finding, ...]:
    """The findings about single layers and their order, in the order of the network.

    Args:
        comparison: the student's network beside the one asked for.
        place: `file:line` of the builder.
    """
    orders = _orders(comparison.rows)
    told = {
        row.expected_number: frozenset(order.attributes) for order in orders for row in order.rows
    }
    named: dict[tuple[Mistake, str, str], list[int]] = defaultdict(list)
    for row in comparison.rows:
        if row.expected is not None:
            orderly = told.get(row.expected_number, frozenset())
            for mistake in _mistakes_of(row, orderly, comparison.form.unused):
                named[mistake, "layer", row.expected.kind].append(row.expected_number)
        elif row.received is not None and not row.moved:
            mistake = surplus_mistake(row.received)
            named[mistake, "your layer", row.received.kind].append(row.received_number)
    findings = [
        mistake.finding(layers_text(who, numbers, kind), place)
        for (mistake, who, kind), numbers in named.items()
    ]
    return (*(_order_finding(order, place) for order in orders), *findings)


def _orders(rows: Sequence[Row]) -> list[_Order]:
    """Attributes whose differing values are the expected ones in another order, kind by kind."""
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.expected is not None and row.differences and not row.fixed_units:
            by_kind[row.expected.kind].append(row)
    orders = []
    for kind, differing in by_kind.items():
        permuted = tuple(attribute for attribute in _ORDERED if _is_permuted(attribute, differing))
        concerned = tuple(row for row in differing if set(permuted) & set(row.differences))
        if permuted:
            orders.append(_Order(kind, permuted, concerned))
    return orders


def _is_permuted(attribute: Attribute, rows: Sequence[Row]) -> bool:
    concerned = [row for row in rows if attribute in row.differences]
    asked = Counter(row.expected.values[attribute] for row in concerned if row.expected)
    found = Counter(row.received.values.get(attribute) for row in concerned if row.received)
    return len(concerned) > 1 and asked == found


def _order_finding(order: _Order, place: str) -> Finding:
    def values(layers: Sequence[Layer]) -> str:
        return "; ".join(
            f"{attribute} "
            + ", ".join(value_text(layer.values.get(attribute, UNKNOWN)) for layer in layers)
            for attribute in order.attributes
        )

    numbers = [row.expected_number for row in order.rows]
    return Finding(
        code=NetworkCode.ORDER,
        severity=Severity.ERROR,
        claim=f"The right values stand in the wrong order in "
        f"{layers_text('layer', numbers, order.kind)}.",
        where=place,
        expected=values([row.expected for row in order.rows if row.expected]),
        received=values([row.received for row in order.rows if row.received]),
        try_="Exchange the values, or the lines: data passes the layers from top to bottom.",
    )


def _mistakes_of(row: Row, told: frozenset[Attribute], unused: Sequence[str]) -> Iterator[Mistake]:
    """The mistakes in one row of the table.

    Args:
        row: a row with an expected layer.
        told: attributes that a finding about the order of layers tells of already.
        unused: names of layers that were made and never called.
    """
    asked, found = row.expected, row.received
    assert asked is not None
    if found is None:
        yield _missing(asked, unused, moved=row.moved)
    elif row.other_kind:
        yield _other_kind(asked, found)
    else:
        remaining = [attribute for attribute in row.differences if attribute not in told]
        combined = _kernel_and_strides(asked, found, remaining)
        if combined is not None:
            yield combined
            handled = {Attribute.KERNEL_SIZE, Attribute.STRIDES}
            remaining = [attribute for attribute in remaining if attribute not in handled]
        for attribute in remaining:
            yield _difference(attribute, asked, found, fixed_units=row.fixed_units)


def _difference(
    attribute: Attribute, asked: ExpectedLayer, found: Layer, *, fixed_units: bool
) -> Mistake:
    expected, received = asked.values[attribute], found.values.get(attribute, UNKNOWN)
    if attribute is Attribute.ACTIVATION:
        return _activation(asked, str(expected), str(received))
    if attribute is Attribute.UNITS and asked.per_action:
        return _output_units(expected, received, fixed=fixed_units)
    code, claim = _PLAIN[attribute]
    return Mistake(
        code=code,
        claim=claim,
        expected=f"{attribute} {value_text(expected)}",
        received=f"{attribute} {value_text(received)}",
        advice={
            NetworkCode.OPTION: f"Leave `{attribute}` out: Keras' own value is the right one.",
            NetworkCode.CHANNELS_FIRST: "Leave `data_format` out. If the frames come as "
            "(4, 84, 84), put `Permute((2, 3, 1))` in front of the first layer.",
            NetworkCode.SHARED_WEIGHTS: "Make a new layer object for each layer; one that is used "
            "twice has only one set of weights.",
            NetworkCode.PADDING: f"Pass `padding={expected!r}`; Keras' own value is 'valid'.",
        }.get(code, f"Pass `{attribute}={value_text(expected)}`."),
    )


def _kernel_and_strides(
    asked: ExpectedLayer, found: Layer, differences: Sequence[Attribute]
) -> Mistake | None:
    """The mistake when kernel size and strides are mixed up; None when they are not."""
    if asked.kind != "Conv2D" or Attribute.STRIDES not in differences:
        return None
    kernel, strides = asked.values[Attribute.KERNEL_SIZE], asked.values[Attribute.STRIDES]
    own_kernel = found.values.get(Attribute.KERNEL_SIZE, UNKNOWN)
    own_strides = found.values.get(Attribute.STRIDES, UNKNOWN)
    expected = f"kernel_size {value_text(kernel)}, strides {value_text(strides)}"
    received = f"kernel_size {value_text(own_kernel)}, strides {value_text(own_strides)}"
    advice = f"Write `kernel_size={value_text(kernel)}, strides={value_text(strides)}` by name."
    if (own_kernel, own_strides) == (strides, kernel):
        return Mistake(
            NetworkCode.KERNEL_STRIDES_SWAPPED,
            "Kernel size and strides are swapped in {layers}.",
            expected, received, advice,
        )  # fmt: skip
    if own_kernel == own_strides == kernel:
        return Mistake(
            NetworkCode.STRIDES_AS_KERNEL,
            "The strides are as large as the kernel in {layers}: the third number of Conv2D is the "
            "strides, not the kernel's width.",
            expected, received, advice,
        )  # fmt: skip
    return None


def _activation(asked: ExpectedLayer, expected: str, received: str) -> Mistake:
    expected_text, received_text = f"activation {expected}", f"activation {received}"
    if asked.is_output and expected == "linear" and received != UNKNOWN:
        return _output_activation(received)
    if received == UNKNOWN:
        return Mistake(
            NetworkCode.ACTIVATION_UNKNOWN,
            "The activation was not recognised in {layers}.",
            expected_text, "none of the usual activations",
            f"Pass the name: `activation={expected!r}`.",
        )  # fmt: skip
    if received == "linear":
        return Mistake(
            NetworkCode.ACTIVATION_MISSING,
            "The activation is missing in {layers}.",
            expected_text, "no activation (linear)",
            f"Pass `activation={expected!r}`: without it, two layers in a row compute no more than "
            "one.",
        )  # fmt: skip
    advice = (
        "Leave `activation` out." if expected == "linear" else f"Pass `activation={expected!r}`."
    )
    return Mistake(
        NetworkCode.ACTIVATION_WRONG,
        "The activation is wrong in {layers}.",
        expected_text, received_text, advice,
    )  # fmt: skip


def _output_activation(received: str) -> Mistake:
    if received == "softmax":
        code, claim, advice = (
            NetworkCode.OUTPUT_SOFTMAX,
            "The Q-values pass through a softmax in {layers}.",
            "Leave `activation` out: softmax is for probabilities, which add up to 1; a Q-value is "
            "an expected return and may be any number.",
        )
    elif received in {"sigmoid", "tanh"}:
        code, claim, advice = (
            NetworkCode.OUTPUT_SQUASHED,
            "The Q-values are squeezed into a narrow range in {layers}.",
            "Leave `activation` out: a return can be larger than 1.",
        )
    else:
        code, claim, advice = (
            NetworkCode.OUTPUT_RELU,
            "The Q-values are cut off or bent by an activation in {layers}.",
            "Leave `activation` out: a return can be negative, and a ReLU that is stuck at 0 does "
            "not learn.",
        )
    return Mistake(code, claim, "activation linear", f"activation {received}", advice)


def _output_units(expected: Value, received: Value, *, fixed: bool) -> Mistake:
    if fixed:
        return Mistake(
            NetworkCode.OUTPUT_UNITS,
            "The number of outputs does not follow `num_actions` in {layers}.",
            "units num_actions, whatever its value",
            f"units {value_text(received)}, the wrong number for other numbers of actions",
            "Use the argument: `Dense(num_actions)`.",
        )
    return Mistake(
        NetworkCode.OUTPUT_UNITS,
        "The number of outputs is not the number of actions in {layers}.",
        f"units num_actions ({value_text(expected)} here)", f"units {value_text(received)}",
        "Use the argument: `Dense(num_actions)`.",
    )  # fmt: skip


def _missing(asked: ExpectedLayer, unused: Sequence[str], *, moved: bool) -> Mistake:
    if moved:
        return Mistake(
            NetworkCode.ORDER,
            "The right layer stands in the wrong place: {layers}.",
            "the layers in the order of the table", "the same layer in another place",
            "Move the line to its place: data passes the layers from top to bottom.",
        )  # fmt: skip
    if asked.kind == "Flatten":
        return Mistake(
            NetworkCode.MISSING_FLATTEN,
            "There is no Flatten: {layers}.",
            "Flatten", "nothing in its place",
            "Put `layers.Flatten()` between the last layer that works on images and the first "
            "Dense; without it, Dense works on each position of the image by itself.",
        )  # fmt: skip
    # Keras names a layer after its kind unless it is told another name.
    made = any(name.lower().startswith(asked.kind.lower()) for name in unused)
    return Mistake(
        NetworkCode.MISSING_LAYER,
        "A layer is missing: {layers}.",
        layer_text(asked),
        "a layer that is made and never called" if made else "nothing in its place",
        f"Pass the data through your `{asked.kind}`: a layer that is not called computes nothing."
        if made
        else f"Add `layers.{asked.kind}(…)` in this place, and pass the data through it.",
    )  # fmt: skip


def _other_kind(asked: ExpectedLayer, found: Layer) -> Mistake:
    if found.source is NodeSource.UNKNOWN:
        return Mistake(
            NetworkCode.UNKNOWN_LAYER,
            "Code of your own stands in the place of {layers}, and what it computes is not known.",
            layer_text(asked), layer_text(found),
            f"Use Keras' own `layers.{asked.kind}` here.",
        )  # fmt: skip
    return Mistake(
        NetworkCode.OTHER_KIND,
        "A layer of another kind stands in the place of {layers}.",
        layer_text(asked), layer_text(found),
        f"Use `layers.{asked.kind}` here.",
    )  # fmt: skip
