from __future__ import annotations

import enum
import itertools
import math
import resource
import time
import tracemalloc
from collections import OrderedDict
from typing import Any, NamedTuple

import msgpack
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.records.arrays import ALLOWED_DTYPES
from grader.records.wire import (
    HEADER,
    MAX_DEPTH,
    MAX_TEXT_CHARS,
    MAX_VALUES,
    Opaque,
    WireError,
    decode,
    describe,
    encode,
    frame,
    type_name,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    TEXTS,
    st.binary(max_size=50),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(TEXTS, inner, max_size=4),
    ),
    max_leaves=20,
)


def same(first: Any, second: Any) -> bool:
    """Equal in type and value, NaN equal to itself and minus zero different from zero."""
    if type(first) is not type(second):
        return False
    if isinstance(first, list | tuple):
        pairs = zip(first, second, strict=True)
        return len(first) == len(second) and all(same(a, b) for a, b in pairs)
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[k], second[k]) for k in first)
    if isinstance(first, float):
        same_sign = math.copysign(1, first) == math.copysign(1, second)
        return (math.isnan(first) and math.isnan(second)) or (first == second and same_sign)
    return bool(first == second)


@given(VALUES)
def test_plain_values_arrive_as_they_were(value: Any) -> None:
    assert same(decode(encode(value, strict=True)), value)


@given(
    st.sampled_from(sorted(ALLOWED_DTYPES)).flatmap(
        lambda name: hnp.arrays(name, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0))
    )
)
@settings(max_examples=200)
def test_arrays_of_every_kind_arrive_bit_by_bit(array: np.ndarray[Any, Any]) -> None:
    arrived = decode(encode(array, strict=True))
    assert type(arrived) is np.ndarray
    assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
    assert arrived.tobytes() == array.tobytes()


@pytest.mark.parametrize("name", sorted(ALLOWED_DTYPES))
def test_numpy_scalars_stay_scalars(name: str) -> None:
    scalar = np.dtype(name).type(1)
    arrived = decode(encode(scalar, strict=True))
    assert type(arrived) is type(scalar)
    assert arrived == scalar


def test_array_in_another_byte_order_or_layout_arrives_equal() -> None:
    plain = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for other in (plain.astype(">f4"), np.asfortranarray(plain), plain[::-1, :, ::2]):
        arrived = decode(encode(other, strict=True))
        assert arrived.dtype == np.float32
        assert np.array_equal(arrived, other)


class Point(NamedTuple):
    x: int
    y: int


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.RED, 1),
        (Point(1, 2), (1, 2)),
        (OrderedDict(a=1), {"a": 1}),
        (type("Text", (str,), {})("hello"), "hello"),
    ],
)
def test_kinds_of_plain_values_arrive_as_those(value: Any, plain: Any) -> None:
    assert same(decode(encode(value)), plain)


def _fails(*_: object) -> Any:
    raise ZeroDivisionError


class Hostile:
    """Raises at everything that can be asked of it."""

    __class__ = property(_fails)
    __hash__ = None
    __repr__ = __eq__ = __len__ = __iter__ = __bool__ = __array__ = __index__ = _fails


class Boastful(np.ndarray):
    """An array that says it holds something else."""

    dtype = property(lambda _: np.dtype("float64"))
    shape = property(lambda _: (10**9,))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**63, "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809"),
        (10**5000, "(its repr raises)"),
        (1 + 2j, "(1+2j)"),
        ({1: 2}, "{1: 2}"),
        ({1, 2}, "{1, 2}"),
        (np.datetime64("2020-01-01"), "np.datetime64('2020-01-01')"),
        (np.array([None]), "array([None], dtype=object)"),
        ("x" * (MAX_TEXT_CHARS + 1), "'" + "x" * 199 + "…"),
        ({"x" * (MAX_TEXT_CHARS + 1): 1}, "{'" + "x" * 198 + "…"),
    ],
    ids=itertools.count(),
)
def test_anything_else_arrives_as_its_text(value: object, text: str) -> None:
    assert decode(encode(value)) == Opaque(type_name(value), text)


