from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError

from grader.records.arrays import ALLOWED_DTYPES, ArrayRecord, digest

ARRAYS = st.sampled_from(sorted(ALLOWED_DTYPES)).flatmap(
    lambda name: hnp.arrays(name, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
)


@given(ARRAYS)
def test_array_is_read_back_bit_by_bit(array: np.ndarray) -> None:
    record = ArrayRecord.parse(ArrayRecord.of(array).plain())
    assert record.array().tobytes() == array.tobytes()
    assert (record.array().dtype, record.array().shape) == (array.dtype, array.shape)


def test_byte_order_and_layout_make_no_difference() -> None:
    plain = np.arange(6, dtype=np.float32).reshape(2, 3)
    record = ArrayRecord.of(plain)
    assert ArrayRecord.of(plain.astype(">f4")) == record
    assert ArrayRecord.of(np.asfortranarray(plain)) == record
    assert base64.b64decode(record.data) == plain.astype("<f4").tobytes()


def test_recorded_array_cannot_be_changed() -> None:
    array = ArrayRecord.of([1.0, 2.0]).array()
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 5


@pytest.mark.parametrize("array", [[None], ["text"], [1 + 2j], np.array(["2020"], "M8[Y]")])
def test_arrays_of_other_things_are_refused(array: object) -> None:
    with pytest.raises(ValidationError):
        ArrayRecord.of(array)


@pytest.mark.parametrize(
    ("dtype", "shape", "data"),
    [
        ("object", (1,), "AAAAAAAAAAA="),
        ("<f4", (1,), "AAAAAA=="),
        ("float32", (2,), "AAAAAA=="),
        ("float32", (-1,), ""),
        ("float32", (0, 2**40), ""),
        ("float32", (2**32 - 1, 0), ""),
        ("float32", (0, 300, 300), ""),
        ("float32", (1,) * 33, "AAAAAA=="),
        ("float32", (1,), "AAAA!A=="),
        ("float32", (1,), "äAAAAA=="),
    ],
)
def test_record_that_contradicts_itself_is_refused(
    dtype: str, shape: tuple[int, ...], data: str
) -> None:
    with pytest.raises(ValidationError):
        ArrayRecord(dtype=dtype, shape=shape, data=data)


def test_digest_tells_dtype_shape_and_values_apart() -> None:
    base = np.zeros(4, np.float32)
    others = [np.zeros(4, np.int32), base.reshape(2, 2), np.ones(4, np.float32)]
    digests = {digest(array) for array in [base, *others]}
    assert len(digests) == 4
    assert digest(base.copy()) == digest(base)
    assert digest(base).startswith("sha256:")
