from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.records.evidence import Frame, LimitName
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
    assert received(ImportFile(file="agent.py")) == {"op": "import_file", "file": "agent.py"}


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


@pytest.mark.parametrize("value", [object(), 2**70, {1: 2}, np.array(["a"])], ids=repr)
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
