"""Which forms of an action are taken, from a real worker."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from grader.episodes.actions import InvalidAction, to_action
from grader.records.messages import ImportFile, Invoke, Resolve
from grader.records.spec import Limits

ONE = {
    "int": "1",
    "int64": "np.int64(1)",
    "uint8": "np.uint8(1)",
    "an index": "np.argmax([0.1, 0.9])",
    "0-d array": "np.array(1)",
    "one element": "np.array([1])",
    "one element, two axes": "np.argmax(np.array([[0.1, 0.9]]), axis=-1, keepdims=True)",
    "tensor": "tf.argmax(tf.constant([0.1, 0.9]))",
    "tensor of a batch": "tf.argmax(tf.constant([[0.1, 0.9]]), axis=-1)",
    "tensor of 32 bits": "tf.constant(1)",
    "variable": "tf.Variable(1)",
    "keras.ops": "keras.ops.argmax(keras.ops.array([[0.1, 0.9]]), axis=-1)",
    "drawn from the space": "space.sample() * 0 + 1",
    "enumeration": "enum.IntEnum('Action', 'RIGHT').RIGHT",
    "subclass of int": "type('Action', (int,), {})(1)",
    "int of a tensor": "int(tf.constant(1))",
}
"""Forms of the action 1 of a `Discrete(2)`."""
NONE = {
    "float": ("1.0", "1.0"),
    "float32": ("np.float32(1)", "1.0"),
    "float tensor": ("tf.constant(1.0)", "1.0"),
    "Q-values": ("np.array([0.1, 0.9])", "shape (2,)"),
    "Q-values of a batch": ("tf.constant([[0.1, 0.9]])", "shape (1, 2)"),
    "several": ("np.array([1, 0])", "shape (2,)"),
    "empty": ("np.array([], int)", "shape (0,)"),
    "list": ("[1]", "[1]"),
    "action and state": ("(np.array(1), None)", "None"),
    "boolean": ("True", "True"),
    "boolean of numpy": ("np.bool_(True)", "True"),
    "boolean array": ("np.array([True])", "True"),
    "text": ("'1'", "1"),
    "nothing": ("None", "None"),
    "too large": ("2", "2"),
    "negative": ("-1", "-1"),
    "huge": ("10 ** 30", "1000"),
    "nan": ("float('nan')", "nan"),
    "dictionary": ("{'action': 1}", "action"),
    "object": ("Agent()", "Agent"),
}
"""What is no action of it, and what the finding shows of it."""

SOURCE = """
import enum
import gymnasium
import keras
import numpy as np
import tensorflow as tf

space = gymnasium.spaces.Discrete(2)


class Agent:
    pass


def form(name):
    match name:
"""
for _name, _text in {**ONE, **{name: text for name, (text, _) in NONE.items()}}.items():
    SOURCE += f"        case {_name!r}:\n            return {_text}\n"


@pytest.fixture(scope="module")
def form(fork_server: Any) -> Any:
    with fork_server.student(Limits(), 1) as worker:
        worker.put_files((("student.py", SOURCE.encode()),))
        worker.ask(ImportFile(file="student.py"), "importing")
        worker.ask(Resolve(role="form", what="function", names=("form",)), "looking")
        yield lambda name: worker.ask(Invoke(target="form", arguments={"name": name}), "asking")


@pytest.mark.parametrize("name", ONE)
def test_an_honest_form_of_an_action_is_taken(name: str, form: Any) -> None:
    action = to_action(spaces.Discrete(2), form(name))
    assert (type(action), int(action)) == (np.int64, 1)


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_action_is_refused_and_shown(name: str, form: Any) -> None:
    with pytest.raises(InvalidAction) as caught:
        to_action(spaces.Discrete(2), form(name))
    assert NONE[name][1] in caught.value.received
