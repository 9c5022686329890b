"""`predict` and direct calls, answered by compiled functions: the same numbers, sooner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.records.agent_requests import Prepare
from grader.records.messages import ImportFile, Invoke, Resolve
from grader.records.spec import Limits

Student = Callable[..., Any]

SOURCE = """
import inspect
import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow import trainer

original = getattr(keras.Model.predict, "original", keras.Model.predict)
L = keras.layers
pipelines = []
iterator = trainer.TFEpochIterator
trainer.TFEpochIterator = lambda *args, **kwargs: pipelines.append(1) or iterator(*args, **kwargs)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = L.Dense(8, activation="relu")
        self.out = L.Dense(3)

    def call(self, x):
        return self.out(self.hidden(x))


class Doubled(Own):
    def call(self, x):
        return x * 2 + tf.cast(tf.shape(x)[0], x.dtype)


class OwnStep(Own):
    def predict_step(self, data):
        return super().predict_step(data) + 1.0


class OwnFunction(Own):
    def make_predict_function(self, force=False):
        if self.predict_function is None:
            super().make_predict_function(force)
            function = self.predict_function
            self.predict_function = lambda data: function(data) * 3.0


class Named(Own):
    def call(self, x):
        return {"q": self.out(self.hidden(x["state"])), "sum": x["goal"] + 1.0}


def functional():
    inputs = keras.Input((4,))
    x = keras.ops.relu(L.Dense(8)(inputs))
    value, advantage = L.Dense(1)(x), L.Dense(3)(x)
    mean = keras.ops.mean(advantage, axis=-1, keepdims=True)
    return keras.Model(inputs, value + advantage - mean)


def two_inputs():
    a, b = keras.Input((4,)), keras.Input((3,))
    return keras.Model([a, b], [L.Dense(2)(a), L.Concatenate()([a, b])])


def eager():
    model = Own()
    model.compile(run_eagerly=True)
    return model


MODELS = {
    "sequential": lambda: keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), L.Dense(2)]),
    "unbuilt": lambda: keras.Sequential([L.Dense(8, "tanh"), L.Dense(2)]),
    "subclassed": Own,
    "doubled": Doubled,
    "functional": functional,
    "normalised": lambda: keras.Sequential(
        [keras.Input((4,)), L.BatchNormalization(), L.Dropout(0.5), L.Dense(2)]),
    "compiled": lambda: (m := MODELS["sequential"](), m.compile("adam", "mse"))[0],
    "convolution": lambda: keras.Sequential(
        [keras.Input((6, 6, 1)), L.Conv2D(3, 3, activation="relu"), L.Flatten(), L.Dense(2)]),
    "two inputs": two_inputs,
    "named": Named,
    "own step": OwnStep,
    "own function": OwnFunction,
    "eager": eager,
    "lambda": lambda: keras.Sequential([L.Lambda(lambda x: x * 2), L.Dense(2)]),
    "noisy": lambda: keras.Sequential([keras.Input((4,)), L.Dense(2, activity_regularizer="l2")]),
}


def flat(found):
    return [np.asarray(each) for each in tf.nest.flatten(found)]


def compare(name, x, batch_size=None):
    model = MODELS[name]()
    before = len(pipelines)
    fast = [model.predict(x, batch_size=batch_size, verbose=0) for _ in range(2)][-1]
    slow_ways = len(pipelines) - before
    slow = original(model, x, batch_size=batch_size, verbose=0)
    return [flat(fast), flat(slow), str(type(fast)), str(type(slow)), slow_ways]


def forms(x):
    model = MODELS["sequential"]()
    dataset = tf.data.Dataset.from_tensor_slices(x).batch(2)
    found = {}
    for kind, call in {
        "array": lambda: model.predict(x, verbose=0),
        "tensor": lambda: model.predict(tf.constant(x)),
        "keyword": lambda: model.predict(x=x, verbose=0),
        "list of one": lambda: model.predict([x], verbose=0),
        "batches": lambda: model.predict(x, batch_size=2, verbose=0),
        "callbacks": lambda: model.predict(x, verbose=0, callbacks=[keras.callbacks.Callback()]),
        "dataset": lambda: model.predict(dataset, verbose=0),
        "steps": lambda: model.predict(dataset.repeat(), steps=2, verbose=0),
        "empty": lambda: model.predict(x[:0], verbose=0),
        "nested list": lambda: model.predict([[0.1] * 4], verbose=0),
    }.items():
        before = len(pipelines)
        try:
            call()
        except Exception as error:
            found[kind] = type(error).__name__
        else:
            found[kind] = len(pipelines) - before
    return found


