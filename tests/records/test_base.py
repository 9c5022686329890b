from __future__ import annotations

import json
import math

import pytest
from pydantic import ValidationError

from grader.records.base import Record
from grader.records.incident import LimitName


class Sample(Record):
    number: float
    names: tuple[str, ...] = ()
    limit: LimitName | None = None


def test_record_is_read_back_from_its_plain_form() -> None:
    record = Sample(number=1.5, names=("a", "b"), limit=LimitName.MEMORY)
    assert Sample.parse(record.plain()) == record
    assert json.loads(json.dumps(record.plain())) == record.plain()


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_numbers_that_are_not_finite_are_kept(number: float) -> None:
    text = Sample(number=number).model_dump_json()
    read = Sample.model_validate_json(text).number
    assert read == number or (math.isnan(read) and math.isnan(number))


@pytest.mark.parametrize(
    "data",
    [
        {}, {"number": "1.5"}, {"number": True}, {"number": 1, "more": 2},
        {"number": 1, "names": "ab"}, {"number": 1, "limit": "patience"}, [], None,
    ],
)  # fmt: skip
def test_data_of_another_form_are_refused(data: object) -> None:
    with pytest.raises(ValidationError):
        Sample.parse(data)


def test_record_cannot_be_changed() -> None:
    record = Sample(number=1)
    with pytest.raises(ValidationError):
        record.number = 2.0
