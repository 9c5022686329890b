from types import ModuleType

import pytest

from grader.records.result import LayerCell, LayerRow, NetworkTable, RowStatus
from grader.reporting.network_words import (
    Chip,
    chips,
    differences_of,
    is_proven,
    row_differences,
    table_sentence,
)

CONV = LayerCell(
    kind="Conv2D", summary="32 filters, kernel (8, 8), strides (4, 4), valid padding, relu"
)
DENSE = LayerCell(kind="Dense", summary="512 units, relu")


def differing(
    received: LayerCell, *differences: str, expected: LayerCell = CONV, points: float = 1.0
) -> NetworkTable:
    """One layer that differs after one that matches."""
    right = LayerRow(
        status=RowStatus.MATCHES, expected=DENSE, received=DENSE, points=points, max_points=2.0
    )
    wrong = LayerRow(
        status=RowStatus.DIFFERS, expected=expected, received=received, differences=differences,
        points=0.0, max_points=2.0,
    )  # fmt: skip
    return NetworkTable(
        rows=(right, wrong), expected_parameters=None, received_parameters=None, proof=""
    )


@pytest.mark.parametrize(
    ("difference", "told"),
    [
        ("strides: expected (4, 4), received (2, 2)", "has strides (2, 2) instead of (4, 4)"),
        ("filters: expected 32, received 16", "has 16 filters instead of 32"),
        ("kernel_size: expected (8, 8), received (4, 4)", "has kernel (4, 4) instead of (8, 8)"),
        ("padding: expected valid, received same", "has same padding instead of valid"),
        ("activation: expected relu, received linear", "has no activation instead of relu"),
        ("activation: expected relu, received tanh", "has activation tanh instead of relu"),
        (
            "units: expected num_actions, received a fixed number",
            "has a fixed number of units instead of num_actions",
        ),
        ("kind: expected Conv2D, received Dense", "is Dense instead of Conv2D"),
        ("use_bias: expected True, received False", "has use bias False instead of True"),
        ("stands in another place", "stands in another place"),
    ],
)
def test_one_layer_that_differs_is_told_in_one_sentence(difference: str, told: str) -> None:
    sentence = table_sentence(differing(CONV, difference))

    assert sentence == f"1 of 2 layers differs: layer 2 {told}."


def test_two_attributes_of_a_layer_are_told_together() -> None:
    table = differing(
        CONV,
        "strides: expected (4, 4), received (2, 2)",
        "padding: expected valid, received same",
    )

    assert table_sentence(table) == (
        "1 of 2 layers differs: layer 2 has strides (2, 2) instead of (4, 4) and same padding "
        "instead of valid."
    )


def test_same_slip_in_several_layers_is_told_once() -> None:
    slip = differing(CONV, "padding: expected valid, received same").rows[1]
    extra = LayerRow(status=RowStatus.EXTRA, received=LayerCell(kind="Dropout", summary="rate 0.5"))
    table = NetworkTable(
        rows=(extra, slip, slip, extra, slip, extra), expected_parameters=None,
        received_parameters=None, proof="",
    )  # fmt: skip

    assert table_sentence(table) == (
        "3 of 3 layers differ and 3 were not asked for: Dropout (rate 0.5) before layer 1 was not "
        "asked for; layers 1, 2 and 3 have same padding instead of valid; Dropout (rate 0.5) after "
        "layers 2 and 3 was not asked for."
    )


def test_layer_that_is_allowed_in_its_place_is_no_difference(samples: ModuleType) -> None:
    base = samples.matching_network()
    free = LayerRow(status=RowStatus.FREE, received=LayerCell(kind="Dropout", summary="rate 0.5"))
    table = base.model_copy(update={"rows": (*base.rows, free)})

    assert table_sentence(table) == "All 6 layers match."


def test_matching_network_is_said_to_match(samples: ModuleType) -> None:
    assert table_sentence(samples.matching_network()) == "All 6 layers match."


def test_only_the_first_differences_are_named_and_the_rest_is_counted(samples: ModuleType) -> None:
    assert table_sentence(samples.faulty_network()) == (
        "2 of 6 layers differ, 1 is missing and 1 was not asked for: layer 1 has strides (2, 2) "
        "instead of (4, 4); layer 3, Conv2D (64 filters), is missing; Dropout (rate 0.5) after "
        "layer 3 was not asked for; and 1 more."
    )


def test_layer_that_is_only_too_many_does_not_make_the_others_wrong(samples: ModuleType) -> None:
    base = samples.matching_network()
    extra = LayerRow(status=RowStatus.EXTRA, received=LayerCell(kind="Dropout", summary="rate 0.5"))
    table = base.model_copy(update={"rows": (*base.rows[:2], extra, *base.rows[2:])})

    assert table_sentence(table) == (
        "All 6 layers asked for are there, but Dropout (rate 0.5) after layer 2 was not asked for."
    )


def test_layers_that_earn_nothing_though_they_match_are_a_mere_claim(samples: ModuleType) -> None:
    base = samples.matching_network()
    rows = tuple(row.model_copy(update={"points": 0.0}) for row in base.rows)
    claimed = base.model_copy(update={"rows": rows})

    assert is_proven(base)
    assert not is_proven(claimed)
    assert table_sentence(claimed).startswith("All 6 layers match. But that is only what your code")


def test_check_that_is_worth_nothing_does_not_make_a_network_a_claim(samples: ModuleType) -> None:
    base = samples.matching_network()
    rows = tuple(row.model_copy(update={"points": 0.0, "max_points": 0.0}) for row in base.rows)

    assert is_proven(base.model_copy(update={"rows": rows}))


def test_row_that_does_not_match_always_says_why() -> None:
    assert row_differences(LayerRow(status=RowStatus.MISSING, expected=CONV))
    assert row_differences(LayerRow(status=RowStatus.EXTRA, received=CONV))
    assert not row_differences(LayerRow(status=RowStatus.MATCHES, expected=CONV, received=CONV))


def test_attribute_that_differs_is_marked_on_both_sides() -> None:
    other = LayerCell(kind="Conv2D", summary=CONV.summary.replace("(4, 4)", "(2, 2)"))
    (row,) = differing(other, "strides: expected (4, 4), received (2, 2)").rows[1:]
    known, others = differences_of(row)

    assert others == ()
    assert [chip.text for chip in chips(CONV, known, received=False) if chip.differs] == [
        "strides (4, 4)"
    ]
    assert [chip.text for chip in chips(other, known, received=True) if chip.differs] == [
        "strides (2, 2)"
    ]


def test_kernel_and_strides_of_the_same_size_are_told_apart() -> None:
    square = LayerCell(kind="Conv2D", summary="32 filters, kernel (4, 4), strides (4, 4)")
    (row,) = differing(square, "kernel_size: expected (8, 8), received (4, 4)").rows[1:]
    known, _ = differences_of(row)

    assert [chip.differs for chip in chips(square, known, received=True)] == [False, True, False]


def test_attribute_that_the_summary_leaves_out_is_added() -> None:
    plain = LayerCell(kind="Conv2D", summary="32 filters")
    (row,) = differing(
        plain,
        "activation: expected relu, received linear",
        "use_bias: expected True, received False",
    ).rows[1:]
    known, _ = differences_of(row)

    assert chips(plain, known, received=True) == [
        Chip("32 filters"),
        Chip("no activation", differs=True),
        Chip("use_bias False", differs=True),
    ]
