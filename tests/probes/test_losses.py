"""Losses through a real worker: what Keras offers is right, by values and by gradients."""

import pytest

from grader.assignments.registry import JudgeInput, check_kinds, settings_of
from grader.records.function_settings import LossSettings
from grader.records.result import Outcome
from grader.records.spec import CheckSpec, PartSpec

KERAS = [
    ({"reference": "huber", "delta": 0.5}, "keras.losses.huber(y_true, y_pred, delta=0.5)"),
    ({"reference": "mean_squared_error"}, "keras.losses.mean_squared_error(y_true, y_pred)"),
    ({"reference": "mean_absolute_error"}, "keras.losses.mean_absolute_error(y_true, y_pred)"),
    ({"reference": "binary_crossentropy"}, "keras.losses.binary_crossentropy(y_true, y_pred)"),
    ({"reference": "binary_crossentropy", "from_logits": True},
     "keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True)"),
    ({"reference": "categorical_crossentropy"},
     "keras.losses.categorical_crossentropy(y_true, y_pred)"),
    ({"reference": "categorical_crossentropy", "from_logits": True},
     "keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)"),
    ({"reference": "sparse_categorical_crossentropy"},
     "keras.losses.sparse_categorical_crossentropy(y_true, y_pred)"),
    ({"reference": "sparse_categorical_crossentropy", "from_logits": True},
     "keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)"),
]  # fmt: skip
CODE = "import keras\nimport tensorflow as tf\ndef loss(y_true, y_pred):\n    return "


@pytest.fixture(scope="module")
def judged(probe):
    def verdicts(settings, source):
        evidence = probe("loss", source, settings=settings)
        checks = check_kinds("loss")
        spec = CheckSpec(title="check", points=1)
        part = PartSpec(title="Part", kind="loss", file="work.py", checks={"x": spec})
        return {
            kind.id.partition(".")[2]: kind.judge(
                JudgeInput(
                    part_id="part", part=part, check=spec, evidence=evidence,
                    part_settings=LossSettings.parse(settings),
                    settings=settings_of(kind.settings, {}),
                )
            )
            for kind in checks.values()
        }  # fmt: skip

    return verdicts


@pytest.mark.parametrize(("settings", "loss"), KERAS, ids=lambda value: str(value)[-40:])
def test_the_losses_of_keras_are_right(judged, settings, loss):
    mixed = {**settings, "mixed_dtypes": True}
    for name, verdict in judged(mixed, f"{CODE}tf.reduce_mean({loss})\n").items():
        assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ()), name


@pytest.mark.parametrize(
    ("settings", "loss", "code"),
    [
        ({"reference": "huber"}, "tf.reduce_mean(tf.square(y_true - y_pred))", "TR104"),
        ({"reference": "huber"}, "tf.reduce_sum(keras.losses.huber(y_true, y_pred))", "TR102"),
        ({"reference": "mean_squared_error"}, "tf.reduce_mean(tf.abs(y_true - y_pred))", "LS106"),
        ({"reference": "mean_squared_error"}, "tf.reduce_mean(y_true - y_pred)", "LS106"),
        ({"reference": "mean_squared_error"},
         "tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred)))", "LS106"),
        ({"reference": "mean_absolute_error"}, "tf.reduce_mean(tf.square(y_true - y_pred))",
         "LS106"),
        ({"reference": "binary_crossentropy"},
         "-tf.reduce_mean(y_true * tf.math.log(tf.maximum(y_pred, 1e-7)))", "LS108"),
        ({"reference": "binary_crossentropy"},
         "tf.reduce_mean(keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True))",
         "LS105"),
        ({"reference": "categorical_crossentropy", "from_logits": True},
         "tf.reduce_sum(keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True))",
         "LS102"),
    ],
)  # fmt: skip
def test_mistakes_are_named(judged, settings, loss, code):
    verdict = judged(settings, f"{CODE}{loss}\n")["values"]
    assert [finding.code for finding in verdict.findings] == [code]
    assert verdict.outcome is not Outcome.PASSED


def test_arguments_can_have_other_names(judged):
    settings = {
        "reference": "mean_squared_error", "arguments": {"y_true": "wanted", "y_pred": "given"},
    }  # fmt: skip
    source = (
        "import tensorflow as tf\ndef loss(given, wanted):\n"
        "    return tf.reduce_mean((given - wanted) ** 2)\n"
    )
    for verdict in judged(settings, source).values():
        assert verdict.outcome is Outcome.PASSED
