"""Workers with one seed draw the same numbers, wherever they draw them from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.records.messages import Seed

Student = Callable[..., Any]

SOURCE = """
import os, random, secrets, tempfile, uuid
import gymnasium, keras
import numpy as np
import tensorflow as tf

def draw(kind):
    if kind == "os.urandom":
        return os.urandom(40)
    if kind == "os.getrandom":
        return os.getrandom(16)
    if kind == "random":
        return [random.random() for _ in range(5)]
    if kind == "random.seed()":
        random.seed()
        return random.random()
    if kind == "random.Random()":
        return random.Random().random()
    if kind == "random.Random(None)":
        return random.Random(None).random()
    if kind == "random.SystemRandom":
        return random.SystemRandom().random()
    if kind == "numpy":
        return np.random.rand(5)
    if kind == "numpy.default_rng":
        return np.random.default_rng().random(5)
    if kind == "numpy.RandomState":
        return np.random.RandomState().rand(5)
    if kind == "numpy.random.seed()":
        np.random.seed()
        return np.random.rand(5)
    if kind == "secrets":
        return [secrets.token_hex(8), secrets.randbelow(10**9)]
    if kind == "uuid4":
        return str(uuid.uuid4())
    if kind == "tempfile":
        return os.path.basename(tempfile.mkdtemp())
    if kind == "keras":
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        return model.get_weights()[0]
    if kind == "keras.random":
        return np.asarray(keras.random.uniform((3,)))
    if kind == "tensorflow":
        return tf.random.uniform((3,))
    if kind == "sample":
        return gymnasium.spaces.Box(-1.0, 1.0, (3,)).sample()

def seeded():
    return [random.Random(5).random(), np.random.default_rng(5).random()]
"""
KINDS = [line.split('"')[1] for line in SOURCE.splitlines() if line.startswith("    if kind")]


@pytest.fixture(scope="module")
def drawn(fork_server: Any) -> Callable[[int], dict[str, str]]:
    """What a worker draws from each source, per seed of the worker."""
    from grader.records.messages import ImportFile, Invoke, Resolve
    from grader.records.spec import Limits

    def draw(seed: int) -> dict[str, str]:
        with fork_server.student(Limits(), seed) as worker:
            worker.put_files((("student.py", SOURCE.encode()),))
            worker.ask(ImportFile(file="student.py"), "importing")
            worker.ask(Resolve(role="draw", what="function", names=("draw",)), "looking")
            return {
                kind: repr(worker.ask(Invoke(target="draw", arguments={"kind": kind}), "drawing"))
                for kind in KINDS
            }

    return draw


@pytest.fixture(scope="module")
def three(drawn: Callable[[int], dict[str, str]]) -> list[dict[str, str]]:
    return [drawn(1), drawn(1), drawn(2)]


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_draws_the_same_and_another_seed_others(
    kind: str, three: list[dict[str, str]]
) -> None:
    first, again, other = three
    assert first[kind] == again[kind]
    assert first[kind] != other[kind]
    assert first[kind] != "None"


def test_seeds_of_the_students_own_are_kept(student: Student) -> None:
    first, other = student(SOURCE, seed=1), student(SOURCE, seed=2)
    assert first.run("seeded") == other.run("seeded")


def test_seeding_again_starts_all_over(student: Student) -> None:
    running = student(SOURCE, seed=3)
    for kind in ("random", "random.Random()", "numpy.default_rng", "os.urandom"):
        running.worker.ask(Seed(seed=9), "seeding")
        first = repr(running.run("draw", kind=kind))
        assert first != repr(running.run("draw", kind=kind))
        running.worker.ask(Seed(seed=9), "seeding")
        assert first == repr(running.run("draw", kind=kind))
