from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Student = Callable[..., Any]

SOURCE = """
import inspect
import keras
import numpy as np
import tensorflow as tf

original = inspect.getclosurevars(keras.Model.predict).nonlocals["original"]
L = keras.layers


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = L.Dense(8, activation="relu")
        self.out = L.Dense(3)

    def call(self, x):
        return self.out(self.hidden(x))


def two_outputs():
    inputs = keras.Input((4,))
    return keras.Model(inputs, [L.Dense(2)(inputs), L.Dense(3)(inputs)])


MODELS = {
    "sequential": lambda: keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), L.Dense(2)]),
    "unbuilt": lambda: keras.Sequential([L.Dense(8, "tanh"), L.Dense(2)]),
    "subclassed": Own,
    "normalised": lambda: keras.Sequential(
        [keras.Input((4,)), L.BatchNormalization(), L.Dropout(0.5), L.Dense(2)]),
    "two outputs": two_outputs,
    "convolution": lambda: keras.Sequential(
        [keras.Input((2, 2, 1)), L.Conv2D(3, 2), L.Flatten(), L.Dense(2)]),
}


def compare(name, x, batch_size=None):
    model = MODELS[name]()
    fast = model.predict(x, batch_size=batch_size, verbose=0)
    slow = original(model, x, batch_size=batch_size, verbose=0)
    pack = lambda found: found if isinstance(found, list) else [found]
    return [pack(fast), pack(slow), type(fast).__name__, type(slow).__name__]


def ways(x, kind):
    seen = []
    model = MODELS["sequential"]()
    model.predict_on_batch = lambda batch: seen.append("fast") or "fast"
    if kind == "callbacks":
        model.predict(x, verbose=0, callbacks=[keras.callbacks.Callback()])
    elif kind == "steps":
        model.predict(tf.data.Dataset.from_tensors(x).repeat(), steps=1, verbose=0)
    elif kind == "dataset":
        model.predict(tf.data.Dataset.from_tensor_slices(x).batch(2), verbose=0)
    elif kind == "list":
        model.predict([x], verbose=0)
    elif kind == "tensor":
        model.predict(tf.constant(x), verbose=0)
    elif kind == "keyword":
        model.predict(x=x, verbose=0)
    elif kind == "small batch":
        model.predict(x, batch_size=2, verbose=0)
    else:
        model.predict(x, verbose=0)
    return seen
"""


@pytest.fixture(scope="module")
def models(fork_server: Any) -> Any:
    from grader.records.messages import ImportFile, Invoke, Resolve
    from grader.records.spec import Limits

    with fork_server.student(Limits(call_cpu_s=60, part_cpu_s=600), 1) as worker:
        worker.put_files((("student.py", SOURCE.encode()),))
        worker.ask(ImportFile(file="student.py"), "importing")
        for name in ("compare", "ways"):
            worker.ask(Resolve(role=name, what="function", names=(name,)), "looking")

        def run(function: str, **arguments: Any) -> Any:
            return worker.ask(Invoke(target=function, arguments=arguments), f"calling {function}")

        yield run


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("model", ["sequential", "subclassed", "unbuilt"])
def test_answers_are_those_of_the_original_for_every_dtype(
    model: str, dtype: str, models: Any
) -> None:
    x = np.random.default_rng(1).uniform(0, 9, (3, 4)).astype(dtype)
    fast, slow, fast_type, slow_type = models("compare", name=model, x=x)
    assert fast_type == slow_type
    for a, b in zip(fast, slow, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert np.allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        ("sequential", (1, 4)),
        ("sequential", (32, 4)),
        ("sequential", (33, 4)),
        ("normalised", (5, 4)),
        ("two outputs", (5, 4)),
        ("convolution", (2, 2, 2, 1)),
    ],
)
def test_answers_are_those_of_the_original(model: str, shape: tuple[int, ...], models: Any) -> None:
    x = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    fast, slow, fast_type, slow_type = models("compare", name=model, x=x)
    assert fast_type == slow_type
    for a, b in zip(fast, slow, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert np.allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("rows", "kind", "way"),
    [
        (1, "plain", ["fast"]),
        (32, "plain", ["fast"]),
        (33, "plain", []),
        (3, "small batch", []),
        (2, "small batch", ["fast"]),
        (2, "tensor", ["fast"]),
        (2, "keyword", ["fast"]),
        (2, "list", []),
        (2, "callbacks", []),
        (2, "steps", []),
        (4, "dataset", []),
    ],
)
def test_only_small_plain_batches_go_the_fast_way(
    rows: int, kind: str, way: list[str], models: Any
) -> None:
    assert models("ways", x=np.zeros((rows, 4), np.float32), kind=kind) == way