def test_object_that_raises_at_everything_arrives_all_the_same() -> None:
    arrived = decode(encode([Hostile(), 5]))
    assert [arrived[0].text, arrived[1]] == ["(its repr raises)", 5]
    assert arrived[0].type_name.endswith("Hostile")


def test_object_without_a_nameable_type_arrives_all_the_same() -> None:
    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            raise ZeroDivisionError(name)

    class Nameless(metaclass=Meta):
        pass

    assert decode(encode(object.__new__(Nameless))).type_name == "object"


def test_what_an_array_says_of_itself_is_not_believed() -> None:
    array = np.zeros(3, np.float32).view(Boastful)
    arrived = decode(encode(array))
    assert (arrived.dtype, arrived.shape) == (np.float32, (3,))


@pytest.mark.parametrize("value", [2**63, {1: 2}, np.array([None]), object])
def test_strict_encoding_refuses_what_has_no_plain_form(value: object) -> None:
    with pytest.raises(WireError, match="no plain form"):
        encode([1, {"a": (value,)}], strict=True)


def test_opaque_values_can_be_passed_on() -> None:
    value = Opaque("some.Type", "its text")
    assert decode(encode(value, strict=True)) == value


def test_texts_of_opaque_values_are_cleaned_on_both_sides() -> None:
    forged = msgpack.packb(msgpack.ExtType(4, msgpack.packb(["\x1b[2Jname", "x" * 9999])))
    arrived = decode(forged)
    assert arrived.type_name == "name"
    assert len(arrived.text) <= 301


def _nested(depth: int, wrap: Any) -> Any:
    value: Any = 5
    for _ in range(depth):
        value = wrap(value)
    return value


