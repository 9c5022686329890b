"""What crosses the boundary between the grader and a worker: frames and the values in them.

A frame is a four-byte big-endian length and a msgpack body. A body holds plain values and four
extension types: an array (dtype, shape, bytes), a numpy scalar, a tuple, and `Opaque`, which stands
for an object that is none of these. Nothing that arrives is unpickled or evaluated, and what it
may cost to read is bounded before it is read.
"""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import Any, Final

import msgpack
import numpy as np
import numpy.typing as npt

from grader.records.arrays import ALLOWED_DTYPES, countable
from grader.records.opaque import Opaque, describe, opaque, type_name
from grader.records.text import clean_line

__all__ = ["Opaque", "WireError", "decode", "describe", "encode", "frame", "opaque", "type_name"]

HEADER: Final = struct.Struct("!I")
MAX_FRAME_BYTES: Final = 2**32 - 1
"""Longest body that a header can announce."""
MAX_DEPTH: Final = 16
"""Deepest nesting of containers in a value."""
MAX_VALUES: Final = 1 << 21
"""Most values in a body, those inside containers counted; an array counts about five.

An empty list takes one byte in a body and 64 in memory; without this a reply of ordinary length
could fill the machine."""
MAX_TEXT_CHARS: Final = 1 << 20
"""Most characters of all texts that are written into a body; four times as many are read."""
MAX_TABLE_BYTES: Final = 1 << 28
"""Most bytes that a list inside a body would take as an array of texts or bytes.

numpy gives every element of such an array the room of the longest, numbers included: one long text
among many short ones is small in a body and could fill the machine when something makes an array
of it."""
MAX_COPIES: Final = 4
"""How many times the length of a body the extensions in it may have together.

An extension is copied out of what holds it; tuples in tuples are copied again at every level."""
_SMALL_BYTES: Final = 1 << 20
MAX_AXES: Final = 32

_ARRAY, _SCALAR, _TUPLE, _OPAQUE = 1, 2, 3, 4
_OPAQUE_COST: Final = 3  # a list of two texts
_INT64 = range(-(2**63), 2**63)


class WireError(ValueError):
    """A frame or message does not keep to the format; its sender is to blame."""


_LEFT_OUT: Final = Opaque("…", "…")
_SCALARS: Final = frozenset(np.dtype(name).type for name in ALLOWED_DTYPES)
_CONTAINERS: Final = frozenset({list, tuple, dict})
_BASES: Final = (int, float, str, list, tuple, dict)
_NUMBERS: Final = frozenset({type(None), bool, float, Opaque}) | _SCALARS
_CHAR_BYTES: Final = np.dtype("U1").itemsize


class _Encoder:
    """Plain forms of one body's values. In a student's process the values are hostile.

    Counts as the reader will. For a value that is about to be written the cost of an `Opaque` has
    been set aside, so that there is always room to say that something was left out.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._left = MAX_VALUES - _OPAQUE_COST
        self._text_left = MAX_TEXT_CHARS

    def plain(self, value: object, depth: int = 0) -> object:
        """The wire form of a value; what has none becomes `Opaque`."""
        kind = type(value)
        base = _base(kind)
        if base is not None:
            value, kind = _as_base(value, base), base
        self._left += _OPAQUE_COST
        if value is None or kind in (bool, float, bytes):
            return value
        if kind is int and value in _INT64:
            return value
        if kind is str and self._takes(len(value)):  # type: ignore[arg-type]
            return _encodable(value)  # type: ignore[arg-type]
        if kind in _CONTAINERS:
            return self._container(value, depth)
        return self._extension(value)

    def _container(self, value: Any, depth: int) -> object:
        if depth > MAX_DEPTH:
            return self._stand_in(Opaque(type_name(value), "(nested too deeply)"))
        cost = 1 + len(value) * (1 + _OPAQUE_COST)
        if cost > self._left:
            return self._stand_in(Opaque(type_name(value), "(too many values)"))
        if type(value) is dict:
            if not all(type(key) is str for key in value) or not self._takes(sum(map(len, value))):
                return self._extension(value)
            self._left -= cost
            return {_encodable(key): self.plain(item, depth + 1) for key, item in value.items()}
        self._left -= cost
        items = [self.plain(item, depth + 1) for item in value]
        if type(value) is list:
            return items
        return msgpack.ExtType(_TUPLE, msgpack.packb(items))

    def _extension(self, value: object) -> msgpack.ExtType:
        kind = type(value)
        try:
            if issubclass(kind, np.ndarray | np.generic):
                array = np.asarray(value)  # what a subclass says of itself is left behind
                cost = array.ndim + 5
                if (
                    _dtype_form(array.dtype)[0] in ALLOWED_DTYPES
                    and array.ndim <= MAX_AXES
                    and countable(array.shape)
                    and cost <= self._left
                ):
                    self._left -= cost
                    return _array_form(array, scalar=issubclass(kind, np.generic))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  a student's subclass may raise anything
            return self._stand_in(Opaque(type_name(value), "(cannot be read)"))
        if kind is Opaque:
            return self._written(value)  # type: ignore[arg-type]
        return self._stand_in(opaque(value))

    def _stand_in(self, told: Opaque) -> msgpack.ExtType:
        if self._strict:
            raise WireError(f"a value of type {told.type_name} has no plain form")
        return self._written(told)

    def _written(self, told: Opaque) -> msgpack.ExtType:
        self._left -= _OPAQUE_COST
        fits = self._takes(len(told.type_name) + len(told.text))
        return _packed(told if fits else _LEFT_OUT)

    def _takes(self, chars: int) -> bool:
        if chars > self._text_left:
            return False
        self._text_left -= chars
        return True


def _encodable(text: str) -> str:
    """A text without lone surrogates, which have no encoding."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _array_form(array: npt.NDArray[Any], *, scalar: bool) -> msgpack.ExtType:
    name, little_endian = _dtype_form(array.dtype)
    little = np.ascontiguousarray(array).astype(little_endian, copy=False)
    if scalar and array.ndim == 0:
        body = msgpack.packb([name, little.tobytes()])
        return msgpack.ExtType(_SCALAR, body)
    body = msgpack.packb([name, list(array.shape), little.tobytes()])
    return msgpack.ExtType(_ARRAY, body)