def changes(x):
    model = MODELS["compiled"]()
    seen = [model.predict(x, verbose=0)]
    model.set_weights([weight + 1 for weight in model.get_weights()])
    seen.append(model.predict(x, verbose=0))
    model.fit(x, np.zeros((len(x), 2)), verbose=0)
    seen.append(model.predict(x, verbose=0))
    model.compile("sgd", "mae")
    return [[bool(np.allclose(model.predict(x, verbose=0), original(model, x, verbose=0))),
             bool(np.allclose(seen[0], seen[1])), bool(np.allclose(seen[1], seen[2]))],
            str(inspect.signature(keras.Model.predict)) == str(inspect.signature(original))]


def greedy(name, x):
    model = MODELS[name]()
    one_by_one = np.array([np.argmax(model.predict(row[None], verbose=0)) for row in x])
    at_once = np.argmax(original(model, x, verbose=0), axis=-1)
    return int(np.sum(one_by_one != at_once))


def called(name, x):
    model = MODELS[name]()
    ordinary = keras.layers.Layer.__call__
    worst, changed = 0.0, 0
    for row in x:
        fast, slow = model(row[None]), ordinary(model, row[None], training=False)
        worst = max(worst, float(tf.reduce_max(tf.abs(fast - slow))))
        changed += int(np.argmax(fast) != np.argmax(slow))
    return [worst, changed, type(fast).__name__, fast.dtype == slow.dtype]


def layers_run(model, x):
    \"\"\"How many layers are called one by one for a direct call that is the fortieth.\"\"\"
    for _ in range(40):
        model(x)
    count, kind = [], type(model.layers[-1])
    call = kind.call
    kind.call = lambda self, *args, **kwargs: count.append(1) or call(self, *args, **kwargs)
    try:
        model(x)
    finally:
        kind.call = call
    return len(count)


def direct():
    x = np.ones((1, 4), np.float32)
    found = {name: layers_run(MODELS[name](), x) for name in ("sequential", "functional")}
    found |= {f"{name} as before": bool(layers_run(MODELS[name](), x))
              for name in ("subclassed", "noisy")}
    model = MODELS["normalised"]()
    ways = [layers_run(model, x)]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x))
    found["gradients"] = all(g is not None for g in tape.gradient(loss, model.trainable_variables))
    found["training"] = bool(np.any(model(x, training=True) != model(x)))
    model.set_weights([weight + 1 for weight in model.get_weights()])
    found["weights"] = bool(np.allclose(model(x), model.predict(x, verbose=0)))
    symbolic = keras.Input((4,))
    found["symbolic"] = type(model(symbolic)).__name__
    changed = MODELS["sequential"]()
    layers_run(changed, x)
    changed.layers[-1].activation = keras.activations.tanh
    found["changed"] = float(tf.reduce_max(changed(x))) <= 1.0
    return [found, ways]


def is_fast():
    return [hasattr(keras.Model.predict, "original"), "__call__" in vars(keras.Sequential)]