WRAPS = {
    "list": lambda value: [value],
    "tuple": lambda value: (value,),
    "dict": lambda value: {"a": value},
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_nesting_is_kept_up_to_its_limit_and_cut_beyond(wrap: Any) -> None:
    deepest = _nested(MAX_DEPTH + 1, wrap)
    assert decode(encode(deepest)) == deepest
    assert "nested too deeply" in repr(decode(encode(_nested(MAX_DEPTH + 2, wrap))))
    assert "nested too deeply" in repr(decode(encode(_nested(500, wrap))))


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_array_in_the_innermost_container_arrives(wrap: Any) -> None:
    value = wrap(np.zeros(2))
    for _ in range(MAX_DEPTH):
        value = wrap(value)
    assert "0." in repr(decode(encode(value)))


@pytest.mark.parametrize(
    "body",
    [
        b"\x91" * 400 + b"\xc0",
        b"\x91" * 100_000 + b"\xc0",
        b"\x81\xa1a" * 400 + b"\xc0",
        b"\x91" * (MAX_DEPTH + 2) + b"\xc0",
        b"\xdd\x00\x10\x00\x00" * 500,
        b"\xdf\x00\x10\x00\x00" * 500,
    ],
)
def test_depth_bomb_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        decode(body)


def test_depth_bomb_of_tuples_is_refused() -> None:
    body = msgpack.packb([])
    for _ in range(200):
        body = msgpack.packb([msgpack.ExtType(3, body)])
    with pytest.raises(WireError):
        decode(msgpack.packb(msgpack.ExtType(3, body)))


def test_value_that_holds_itself_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.records.wire.MAX_VALUES", 50_000)
    monkeypatch.setattr("grader.records.wire.MAX_TEXT_CHARS", 20_000)
    holds: list[Any] = []
    holds.extend([holds] * 10)
    arrived = decode(encode(holds))
    assert Opaque("…", "…") in arrived


@pytest.mark.parametrize(
    "item",
    [0, None, "", "x", "text" * 30, (), [], {}, {"key": 1}, np.float32(1), np.zeros(1),
     np.zeros((1,) * 9), object, object(), (1, [2]), Opaque("x" * 200, "y" * 300)],
    ids=itertools.count(),
)  # fmt: skip
def test_what_is_written_can_be_read_however_much_is_cut(
    item: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.records.wire.MAX_VALUES", 5000)
    monkeypatch.setattr("grader.records.wire.MAX_TEXT_CHARS", 2000)
    for many in (0, 1, 10, 100, 1000, 1248, 1249, 1250, 3000):
        arrived = decode(encode([item] * many))
        assert arrived == Opaque("list", "(too many values)") or len(arrived) == many
        arrived = decode(encode([[item] * many] * 4 + ["end"]))
        assert len(arrived) == 5
    assert decode(encode([item] * 3000)) == Opaque("list", "(too many values)")


def test_more_values_than_allowed_are_cut_where_they_are_sent() -> None:
    arrived = decode(encode([[0] * 10, list(range(MAX_VALUES))]))
    assert arrived == [[0] * 10, Opaque("list", "(too many values)")]


def test_half_a_million_numbers_in_a_list_arrive() -> None:
    value = [0.5] * 500_000
    assert decode(encode(value)) == value


def test_more_text_than_allowed_is_cut_where_it_is_sent() -> None:
    arrived = decode(encode(["x" * MAX_TEXT_CHARS, "y" * 500, "z"]))
    assert arrived[0] == "x" * MAX_TEXT_CHARS
    assert arrived[1:] == [Opaque("…", "…"), Opaque("…", "…")]


@pytest.mark.parametrize(
    "value",
    [["x" * 5000] * 1000, {"k" * 5000 + str(number): 1 for number in range(1000)}],
    ids=["texts", "keys"],
)
def test_more_text_than_allowed_is_refused(value: object) -> None:
    with pytest.raises(WireError, match="too much text"):
        decode(msgpack.packb(value))


@pytest.mark.parametrize(
    "many",
    [
        b"\xdd" + (MAX_VALUES + 1).to_bytes(4, "big") + b"\xc0" * (MAX_VALUES + 1),
        # Empty lists and maps: a byte each in the body, 64 in memory.
        b"\x94" + (b"\xdd" + (10**6).to_bytes(4, "big") + b"\x90" * 10**6) * 4,
        b"\x94" + (b"\xdd" + (10**6).to_bytes(4, "big") + b"\x80" * 10**6) * 4,
    ],
)
def test_more_values_than_allowed_are_refused_before_they_fill_the_memory(many: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            decode(many)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200 << 20


def array_body(dtype: Any, shape: Any, data: Any) -> bytes:
    packed: bytes = msgpack.packb(msgpack.ExtType(1, msgpack.packb([dtype, shape, data])))
    return packed


@pytest.mark.parametrize(
    "body",
    [
        array_body("float32", [2], bytes(4)),
        array_body("float32", [2, 2], bytes(15)),
        array_body("object", [1], bytes(8)),
        array_body("U1", [1], bytes(4)),
        array_body("V8", [1], bytes(8)),
        array_body("<f4", [1], bytes(4)),
        array_body("float32", [-1], b""),
        array_body("float32", [True], bytes(4)),
        array_body("float32", [2**62, 4], b""),
        array_body("float32", [0, 2**33], b""),
        array_body("float32", [1] * 33, bytes(4)),
        array_body("float32", 1, bytes(4)),
        array_body("float32", [1], "text"),
        array_body("bool", [2], b"\x01\x02"),
        array_body(b"float32", [1], bytes(4)),
        msgpack.packb(msgpack.ExtType(1, msgpack.packb(["float32", [1]]))),
        msgpack.packb(msgpack.ExtType(2, msgpack.packb(["float32", bytes(8)]))),
        msgpack.packb(msgpack.ExtType(2, msgpack.packb([]))),
        msgpack.packb(msgpack.ExtType(3, msgpack.packb(5))),
        msgpack.packb(msgpack.ExtType(4, msgpack.packb(["a"]))),
        msgpack.packb(msgpack.ExtType(4, msgpack.packb(["a", 5]))),
        msgpack.packb(msgpack.ExtType(9, msgpack.packb([]))),
        msgpack.packb(msgpack.ExtType(1, b"")),
        msgpack.packb(msgpack.Timestamp(5)),
        msgpack.packb([msgpack.Timestamp(5)]),
        msgpack.packb(2**64 - 1),
        msgpack.packb([2**63]),
        msgpack.packb({b"bytes": 1}),
        msgpack.packb({5: 1}),
        b"\xa3\xff\xff\xff",
        b"",
        b"\xc0\xc0",
        b"\xc1",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
    ],
)
def test_what_no_encoder_writes_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        decode(body)


@given(st.binary(max_size=300))
@example(b"\xc7\x00\x01")
@settings(max_examples=1500)
def test_random_bytes_are_a_value_or_a_wire_error(body: bytes) -> None:
    try:
        value = decode(body)
    except WireError:
        return
    decode(encode(value, strict=True))
    assert len(describe(value)) <= 121


@given(VALUES, st.data())
def test_damaged_bodies_are_a_value_or_a_wire_error(value: Any, data: st.DataObject) -> None:
    body = bytearray(encode([value, np.arange(5), Opaque("a", "b"), (1,)]))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        describe(decode(bytes(body)))
    except WireError:
        return


def test_large_random_bodies_cost_little() -> None:
    generator = np.random.default_rng(7)
    begun, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for start in (b"", b"\xdd\x00\x0f\xff\xff", b"\x94\xdc\xff\xff", b"\xc9\x00\x3f\xff\xf0\x01"):
        for _ in range(3):
            try:
                decode(start + generator.bytes(4 << 20))
            except WireError:
                continue
    assert time.process_time() - begun < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10


def test_frame_is_the_length_and_the_body() -> None:
    data = frame([1, "two"])
    assert data == HEADER.pack(len(data) - 4) + encode([1, "two"])


def test_body_too_long_for_a_header_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.records.wire.MAX_FRAME_BYTES", 10)
    assert frame(bytes(5))
    with pytest.raises(WireError, match="do not fit"):
        frame(bytes(50))


def test_surrogates_are_replaced() -> None:
    assert decode(encode("a\ud800b")) == "a?b"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2.0 (float)"),
        (None, "None (NoneType)"),
        (True, "True (bool)"),
        ("up", "'up' (str)"),
        ([1, (2,), {"a": b"x"}], "[1, (2,), {'a': b'x'}] (list)"),
        ((), "() (tuple)"),
        (np.float32(0.5), "0.5 (numpy.float32)"),
        (np.zeros((2, 2)), "[[0. 0.] [0. 0.]] (array, float64, shape (2, 2))"),
        (np.array(3), "3 (array, int64, shape ())"),
        (Opaque("agent.Action", "<Action 3>"), "<Action 3> (agent.Action)"),
        ("\x1b[31m\u202e", "'\\x1b[31m\\u202e' (str)"),
        (list(range(1000)), None),
        ([["x" * 9000] * 1000] * 1000, None),
        ({str(key): key for key in range(5000)}, None),
    ],
)
def test_received_values_are_described_in_a_line(value: object, text: str | None) -> None:
    shown = describe(value)
    assert shown == text if text is not None else shown.endswith("…")
    assert len(shown) <= 121


def test_describing_many_values_looks_at_a_few() -> None:
    value = [[np.zeros(3)] * 1000] * 1000
    begun = time.process_time()
    describe(value)
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "int"),
        (np.float32(1), "numpy.float32"),
        (Opaque("", ""), "grader.records.opaque.Opaque"),
    ],
)
def test_types_are_named_as_a_student_knows_them(value: object, name: str) -> None:
    assert type_name(value) == name


