import numpy as np
import pytest

from grader.probes.transitions import COLUMNS, decoded, transition
from grader.records.function_settings import ReplayBufferSettings

SETTINGS = ReplayBufferSettings(batch_size=4, capacity=20)
NUMBERS = [7, 0, 3, 11]


def columns(numbers=NUMBERS):
    rows = [transition(number, SETTINGS) for number in numbers]
    return {name: np.array([row[name] for row in rows]) for name in COLUMNS}


def whole(numbers=NUMBERS):
    return np.repeat(np.array(numbers)[:, None], 5, axis=1)


def test_every_value_tells_its_transition():
    batch = decoded(tuple(columns().values()), SETTINGS, stored=20)
    assert batch.form == "columns"
    np.testing.assert_array_equal(batch.numbers, whole())
    assert batch.shapes["next_state"] == (4, 4)
    assert batch.dtypes["done"] == "bool"


@pytest.mark.parametrize("suffix", ["", "s"])
def test_dicts_are_read_by_name(suffix):
    answer = {f"{name}{suffix}": values for name, values in columns().items()}
    batch = decoded(dict(reversed(answer.items())), SETTINGS, stored=20)
    assert batch.form == "dict"
    np.testing.assert_array_equal(batch.numbers, whole())


def test_rows_are_read_and_known_as_such():
    rows = [tuple(transition(number, SETTINGS).values()) for number in NUMBERS]
    batch = decoded(rows, SETTINGS, stored=20)
    assert batch.form == "rows"
    np.testing.assert_array_equal(batch.numbers, whole())


def test_another_order_of_columns_is_the_assignments_to_say():
    order = ("state", "action", "next_state", "reward", "done")
    settings = SETTINGS.model_copy(update={"columns": order})
    answer = tuple(columns()[name] for name in order)
    np.testing.assert_array_equal(decoded(answer, settings, 20).numbers, whole())
    assert (decoded(answer, SETTINGS, 20).numbers[:, 2:4] == -1).any()


@pytest.mark.parametrize("name", COLUMNS)
def test_a_value_of_another_transition_shows(name):
    values = columns()
    values[name] = columns([8, 1, 4, 12])[name]
    numbers = decoded(tuple(values.values()), SETTINGS, 20).numbers
    assert (numbers != numbers[:, :1]).any()


def test_values_that_were_never_stored_have_no_number():
    values = columns([25, 0, 3, 11])
    values["state"][1] = -77
    values["reward"][2] = np.nan
    numbers = decoded(tuple(values.values()), SETTINGS, stored=20).numbers
    assert numbers[0].tolist() == [-1] * 5
    assert numbers[1, 0] == -1
    assert numbers[2, 2] == -1


@pytest.mark.parametrize(
    "answer",
    [None, 3.0, "batch", [], (), {}, {"state": [1.0]}, (1, 2, 3, 4, 5), [[1, 2], [3]],
     (["a"],) * 5, tuple(np.zeros((count, 2)) for count in (4, 4, 3, 4, 4)),
     (np.zeros(100_000),) * 5],
    ids=lambda value: str(type(value)),
)  # fmt: skip
def test_what_is_no_batch_is_not_read(answer):
    batch = decoded(answer, SETTINGS, stored=20)
    assert (batch.form, batch.numbers) == ("", None)
    assert batch.received
