"""The examples of the catalogue lead to their codes, wrong ones, and not to them, right ones."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import pytest

from grader.checks.incidents import incident_finding
from grader.records.catalogue import catalogue
from grader.records.messages import ImportFile, Invoke, Resolve
from grader.records.spec import Limits
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.server import ForkServer
from grader.sandbox.worker import Worker

ABSENT = ("cv2", "matplotlib", "pandas", "torch", "stable_baselines3", "tf_keras", "gym")
"""Packages of the examples that may be installed beside the grader, and are hidden."""

PREAMBLE = f"""\
import sys
import gymnasium as gym
import keras
import numpy as np
import tensorflow as tf
from keras import Input, Model, Sequential, layers, ops

env = gym.make("CartPole-v1", render_mode="rgb_array")
vector = keras.Input((4,))
states = np.zeros((8, 4), np.float32)
targets = np.zeros((8, 2), np.float32)
model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
model.compile("sgd", "mse")
optimizer = keras.optimizers.SGD(0.01)

class Hidden:
    names = {ABSENT}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

# Behind the imports: a library that is installed may have imported some of them already.
sys.meta_path.insert(0, Hidden())
for name in [name for name in sys.modules if name.partition(".")[0] in Hidden.names]:
    del sys.modules[name]
"""

NOT_RUN = {
    "KR128": "a warning",
    "KE109": "a warning",
    "IM110": "needs a second file",
    "IM111": "needs a second file",
    "IM114": "a hint",
    "IM203": "a hint",
    "IM204": "needs a network",
    "PY113": "a method of a class",
}
"""Codes of these families whose examples cannot be run by themselves, and why."""

CODES = sorted(
    code
    for code, entry in catalogue().items()
    if code[:2] in {"KR", "KE", "IM", "RT"} and entry.wrong and code not in NOT_RUN
)


@pytest.fixture(scope="module")
def examples(fork_server: ForkServer) -> Iterator[Worker]:
    """One worker with a function for each example: `wrong_KR101`, `right_KR101`."""
    source = PREAMBLE
    for code in CODES:
        entry = catalogue()[code]
        for which, example in (("wrong", entry.wrong), ("right", entry.right)):
            body = textwrap.indent(example.strip("\n"), "    ")
            source += f"\n\ndef {which}_{code}():\n{body}\n"
    limits = Limits(part_wall_s=300, part_cpu_s=200)
    with fork_server.student(limits, 1) as worker:
        worker.put_files((("student.py", source.encode()),))
        worker.ask(ImportFile(file="student.py"), "importing student.py")
        yield worker


def codes_of(worker: Worker, name: str) -> set[str]:
    """The code that calling a function leads to; nothing when it returns."""
    worker.ask(Resolve(role=name, what="function", names=(name,)), "looking")
    try:
        worker.ask(Invoke(target=name, keep="result"), "calling the example")
    except WorkerIncident as incident:
        return {incident_finding(incident.incident).code}
    return set()


def test_packages_that_may_be_installed_are_hidden_from_the_examples() -> None:
    named = {
        match[1]
        for code in CODES
        if code.startswith("IM10")
        for match in re.finditer(r"^(?:import|from) (\w+)", catalogue()[code].wrong, re.MULTILINE)
    }
    assert named - {"google", "keras", "gymnasium", "tensorflow"} <= set(ABSENT)


@pytest.mark.parametrize("code", CODES)
def test_a_wrong_example_leads_to_its_code(code: str, examples: Worker) -> None:
    assert codes_of(examples, f"wrong_{code}") == {code}


@pytest.mark.parametrize("code", CODES)
def test_a_right_example_runs(code: str, examples: Worker) -> None:
    assert codes_of(examples, f"right_{code}") <= {"IM106"}  # under the main guard