# --- bodies that nobody's encoder has written -----------------------------------------------------

EXTENSIONS = st.one_of(
    st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=30)),
    st.builds(
        lambda name, shape, data: msgpack.ExtType(1, msgpack.packb([name, shape, data])),
        st.one_of(st.sampled_from(sorted(ALLOWED_DTYPES)), TEXTS),
        st.lists(st.one_of(st.integers(-(2**40), 2**40), st.integers(0, 3)), max_size=5),
        st.binary(max_size=64),
    ),
    st.builds(
        lambda code, items: msgpack.ExtType(code, msgpack.packb(items)),
        st.sampled_from([1, 2, 3, 4, 5]),
        st.lists(st.one_of(TEXTS, st.integers(-2, 2), st.binary(max_size=9)), max_size=4),
    ),
    st.builds(msgpack.Timestamp, st.integers(-(2**60), 2**60), st.integers(0, 999_999_999)),
)
KEYS = st.one_of(TEXTS, st.integers(-5, 5), st.binary(max_size=5), st.none(), st.floats())
FOREIGN = st.recursive(
    st.one_of(
        LEAVES,
        st.integers(2**63, 2**64 - 1),
        st.text(max_size=5).map(lambda text: text.encode("utf-8", "surrogatepass")),
        EXTENSIONS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4),
        st.lists(inner, max_size=3).map(lambda items: msgpack.ExtType(3, msgpack.packb(items))),
    ),
    max_leaves=15,
)
PLAIN = (type(None), bool, int, float, str, bytes, np.ndarray, np.generic, Opaque)


