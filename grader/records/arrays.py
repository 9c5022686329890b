"""Arrays as records: dtype, shape and bytes, nothing that could carry code."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from grader.records.base import Record

ALLOWED_DTYPES: Final = frozenset(
    {
        "bool",
        "int8", "int16", "int32", "int64",
        "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64",
    }
)  # fmt: skip


_MOST_EMPTY: Final = 1 << 16


def countable(shape: Sequence[int]) -> bool:
    """Whether an array of this shape can be listed in about the room that it takes itself.

    An array of shape (2³², 0) takes no byte, and its nested list four thousand million empty ones.
    """
    return 0 not in shape or math.prod(side or 1 for side in shape) <= _MOST_EMPTY


class ArrayRecord(Record):
    """A numpy array, little-endian, in C order."""

    dtype: str
    """One of the plain numeric dtypes."""
    shape: tuple[int, ...]
    """Length of every axis."""
    data: str
    """The bytes of the array, base64."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.dtype not in ALLOWED_DTYPES:
            raise ValueError(f"dtype {self.dtype!r} is not one of the plain numeric dtypes")
        if len(self.shape) > 32 or any(not 0 <= side < 2**32 for side in self.shape):
            raise ValueError("a shape has at most 32 sides, none negative or beyond 32 bits")
        if not countable(self.shape):
            raise ValueError("an array without elements has sides that are too long")
        try:
            size_bytes = len(base64.b64decode(self.data, validate=True))
        except binascii.Error as error:
            raise ValueError("data is not base64") from error
        if size_bytes != math.prod(self.shape) * np.dtype(self.dtype).itemsize:
            raise ValueError("data does not have the size that dtype and shape ask for")
        return self

    @classmethod
    def of(cls, array: npt.ArrayLike) -> Self:
        """Records an array.

        Raises:
            ValueError: the dtype is not a plain numeric one.
        """
        values = np.asarray(array)
        little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False)
        return cls(
            dtype=values.dtype.name,
            shape=values.shape,
            data=base64.b64encode(little.tobytes()).decode("ascii"),
        )

    def array(self) -> npt.NDArray[Any]:
        """The recorded array, read-only."""
        raw = np.frombuffer(base64.b64decode(self.data), np.dtype(self.dtype).newbyteorder("<"))
        return raw.reshape(self.shape)


def digest(array: npt.NDArray[Any]) -> str:
    """SHA-256 of an array's dtype, shape and bytes, as `sha256:<hex>`."""
    summary = hashlib.sha256(f"{array.dtype.name}{array.shape}".encode())
    summary.update(np.ascontiguousarray(array).tobytes())
    return f"sha256:{summary.hexdigest()}"
