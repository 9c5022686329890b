"""Naming the mistakes behind a comparison, each with what to do about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from grader.checks.architecture.attribute_mistakes import attribute_mistake
from grader.checks.architecture.comparison import Comparison
from grader.checks.architecture.layers import (
    ATTENTIONS,
    CONVOLUTIONS,
    GLOBAL_POOLINGS,
    POOLINGS,
    RECURRENT,
    ExpectedLayer,
    Layer,
)
from grader.checks.architecture.places import Places
from grader.checks.architecture.rows import Row
from grader.checks.architecture.surplus import surplus_mistake
from grader.checks.architecture.values import UNKNOWN, value_text
from grader.checks.architecture.wording import Mistake, layer_text, layers_text
from grader.checks.network_codes import NetworkCode
from grader.records.layer_families import MERGES, Attribute
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


@dataclass(frozen=True)
class _Order:
    """Right values in the wrong order, in the layers of one kind."""

    kind: str
    attributes: tuple[Attribute, ...]
    rows: tuple[Row, ...]


def layer_findings(comparison: Comparison, places: Places) -> tuple[Finding, ...]:
    """The findings about single layers and their order, in the order of the network.

    Args:
        comparison: the student's network beside the one asked for.
        places: where the layers are made.
    """
    orders = _orders(comparison.rows)
    told = {
        row.expected_number: frozenset(order.attributes) for order in orders for row in order.rows
    }
    named: dict[tuple[Mistake, str, str], list[tuple[int, Layer | None]]] = defaultdict(list)
    for row in comparison.rows:
        if row.expected is not None:
            orderly = told.get(row.expected_number, frozenset())
            for mistake in _mistakes_of(row, orderly, comparison.form.unused):
                named[mistake, "layer", row.expected.kind].append(
                    (row.expected_number, row.received)
                )
        elif row.received is not None and not (
            row.moved or row.free or comparison.is_extra_output(row)
        ):
            mistake = surplus_mistake(row.received)
            named[mistake, "your layer", row.received.kind].append(
                (row.received_number, row.received)
            )
    findings = [
        mistake.finding(
            layers_text(who, [number for number, _ in layers], kind),
            places.of(*(layer for _, layer in layers)),
        )
        for (mistake, who, kind), layers in named.items()
    ]
    return (*(_order_finding(order, places) for order in orders), *findings)


def _orders(rows: Sequence[Row]) -> list[_Order]:
    """Attributes whose differing values are the expected ones in another order, kind by kind."""
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.expected is not None and row.differences and not row.fixed_units:
            by_kind[row.expected.kind].append(row)
    orders = []
    for kind, differing in by_kind.items():
        permuted = tuple(attribute for attribute in _ORDERED if _is_permuted(attribute, differing))
        if permuted and _are_exchanged(differing):
            permuted = tuple(dict.fromkeys(name for row in differing for name in row.differences))
        concerned = tuple(row for row in differing if set(permuted) & set(row.differences))
        if permuted:
            orders.append(_Order(kind, permuted, concerned))
    return orders


def _is_permuted(attribute: Attribute, rows: Sequence[Row]) -> bool:
    concerned = [row for row in rows if attribute in row.differences]
    asked = Counter(row.expected.values[attribute] for row in concerned if row.expected)
    found = Counter(row.received.values.get(attribute) for row in concerned if row.received)
    return len(concerned) > 1 and asked == found


def _are_exchanged(rows: Sequence[Row]) -> bool:
    """Whether whole layers stand in the wrong order, with all of their values."""
    asked = Counter(tuple(row.expected.values.items()) for row in rows if row.expected)
    found = Counter(tuple(row.received.values.items()) for row in rows if row.received)
    return asked == found


def _order_finding(order: _Order, places: Places) -> Finding:
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
        where=places.of(*(row.received for row in order.rows)),
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
            yield attribute_mistake(attribute, asked, found, fixed=row.fixed_units)


def _kernel_and_strides(
    asked: ExpectedLayer, found: Layer, differences: Sequence[Attribute]
) -> Mistake | None:
    """The mistake when kernel size and strides are mixed up; None when they are not."""
    if asked.kind not in CONVOLUTIONS or Attribute.STRIDES not in differences:
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
    windows = kernel if isinstance(kernel, tuple) else ()
    if own_kernel == own_strides == kernel and set(windows) != {1}:
        return Mistake(
            NetworkCode.STRIDES_AS_KERNEL,
            "The strides are as large as the kernel in {layers}: the third number of a convolution "
            "is the strides, not the kernel's width.",
            expected, received, advice,
        )  # fmt: skip
    return None


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
    if asked.kind == "Masking":
        return Mistake(
            NetworkCode.MISSING_MASKING,
            "The padding of the sequences is not masked: {layers}.",
            layer_text(asked), "nothing in its place",
            "Put `layers.Masking(mask_value=…)` in front of the first recurrent layer; without it "
            "the network reads the padding as if it were data.",
        )  # fmt: skip
    if asked.kind in MERGES:
        return Mistake(
            NetworkCode.MISSING_MERGE,
            "The branches are not brought together: {layers}.",
            layer_text(asked), "nothing in its place",
            _DUELING
            if asked.kind == "Dueling"
            else "Merge them with the Keras layer or the operation of this name, and return the "
            "result.",
        )  # fmt: skip
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
    if found.is_custom:
        return Mistake(
            NetworkCode.UNKNOWN_LAYER,
            "Code of your own stands in the place of {layers}, and what it computes is not known.",
            layer_text(asked), layer_text(found),
            f"Use Keras' own `layers.{asked.kind}` here.",
        )  # fmt: skip
    for code, asks, finds, claim, advice in _EXCHANGES:
        if asked.kind in asks and found.kind in finds:
            return Mistake(code, claim, layer_text(asked), layer_text(found), advice)
    return Mistake(
        NetworkCode.OTHER_KIND,
        "A layer of another kind stands in the place of {layers}.",
        layer_text(asked), layer_text(found),
        _DUELING if asked.kind == "Dueling" else f"Use `layers.{asked.kind}` here.",
    )  # fmt: skip


_DUELING: Final = (
    "Write `value + advantage - ops.mean(advantage, axis=1, keepdims=True)`: Keras has no layer "
    "for this merge."
)

_EXCHANGES: Final = (
    (
        NetworkCode.DUELING_SUM,
        frozenset({"Dueling"}),
        frozenset({"Add"}),
        "Value and advantages are only added in {layers}.",
        "Take the mean of the advantages away: `value + advantage - "
        "ops.mean(advantage, axis=1, keepdims=True)`. Without it, adding 1 to the value and taking "
        "1 from every advantage changes nothing, so neither can be learnt.",
    ),
    (
        NetworkCode.RECURRENT_KIND,
        RECURRENT,
        RECURRENT,
        "Another recurrent layer stands in the place of {layers}.",
        "Use the layer that is asked for: LSTM, GRU and SimpleRNN differ in how they remember.",
    ),
    (
        NetworkCode.GLOBAL_POOLING_FOR_FLATTEN,
        frozenset({"Flatten"}),
        GLOBAL_POOLINGS,
        "The image is averaged instead of flattened in {layers}.",
        "Use `layers.Flatten()`: pooling over the whole image forgets where something was.",
    ),
    (
        NetworkCode.POOLING_KIND,
        POOLINGS,
        POOLINGS,
        "Another kind of pooling stands in the place of {layers}.",
        "Use the pooling that is asked for.",
    ),
    (
        NetworkCode.DENSE_FOR_CONVOLUTION,
        CONVOLUTIONS,
        frozenset({"Dense"}),
        "A Dense stands in the place of the convolution {layers}.",
        "Use the convolution: Dense has no kernel that slides over the image.",
    ),
    (
        NetworkCode.HEADS,
        ATTENTIONS,
        ATTENTIONS,
        "Another kind of attention stands in the place of {layers}.",
        "Use the attention that is asked for; MultiHeadAttention has weights of its own, Attention "
        "has none.",
    ),
)
"""Layers that are taken for each other: code, kinds asked for, kinds found, claim, advice."""