@lru_cache(maxsize=64)
def _dtype_form(dtype: np.dtype[Any]) -> tuple[str, np.dtype[Any]]:
    """A dtype's name, which takes numpy longer to make than all the rest, and its wire order."""
    return dtype.name, dtype.newbyteorder("<")


def _base(kind: type) -> type | None:
    """The plain type that a type is a kind of: an IntEnum is an int, a named tuple a tuple."""
    if kind is bool or kind in _BASES or issubclass(kind, np.generic):
        return None
    return next((base for base in _BASES if issubclass(kind, base)), None)


def _as_base(value: Any, base: type) -> object:
    """A value without what its own type adds; no method of that type is called."""
    if base is dict:
        return dict(dict.items(value))
    if base in (list, tuple):
        return base(base.__iter__(value))
    return {int: int.__int__, float: float.__float__, str: str.__str__}[base](value)


@lru_cache(maxsize=256)
def _packed(told: Opaque) -> msgpack.ExtType:
    texts = [clean_line(told.type_name, 200), clean_line(told.text, 300)]
    return msgpack.ExtType(_OPAQUE, msgpack.packb(texts))


def encode(value: object, *, strict: bool = False) -> bytes:
    """A value as msgpack.

    Args:
        value: any object.
        strict: refuse what has no plain form; otherwise it becomes `Opaque`.

    Raises:
        WireError: strict, and some value has no plain form; its sender must act.
    """
    packed: bytes = msgpack.packb(_Encoder(strict=strict).plain(value))
    return packed


def frame(value: object, *, strict: bool = False) -> bytes:
    """A value as a frame, header included.

    Raises:
        WireError: it is too long for a frame, or strict and without a plain form.
    """
    return framed(encode(value, strict=strict))


def framed(body: bytes) -> bytes:
    """A body with its header.

    Raises:
        WireError: it is too long for a frame.
    """
    if len(body) > MAX_FRAME_BYTES:
        raise WireError(f"{len(body)} bytes do not fit into one frame")
    return HEADER.pack(len(body)) + body


def decode(body: bytes) -> Any:
    """A value from msgpack. Its cost in time and memory is bounded by the length of the body.

    Raises:
        WireError: the bytes are not of the form above.
    """
    decoder = _Decoder(len(body))
    value = decoder.read(body, 0)
    decoder.check(value, 0)
    return value