def assert_plain(value: Any) -> None:
    """That a value is of exactly the kinds that a body may hold, at every depth."""
    if type(value) in (list, tuple):
        for item in value:
            assert_plain(item)
    elif type(value) is dict:
        for key, item in value.items():
            assert type(key) is str
            assert_plain(item)
    else:
        assert isinstance(value, PLAIN)
        assert type(value) in PLAIN or isinstance(value, np.generic)
        if isinstance(value, np.ndarray | np.generic):
            assert value.dtype.name in ALLOWED_DTYPES
            assert value.dtype.byteorder in "=|<"


def decoded_or_refused(body: bytes) -> None:
    try:
        value = decode(body)
    except WireError:
        return
    assert_plain(value)
    again = encode(value)
    assert encode(decode(again)) == again
    describe(value)


@given(FOREIGN)
@settings(max_examples=500)
def test_any_msgpack_is_a_plain_value_or_a_wire_error(value: Any) -> None:
    decoded_or_refused(msgpack.packb(value))


def array_body(dtype: object, shape: object, data: object) -> bytes:
    body: bytes = msgpack.packb(msgpack.ExtType(1, msgpack.packb([dtype, shape, data])))
    return body


@pytest.mark.parametrize(
    "dtype",
    [
        "object", "O", "|O", "void", "V8", "U4", "S4", "str", "bytes", "datetime64[ns]", "M8[ns]",
        "timedelta64[s]", "complex64", "complex128", "bfloat16", "float128", "longdouble", ">f8",
        "<f8", "=f8", "f8", "double", "int", "FLOAT64", " float64", "float64\0", "",
        "f4,f4", "[('a', 'f8')]", "(2,)f4", [["a", "f8"]], b"float64", 8, None,
    ],
    ids=repr,
)  # fmt: skip
def test_array_of_a_dtype_that_is_not_plain_is_refused(dtype: object) -> None:
    for shape, data in (([1], bytes(8)), ([0], b""), ([], bytes(8)), ([2], bytes(8))):
        with pytest.raises(WireError):
            decode(array_body(dtype, shape, data))


@pytest.mark.parametrize(
    "shape",
    [
        [10**12], [2**32 - 1, 2**32 - 1], [2**31, 2**31, 4], [-1], [-1, -8], [2**63 - 1, 2], [True],
        [1.0], ["1"], [None], [[1]], None, 8, "8", {}, [1] * 33, [2] * 32,
        [0, 2**32], [0, -1], [2**32 - 1, 0], [0, 2**32 - 1, 2**32 - 1], [1 << 17, 0], [300, 300, 0],
    ],
    ids=repr,
)  # fmt: skip
def test_array_of_a_shape_that_its_bytes_do_not_fill_is_refused(shape: object) -> None:
    tracemalloc.start()
    try:
        for data in (b"", bytes(8)):
            with pytest.raises(WireError):
                decode(array_body("float64", shape, data))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_array_without_elements_and_with_a_long_side_is_told_and_not_sent() -> None:
    """Its nested list would hold thousands of millions of empty lists."""
    endless = np.zeros((2**32 - 1, 0))
    assert decode(encode(endless)).type_name == "numpy.ndarray"
    with pytest.raises(WireError):
        encode(endless, strict=True)
    for few in ((0,), (0, 3), (3, 0), (1 << 16, 0), (0,) * 32):
        assert decode(encode(np.zeros(few))).shape == few


