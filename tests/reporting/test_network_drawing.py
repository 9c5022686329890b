from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.records.result import LayerCell, LayerRow, NetworkTable, RowStatus
from grader.reporting.network_drawing import network_drawing
from grader.reporting.network_lines import MAX_LANES, Rail, rails


def trace(drawn: list[Rail], row: int) -> set[int]:
    """Rows whose dots a line from above leads from into the dot of a row, by following lines."""
    found: set[int] = set()
    mine = drawn[row]
    assert mine.dot is not None
    for lane in {mine.dot, *mine.across} & mine.upper:
        at = row - 1
        while not (drawn[at].dot is not None and lane in {drawn[at].dot, *drawn[at].across}):
            assert lane in drawn[at].upper
            at -= 1
        found.add(at)
    return found


def test_chain_needs_one_lane() -> None:
    drawn, lanes = rails({0: (), 1: (0,), 2: (1,)}, 3)

    assert lanes == 1
    assert [rail.dot for rail in drawn] == [0, 0, 0]
    assert drawn[0].upper == set()
    assert drawn[1].upper == drawn[1].lower == {0}
    assert drawn[2].lower == set()


def test_line_passes_a_row_in_which_a_layer_is_missing() -> None:
    drawn, _ = rails({0: (), 2: (0,)}, 3)

    assert drawn[1].dot is None
    assert drawn[1].upper == drawn[1].lower == {0}


def test_two_heads_run_in_two_lanes_and_meet() -> None:
    reads = {0: (), 1: (0,), 2: (1,), 3: (1,), 4: (3,), 5: (2, 4)}

    drawn, lanes = rails(reads, 6)

    assert lanes == 2
    assert [rail.dot for rail in drawn] == [0, 0, 0, 1, 1, 0]
    assert drawn[1].across == {1}
    assert drawn[5].across == {1}
    assert {row: trace(drawn, row) for row in reads if reads[row]} == {
        row: set(sources) for row, sources in reads.items() if sources
    }


def test_shortcut_around_a_layer_has_a_lane_of_its_own() -> None:
    drawn, lanes = rails({0: (), 1: (0,), 2: (1,), 3: (0, 2)}, 4)

    assert lanes == 2
    assert [rail.dot for rail in drawn] == [0, 0, 0, 0]
    assert trace(drawn, 3) == {0, 2}


@st.composite
def networks(draw: st.DrawFn) -> dict[int, tuple[int, ...]]:
    reads: dict[int, tuple[int, ...]] = {0: ()}
    for row in range(1, draw(st.integers(2, 9))):
        near = st.integers(max(0, row - 3), row - 1)
        reads[row] = tuple(sorted(draw(st.sets(near, min_size=1, max_size=2))))
    return reads


@given(networks())
def test_every_line_leads_from_what_is_read_to_what_reads_it(
    reads: dict[int, tuple[int, ...]],
) -> None:
    drawn, lanes = rails(reads, len(reads))

    if lanes < MAX_LANES:
        for row, sources in reads.items():
            assert trace(drawn, row) == set(sources)


def test_both_columns_are_drawn_row_by_row(samples: ModuleType) -> None:
    drawn = network_drawing(samples.faulty_network())

    assert [row.status for row in drawn.rows] == [
        row.status for row in samples.faulty_network().rows
    ]
    numbers = [
        (row.expected and row.expected.number, row.received and row.received.number)
        for row in drawn.rows
    ]
    assert numbers == [
        (None, None), (1, 1), (2, 2), (3, None), (None, 3), (4, 4), (5, 5), (6, 6),
    ]  # fmt: skip
    assert not drawn.branches
    assert drawn.inputs == ("input",)


def test_shape_that_differs_only_because_of_an_earlier_row_is_no_mistake(
    samples: ModuleType,
) -> None:
    strided, second = samples.faulty_network().rows[1], samples.EXPECTED_LAYERS[1]
    other = second.model_copy(update={"output_shape": "(18, 18, 64)"})
    follower = LayerRow(status=RowStatus.MATCHES, expected=second, received=other)
    table = samples.faulty_network().model_copy(update={"rows": (strided, follower)})

    rows = network_drawing(table).rows

    assert [row.follows for row in rows] == [False, True]


def test_several_inputs_are_drawn_and_named() -> None:
    image, vector = (
        LayerCell(kind="Conv2D", summary="", reads=(-1,)),
        LayerCell(kind="Dense", summary="", reads=(-2,)),
    )
    merge = LayerCell(kind="Concatenate", summary="", reads=(0, 1))
    rows = tuple(
        LayerRow(status=RowStatus.MATCHES, expected=cell, received=cell)
        for cell in (image, vector, merge)
    )
    table = NetworkTable(rows=rows, expected_parameters=1, received_parameters=1, proof="")

    drawn = network_drawing(table)

    assert drawn.inputs == ("input 1", "input 2")
    assert drawn.branches
    words = [row.received.reads for row in drawn.rows if row.received is not None]
    assert words == ["reads input 1", "reads input 2", "reads layers 1 and 2"]


@pytest.mark.parametrize("reads", [(7,), (-40,), (0, 0, 1), (2,)])
def test_reads_that_lead_nowhere_are_drawn_as_a_chain(reads: tuple[int, ...]) -> None:
    first = LayerCell(kind="Dense", summary="")
    table = NetworkTable(
        rows=(
            LayerRow(status=RowStatus.EXTRA, received=first),
            LayerRow(status=RowStatus.EXTRA, received=first.model_copy(update={"reads": reads})),
        ),
        expected_parameters=None, received_parameters=None, proof="",
    )  # fmt: skip

    drawn = network_drawing(table)

    assert len(drawn.rows) == 2
    assert drawn.rows[1].received_rail.dot is not None