class _Decoder:
    """Reads one body, counting its values while they are made."""

    def __init__(self, size_bytes: int) -> None:
        self._left = MAX_VALUES
        self._text_left = 4 * MAX_TEXT_CHARS
        self._copies_left = MAX_COPIES * size_bytes + _SMALL_BYTES

    def read(self, body: bytes, depth: int) -> Any:
        if depth > MAX_DEPTH + 2:  # the innermost tuple, and an array in it
            raise WireError("values are nested too deeply")
        try:
            return msgpack.unpackb(
                body,
                ext_hook=lambda code, data: self._extension(code, data, depth + 1),
                list_hook=self._counted,
                object_hook=self._counted,
                strict_map_key=True,
                # Memory for a list is taken when its length is read, before its items are.
                max_array_len=min(MAX_VALUES, len(body)),
                max_map_len=min(MAX_VALUES, len(body)),
                max_str_len=min(4 * MAX_TEXT_CHARS, len(body)),
            )
        except WireError:
            raise
        except Exception as error:  # msgpack raises many kinds, ValueError and StackError too
            raise WireError(f"not msgpack: {type(error).__name__}") from error

    def _counted(self, container: Any) -> Any:
        self._left -= len(container) + 1
        if self._left < 0:
            raise WireError("there are too many values")
        return container

    def _extension(self, code: int, data: bytes, depth: int) -> object:
        self._copies_left -= len(data)
        if self._copies_left < 0:
            raise WireError("tuples are nested too deeply for their length")
        content = self.read(data, depth)
        if not isinstance(content, list):
            raise WireError("an extension holds no list")
        if code == _TUPLE:
            return tuple(content)
        if code == _OPAQUE:
            return self._opaque(content)
        if code == _ARRAY:
            return _array(content)
        if code == _SCALAR and len(content) == 2:
            return _array([content[0], [], content[1]])[()]
        raise WireError(f"unknown extension {code}")

    def _opaque(self, content: list[object]) -> Opaque:
        match content:
            case [str() as name, str() as text]:
                self._count_text(name, text)  # before the work of cleaning it
                return Opaque(clean_line(name, 200), clean_line(text, 300))
        raise WireError("an opaque value is not two texts")

    def _count_text(self, *texts: str) -> None:
        self._text_left -= sum(map(len, texts))
        if self._text_left < 0:
            raise WireError("there is too much text")

    def check(self, value: object, depth: int) -> tuple[int, int]:
        """Refuses what no encoder writes: deep nesting, keys that are no text, other types.

        A list that is nested deeper than Python's own stack would make every later use fail.

        Returns:
            How many elements an array made of the value would have, and how many bytes the widest
            text in it needs; nothing is made of a dict.
        """
        kind = type(value)
        if kind in _NUMBERS:
            return 1, 0
        if isinstance(value, np.ndarray):
            # A list of texts, which is no longer than this, is stacked with no longer array.
            return min(value.size, MAX_VALUES), 0
        if isinstance(value, bytes):
            return 1, len(value)
        if isinstance(value, str):
            self._count_text(value)
            return 1, _CHAR_BYTES * len(value)
        if kind is int:
            if value not in _INT64:
                raise WireError("an integer is out of range")
            return 1, 0
        if kind not in _CONTAINERS:
            raise WireError("there is a value of an unknown kind")
        if depth > MAX_DEPTH:
            raise WireError("values are nested too deeply")
        return self._check_items(value, depth)

    def _check_items(self, container: Any, depth: int) -> tuple[int, int]:
        items = container
        if isinstance(container, dict):
            if any(type(key) is not str for key in container):
                raise WireError("a key is no text")
            self._count_text(*container)
            items = container.values()
        elements = widest_bytes = 0
        for item in items:
            if type(item) in _NUMBERS:
                elements += 1
                continue
            more, wide_bytes = self.check(item, depth + 1)
            elements += more
            widest_bytes = max(widest_bytes, wide_bytes)
        if isinstance(container, dict):
            return 1, 0
        # The outermost list is a message, whose fields nobody takes for the elements of an array.
        if depth > 0 and elements * widest_bytes > MAX_TABLE_BYTES:
            raise WireError("a list holds long and very many values")
        return elements, widest_bytes


def _array(content: list[object]) -> npt.NDArray[Any]:
    match content:
        case [str() as dtype, list() as shape, bytes() as data] if dtype in ALLOWED_DTYPES:
            sides = [side for side in shape if type(side) is int and 0 <= side < 2**32]
            if len(sides) != len(shape) or len(sides) > MAX_AXES or not countable(sides):
                raise WireError("an array has a bad shape")
            kind = np.dtype(dtype).newbyteorder("<")
            if math.prod(sides) * kind.itemsize != len(data):
                raise WireError("an array's bytes do not fit its shape")
            if dtype == "bool" and data.strip(b"\0\1"):
                raise WireError("a boolean is neither true nor false")
            return np.frombuffer(data, dtype=kind).reshape(sides)
    raise WireError("an array is not dtype, shape and bytes")
