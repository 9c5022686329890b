import numpy as np
import pytest

from grader.records.calls import Filled, Invoke, PreparedCall
from grader.records.messages import encode_request
from grader.records.wire import HEADER, WireError, decode


@pytest.mark.parametrize(("target", "method"), [("agent", "act"), ("policy", None)])
@pytest.mark.parametrize(
    "value",
    [
        3,
        np.zeros((84, 84, 4), np.uint8),
        np.float32(1.5),
        {"screen": np.ones(2), "n": (1, 2)},
        None,
    ],
)
@pytest.mark.parametrize("number", [1, 200, 70_000, 2**33])
def test_a_prepared_call_is_the_same_request_as_one_made_anew(target, method, value, number):
    prepared = Filled(PreparedCall(target, method, "observation"), value)
    made = Invoke(target=target, method=method, arguments={"observation": value})
    frame, expected = encode_request(number, prepared), encode_request(number, made)
    assert HEADER.unpack_from(frame) == (len(frame) - HEADER.size,)
    told, wanted = decode(frame[HEADER.size :]), decode(expected[HEADER.size :])
    np.testing.assert_equal(told, wanted)


def test_what_has_no_plain_form_is_refused():
    with pytest.raises(WireError):
        encode_request(1, Filled(PreparedCall("agent", "act", "observation"), object()))
