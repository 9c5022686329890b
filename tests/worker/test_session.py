"""What a worker answers about the student's code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from grader.records.incident import IncidentKind
from grader.records.messages import (
    Call,
    DescribeSpaces,
    ImportFile,
    Invoke,
    InvokeMany,
    Kept,
    Loss,
    MakeMlp,
    MakeOptimizer,
    ModelFacts,
    ReadWeights,
    Resolve,
    Space,
    WriteWeights,
)
from grader.records.spaces import space_data, space_from_data
from grader.records.wire import Opaque
from grader.sandbox.incident import WorkerIncident

Student = Callable[..., Any]


def ask(running: Any, request: Any) -> Any:
    return running.worker.ask(request, "asking")


AGENT = """
import math
from os import path

NUMBER = 5

class Agent:
    \"\"\"An agent.\"\"\"

    def __init__(self, action_space, seed=None):
        self.action_space = action_space

    def choose_action(self, state, epsilon=0.0):
        return int(state.sum())

    def kind(self):
        return type(self.action_space).__name__

def helper():
    pass

def _private():
    pass
"""


def test_class_is_found_with_its_line_and_parameters(student: Student) -> None:
    found = ask(
        student(AGENT), Resolve(role="agent_class", what="class", names=("DQNAgent", "Agent"))
    )
    assert found == {"name": "Agent", "line": 7, "parameters": ("action_space", "seed")}


def test_method_is_found_in_its_class_without_self(student: Student) -> None:
    running = student(AGENT)
    ask(running, Resolve(role="agent_class", what="class", names=("Agent",)))
    found = ask(
        running,
        Resolve(role="act", what="method", names=("act", "choose_action"), owner="agent_class"),
    )
    assert found == {"name": "choose_action", "line": 13, "parameters": ("state", "epsilon")}


@pytest.mark.parametrize(
    ("what", "name", "wrong_kind"),
    [
        ("class", "DQNAgent", None),
        ("class", "helper", "a function"),
        ("class", "math", "a module"),
        ("function", "Agent", "a class"),
        ("function", "NUMBER", "a value of type int"),
    ],
)
def test_what_is_there_instead_is_told(
    what: str, name: str, wrong_kind: str | None, student: Student
) -> None:
    found = ask(student(AGENT), Resolve(role="r", what=what, names=(name,)))
    assert found == {"available": ("Agent", "helper"), "wrong_kind": wrong_kind}


def test_kept_object_is_called_by_a_found_name_with_what_it_takes(student: Student) -> None:
    running = student(AGENT)
    ask(running, Resolve(role="agent_class", what="class", names=("Agent",)))
    ask(running, Resolve(role="act", what="method", names=("choose_action",), owner="agent_class"))
    space = Space(data=space_data(spaces.Discrete(3)))
    arguments = {"action_space": space, "seed": 4, "more": 1}
    made = ask(running, Invoke(target="agent_class", arguments=arguments, keep="agent"))
    assert made == "student.Agent"
    state = {"observation": np.arange(4)}
    assert ask(running, Invoke(target="agent", method="act", arguments=state)) == 6
    several = InvokeMany(
        target="agent", method="act", argument="observation", values=(np.ones(2), np.ones(5))
    )
    assert ask(running, several) == [2, 5]
    assert ask(running, Invoke(target="agent", method="kind")) == "Discrete"


def test_exact_call_passes_every_argument_by_name(student: Student) -> None:
    running = student("class Env:\n    def reset(self, *, seed=None):\n        return seed\n")
    ask(running, Resolve(role="env_class", what="class", names=("Env",)))
    ask(running, Invoke(target="env_class", keep="env"))
    exact = {"target": "env", "method": "reset", "exact": True}
    assert ask(running, Invoke(**exact, arguments={"seed": 3})) == 3
    with pytest.raises(WorkerIncident) as caught:
        ask(running, Invoke(**exact, arguments={"seed": 3, "options": None}))
    assert "unexpected keyword" in caught.value.incident.message


def test_arguments_are_the_students_own_copies(student: Student) -> None:
    running = student(
        """
        def f(image, kernel):
            image[:] = 9
            return image + kernel
        """
    )
    ask(running, Resolve(role="f", what="function", names=("f",)))
    image, kernel = np.zeros(3), np.ones(3)
    answer = ask(running, Call(target="f", arguments={"image": image, "kernel": kernel}))
    assert answer["value"].tolist() == [10, 10, 10]
    assert answer["type_name"] == "numpy.ndarray"
    assert answer["arguments"]["image"].tolist() == [9, 9, 9]
    assert answer["arguments"]["kernel"].tolist() == [1, 1, 1]
    assert image.tolist() == [0, 0, 0]


def test_loss_comes_with_its_gradient(student: Student) -> None:
    running = student(
        """
        import tensorflow as tf
        def square(y_true, y_pred):
            return tf.reduce_sum((y_true - y_pred) ** 2)
        def number(y_true, y_pred):
            return float(tf.reduce_sum(y_true - y_pred))
        def broken_off(y_true, y_pred):
            return tf.constant(1.0)
        """
    )
    arguments = {"y_true": np.float32([1, 2]), "y_pred": np.float32([0, 4])}
    answers = []
    for name in ("square", "number", "broken_off"):
        ask(running, Resolve(role=name, what="function", names=(name,)))
        request = Loss(target=name, arguments=arguments, with_respect_to="y_pred")
        answers.append(ask(running, request))
    square, number, broken_off = answers
    assert float(square["value"]) == 5
    assert square["gradient"].tolist() == [-2, 4]
    assert (number["value"], number["type_name"], number["gradient"]) == (-1.0, "float", None)
    assert broken_off["gradient"] is None


def test_models_and_optimizers_can_be_made_and_passed(student: Student) -> None:
    running = student(
        """
        def shapes(model, optimizer):
            return [[list(array.shape) for array in model.get_weights()], type(optimizer).__name__]
        """
    )
    weights = (np.ones((3, 2), np.float32), np.zeros(2, np.float32))
    ask(running, MakeMlp(keep="model", weights=weights))
    ask(running, MakeOptimizer(keep="optimizer", kind="adam", learning_rate=0.1))
    arguments = {"model": Kept(name="model"), "optimizer": Kept(name="optimizer")}
    assert running.run("shapes", **arguments) == [[[3, 2], [2]], "Adam"]
    assert ask(running, ModelFacts(target="model"))["is_model"] is True
    assert ask(running, ModelFacts(target="optimizer"))["is_model"] is False
    ask(running, WriteWeights(target="model", weights=(weights[0] * 5, weights[1])))
    assert ask(running, ReadWeights(target="model"))[0].tolist() == [[5, 5]] * 3


def test_spaces_of_an_environment_are_described(student: Student) -> None:
    running = student(
        """
        import gymnasium
        import numpy as np
        class Env(gymnasium.Env):
            metadata = {"render_modes": ["human"], "render_fps": 30}
            def __init__(self):
                self.observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
                self.action_space = gymnasium.spaces.Discrete(3)
        class Odd:
            observation_space = 5
            action_space = type("Box", (gymnasium.spaces.Box,), {"__init__": lambda s: None})()
        """
    )
    described = []
    for name in ("Env", "Odd"):
        ask(running, Resolve(role=name, what="class", names=(name,)))
        ask(running, Invoke(target=name, keep="env"))
        described.append(ask(running, DescribeSpaces(target="env")))
    good, odd = described
    assert space_from_data(good["observation_space"]) == spaces.Box(-1.0, 1.0, (2,))
    assert space_from_data(good["action_space"]) == spaces.Discrete(3)
    assert (good["is_env"], good["render_modes"], good["render_fps"]) == (True, ["human"], 30)
    assert odd["is_env"] is False
    assert odd["observation_space"] == Opaque("int", "5")
    assert isinstance(odd["action_space"], Opaque)


def test_files_of_a_submission_import_each_other(student: Student) -> None:
    running = student()
    running.worker.put_files(
        (
            ("network.py", b"from layers.dense import SIZE\n"),
            ("layers/dense.py", b"SIZE = 12\n"),
            ("agent.py", b"import network\ndef run():\n    return network.SIZE\n"),
        )
    )
    ask(running, ImportFile(file="agent.py"))
    assert running.run() == 12


@pytest.mark.parametrize("name", ["keras.py", "random.py", "numpy.py"])
def test_file_that_bears_a_librarys_name_does_not_replace_what_is_loaded(
    name: str, student: Student
) -> None:
    running = student()
    running.worker.put_files(
        (
            (name, b"raise RuntimeError('never imported')\n"),
            ("agent.py", f"import {name[:-3]} as m\ndef run():\n    return m.__name__\n".encode()),
        )
    )
    ask(running, ImportFile(file="agent.py"))
    assert running.run() == name[:-3]


def test_unknown_request_is_an_exception_and_no_end(student: Student) -> None:
    running = student("def run():\n    return 1\n")
    with pytest.raises(WorkerIncident) as caught:
        ask(running, Invoke(target="nothing"))
    assert caught.value.incident.kind is IncidentKind.RAISED
    assert running.run() == 1
