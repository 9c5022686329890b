from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.records.incident import Frame, LimitName
from grader.records.messages import (
    Call,
    ImportFile,
    Invoke,
    Kept,
    Space,
    StudentFailure,
    decode_reply,
    encode_request,
)
from grader.records.spaces import space_data
from grader.records.wire import HEADER, WireError, decode, encode


def received(request: Any) -> Any:
    data = encode_request(7, request)
    (size,) = HEADER.unpack_from(data)
    assert size == len(data) - HEADER.size
    number, fields = decode(data[HEADER.size :])
    assert number == 7
    return fields


def test_request_carries_its_fields() -> None:
    assert received(ImportFile(file="agent.py")) == {
        "op": "import_file", "file": "agent.py", "definitions_only": False,
    }  # fmt: skip


def test_spaces_and_kept_objects_are_marked() -> None:
    from gymnasium import spaces

    data = space_data(spaces.Discrete(3))
    request = Invoke(target="f", arguments={"space": Space(data=data), "model": Kept(name="m")})
    assert received(request)["arguments"] == {
        "space": {"$": "space", "data": data},
        "model": {"$": "kept", "name": "m"},
    }


def test_arrays_of_a_request_arrive() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    arrived = received(Call(target="f", arguments={"image": image}))["arguments"]["image"]
    assert np.array_equal(arrived, image)
    assert arrived.dtype == np.uint8


@pytest.mark.parametrize(
    "value",
    [object(), 2**70, {1: 2}, np.array(["a"])],
    ids=["object", "too large", "number as a key", "texts"],
)
def test_request_without_a_plain_form_is_refused(value: object) -> None:
    with pytest.raises(WireError):
        encode_request(1, Invoke(target="f", arguments={"a": value}))


def test_value_of_a_reply_arrives() -> None:
    assert decode_reply(encode([3, "ok", (1, [None])]), 3) == (1, [None])


def test_failure_of_a_reply_arrives() -> None:
    failure = StudentFailure(
        error_type="ValueError", message="no", limit=LimitName.MEMORY, at=4,
        frames=(Frame(file="agent.py", line=3, function="act", text="x = 1"),),
    )  # fmt: skip
    assert decode_reply(encode([3, "error", failure.plain()]), 3) == failure


@pytest.mark.parametrize(
    "content",
    [
        [2, "ok", 1], [True, "ok", 1], [1.0, "ok", 1], [1, "ok"], [1, "ok", 1, 1], [1, "no", 1],
        [1, "error", 5], [1, "error", {}], "ok", None, {"1": "ok"},
    ],
    ids=repr,
)  # fmt: skip
def test_reply_of_another_form_is_refused(content: Any) -> None:
    with pytest.raises(WireError):
        decode_reply(encode(content), 1)


def test_texts_of_a_reply_are_cleaned_at_every_depth() -> None:
    reply = [1, "ok", {"\a": ["\x1b[31mred\x1b[0m", ("\u202e", b"\a", 5)]}]
    assert decode_reply(encode(reply), 1) == {"\ufffd": ["red", ("\ufffd", b"\a", 5)]}


def test_texts_of_a_reply_are_capped() -> None:
    assert len(decode_reply(encode([1, "ok", "x" * 10**6]), 1)) < 3000


ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.text(max_size=9),
        st.binary(max_size=9), st.sampled_from(["ok", "error", "memory_mb", 1, np.zeros(2)]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=9), inner, max_size=4),
        st.fixed_dictionaries(
            {}, optional=dict.fromkeys(StudentFailure.model_fields, inner)
        ),
    ),
    max_leaves=15,
)  # fmt: skip


@given(st.one_of(ANYTHING, st.tuples(st.just(1), st.sampled_from(["ok", "error"]), ANYTHING)))
@settings(max_examples=500)
@example([1, np.zeros(2), None])
def test_any_reply_is_a_value_a_failure_or_refused(content: Any) -> None:
    body = encode(list(content) if isinstance(content, tuple) else content)
    try:
        answer = decode_reply(body, 1)
    except WireError:
        return
    assert isinstance(content, tuple | list)
    assert isinstance(answer, StudentFailure) == (content[1] == "error")


@given(st.binary(max_size=200))
def test_any_bytes_are_no_reply_or_refused(body: bytes) -> None:
    with contextlib.suppress(WireError):
        decode_reply(body, 1)


FAILURE: dict[str, Any] = {
    "error_type": "ValueError", "message": "no", "frames": [], "limit": None, "exited": False,
    "at": None,
}  # fmt: skip
LINE: dict[str, Any] = {"file": "a.py", "line": 1, "function": "f", "text": "x"}


def test_forged_failure_has_one_line_where_a_line_is_shown() -> None:
    line = {"file": "a.py\n::error::b", "line": 1, "function": "f\ng", "text": "x\n\x1b[2Jy"}
    forged = {**FAILURE, "error_type": "Error\n::set-output", "frames": [line]}
    failure = decode_reply(encode([1, "error", forged]), 1)
    assert failure.error_type == "Error ::set-output"
    assert failure.frames[0].plain() == {
        "file": "a.py ::error::b", "line": 1, "function": "f g", "text": "x y",
    }  # fmt: skip


def test_message_of_ten_million_characters_is_cut_or_refused() -> None:
    cut = decode_reply(encode([1, "error", {**FAILURE, "message": "é" * 10**6}]), 1)
    assert len(cut.message) <= 2001
    body = msgpack.packb([1, "error", {**FAILURE, "message": "x" * 10**7}])
    begun = time.process_time()
    with pytest.raises(WireError):
        decode_reply(body, 1)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "change",
    [
        {"frames": [LINE] * 21}, {"frames": [{**LINE, "line": "1"}]}, {"frames": LINE},
        {"frames": [{**LINE, "line": 1.5}]}, {"frames": [{**LINE, "more": 1}]}, {"at": "0"},
        {"at": True}, {"at": 0.0}, {"exited": 1}, {"exited": "no"}, {"limit": "MEMORY"},
        {"limit": 3}, {"error_type": None}, {"message": b"no"}, {"message": np.zeros(2)},
        {"error_type": math.nan}, {"kind": "fault"}, {"error_type": ["x"]},
    ],
    ids=repr,
)  # fmt: skip
def test_forged_field_of_a_failure_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        decode_reply(encode([1, "error", {**FAILURE, **change}]), 1)