"""


def _asking(worker: Any) -> Any:
    worker.put_files((("student.py", SOURCE.encode()),))
    worker.ask(ImportFile(file="student.py"), "importing")

    def run(function: str, **arguments: Any) -> Any:
        worker.ask(Resolve(role=function, what="function", names=(function,)), "looking")
        return worker.ask(Invoke(target=function, arguments=arguments), f"calling {function}")

    return run


@pytest.fixture(scope="module")
def models(fork_server: Any) -> Any:
    with fork_server.student(Limits(call_cpu_s=100, call_wall_s=300, part_cpu_s=600), 1) as worker:
        worker.ask(Prepare(fast_predict=True), "getting ready")
        yield _asking(worker)


def random(*shape: int, dtype: str = "float32") -> Any:
    return np.random.default_rng(2).uniform(-3, 9, shape).astype(dtype)


def agree(found: list[Any]) -> int:
    """Asserts that both ways gave the same; answers how often the pipeline was used."""
    fast, slow, fast_type, slow_type, slow_ways = found
    assert fast_type == slow_type
    assert len(fast) == len(slow) > 0
    for a, b in zip(fast, slow, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert np.allclose(a, b, rtol=1e-5, atol=1e-6)
    return int(slow_ways)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int64"])
@pytest.mark.parametrize("model", ["sequential", "subclassed", "unbuilt", "doubled", "functional"])
def test_answers_are_those_of_the_original_for_every_dtype(
    model: str, dtype: str, models: Any
) -> None:
    assert agree(models("compare", name=model, x=random(3, 4, dtype=dtype))) == 0


@pytest.mark.parametrize(
    ("model", "shapes", "batch_size", "slow_ways"),
    [
        ("sequential", [(1, 4)], None, 0),
        ("sequential", [(33, 4)], None, 0),
        ("doubled", [(70, 4)], None, 0),
        ("sequential", [(5, 4)], 2, 0),
        ("sequential", [(40, 4)], 2, 2),
        ("compiled", [(5, 4)], None, 0),
        ("normalised", [(5, 4)], None, 0),
        ("convolution", [(2, 6, 6, 1)], None, 0),
        ("two inputs", [(3, 4), (3, 3)], None, 0),
        ("own step", [(3, 4)], None, 2),
        ("own function", [(3, 4)], None, 2),
        ("eager", [(3, 4)], None, 2),
    ],
)
def test_answers_are_those_of_the_original(
    model: str, shapes: list[tuple[int, ...]], batch_size: int | None, slow_ways: int, models: Any
) -> None:
    """What overrides a step or function of prediction is asked in the ordinary way."""
    arrays = tuple(random(*shape) for shape in shapes)
    x = arrays if len(arrays) > 1 else arrays[0]
    assert agree(models("compare", name=model, x=x, batch_size=batch_size)) == slow_ways


def test_inputs_and_outputs_may_have_names(models: Any) -> None:
    x = {"state": random(3, 4), "goal": random(3, 1, dtype="float64")}
    assert agree(models("compare", name="named", x=x)) == 0


def test_only_small_plain_data_goes_the_fast_way(models: Any) -> None:
    assert models("forms", x=random(4, 4)) == {
        "array": 0, "tensor": 0, "keyword": 0, "list of one": 0, "batches": 0, "callbacks": 1,
        "dataset": 1, "steps": 1, "empty": "UnboundLocalError", "nested list": "ValueError",
    }  # fmt: skip


def test_weights_that_change_between_calls_count_at_once(models: Any) -> None:
    assert models("changes", x=random(4, 4)) == [[True, False, False], True]


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        ("sequential", (4000, 4)),
        ("subclassed", (3000, 4)),
        ("functional", (2000, 4)),
        ("convolution", (1000, 6, 6, 1)),
    ],
)
def test_ten_thousand_greedy_actions_are_the_same(
    model: str, shape: tuple[int, ...], models: Any
) -> None:
    assert models("greedy", name=model, x=random(*shape)) == 0


@pytest.mark.parametrize(
    ("model", "shape"), [("sequential", (200, 4)), ("convolution", (100, 6, 6, 1))]
)
def test_direct_calls_give_the_same(model: str, shape: tuple[int, ...], models: Any) -> None:
    worst, changed, kind, same_dtype = models("called", name=model, x=random(*shape))
    assert worst < 1e-5
    assert (changed, kind, same_dtype) == (0, "EagerTensor", True)


def test_only_direct_calls_that_do_nothing_else_are_compiled(models: Any) -> None:
    """Not within a gradient tape, not in training, not of layers of one's own or with losses."""
    found, ways = models("direct")
    assert ways == [0]
    assert found == {
        "sequential": 0, "functional": 0, "subclassed as before": True, "noisy as before": True,
        "gradients": True, "training": True, "weights": True, "symbolic": "KerasTensor",
        "changed": True,
    }  # fmt: skip


def test_it_can_be_turned_off(student: Student) -> None:
    made = student()
    assert _asking(made.worker)("is_fast") == [True, False]  # as for parts that play nothing
    off = student()
    off.worker.ask(Prepare(fast_predict=False), "getting ready")
    assert _asking(off.worker)("is_fast") == [False, False]
