import csv
import io
from types import ModuleType

import pytest

from grader.exports.grades_csv import FORMULA_STARTS, grades_csv


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_one_line_per_submission_sorted_by_name(samples: ModuleType) -> None:
    reports = [samples.typical("bob"), samples.withheld("carl"), samples.perfect("ann")]

    assert grades_csv(reports) == (
        "submission,score,max_score,status\n"
        "ann,100.0,100.0,graded\n"
        "bob,51.91,100.0,graded\n"
        "carl,,100.0,withheld\n"
    )


def test_nobody_handed_in() -> None:
    assert grades_csv([]) == "submission,score,max_score,status\n"


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_name_is_never_a_formula(samples: ModuleType, start: str) -> None:
    name = start + 'HYPERLINK("https://example.invalid","x")'

    cell = rows(grades_csv([samples.typical(name)]))[1][0]

    assert not cell.startswith(FORMULA_STARTS)
    assert cell == "'" + name


@pytest.mark.parametrize("name", ["=1", "'=1", "''", "alice", "o'neill", "a,b", 'a"b', "a\nb", "-"])
def test_removing_one_leading_apostrophe_gives_the_name_back(
    samples: ModuleType, name: str
) -> None:
    cell = rows(grades_csv([samples.typical(name)]))[1][0]

    assert cell.removeprefix("'") == name


def test_ordinary_names_stay_as_they_are(samples: ModuleType) -> None:
    assert rows(grades_csv([samples.typical("chloé (2)")]))[1][0] == "chloé (2)"