@pytest.mark.parametrize("code", [0, 5, 127, -1])
def test_extension_of_an_unknown_kind_is_refused(code: int) -> None:
    body = msgpack.packb([])
    kind = (code % 256).to_bytes(1, "big")
    with pytest.raises(WireError):
        decode(b"\xc7" + bytes([len(body)]) + kind + body)


@pytest.mark.parametrize(
    "body",
    [
        b"\xa2\xff\xfe", b"\xa3\xed\xa0\x80", b"\x81\xa1\xff\x01",  # no UTF-8, a lone surrogate
        b"\x81\x01\x02", b"\x81\xc0\x02", b"\x81\xc4\x01a\x02", b"\x81\x90\x02",  # keys
        b"\xcf" + b"\xff" * 8, b"\xd3\x80",  # beyond 63 bits, cut off
        b"\xc1", b"", b"\xc0\xc0", b"\x92\xc0",
        b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01",  # four gigabytes are announced
    ],
    ids=repr,
)  # fmt: skip
def test_body_that_is_not_of_the_format_is_refused(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            decode(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_of_a_key_that_stands_twice_one_value_is_taken() -> None:
    assert decode(b"\x82\xa1a\x01\xa1a\x02") == {"a": 2}


def test_numbers_that_are_not_finite_arrive_as_they_are() -> None:
    for value in (math.nan, math.inf, -math.inf, -0.0):
        assert same(decode(encode(value)), value)


@pytest.mark.parametrize(
    "many",
    [
        ["x" * 5000, *[""] * 100_000],
        ["x" * 5000, *[0] * 100_000],
        [b"x" * 50_000, *[b""] * 100_000],
        [["x" * 5000], *[[""]] * 100_000],
        [np.zeros(100_000), [b"x" * 100_000]],
        ("x" * 5000, *[None] * 100_000),
    ],
    ids=itertools.count(),
)
def test_list_that_would_grow_large_as_an_array_is_refused(many: Any) -> None:
    """numpy gives each of its elements the room of the longest."""
    with pytest.raises(WireError, match="long and very many"):
        decode(encode([1, "ok", many]))
    with pytest.raises(WireError, match="long and very many"):
        decode(encode([1, "ok", {"value": many}]))


@pytest.mark.parametrize(
    "many",
    [
        ["x" * 500, *[""] * 100_000],
        {"text": "x" * 5000, "numbers": [0] * 200_000},
        [{"text": "x" * 5000}, *[0] * 200_000],
        ("human", np.zeros(3_000_000)),
        [b"x" * 5_000_000, b"y"],
    ],
    ids=itertools.count(),
)
def test_long_texts_and_many_numbers_beside_each_other_arrive(many: Any) -> None:
    arrived = decode(encode([1, "ok", many]))[2]
    assert type(arrived) is type(many)
    assert len(arrived) == len(many)


def _tuples(depth: int, content: bytes) -> bytes:
    body: bytes = msgpack.packb(content)
    for _ in range(depth):
        body = msgpack.packb(msgpack.ExtType(3, b"\x91" + body))
    return body


def test_tuples_in_tuples_do_not_multiply_what_they_hold() -> None:
    size_bytes = 16 << 20
    body = _tuples(16, bytes(size_bytes))
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="nested too deeply for their length"):
            decode(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 7 * size_bytes
    assert decode(_tuples(3, bytes(size_bytes))) == (((bytes(size_bytes),),),)
    assert decode(_tuples(16, b"few")) != b"few"
