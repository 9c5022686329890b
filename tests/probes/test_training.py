import math

import pytest

from grader.probes.cases import loss_cases
from grader.probes.training import _number
from grader.records.incident import IncidentKind, LimitName
from grader.records.spec import Limits
from grader.records.wire import Opaque

LOSS = """
import numpy as np, os, random, time
import tensorflow as tf

def huber_loss(y_true, y_pred):
    error = y_pred - y_true
    small = tf.abs(error) <= 1.0
    return tf.reduce_mean(tf.where(small, 0.5 * error * error, tf.abs(error) - 0.5))
"""
STEP = """
def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = {loss}
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip({gradients}, model.trainable_variables))
    return {returned}
"""
RIGHT = "huber_loss(targets, model(states, training=True))"


def step(loss: str = RIGHT, gradients: str = "gradients", returned: str = "float(loss)") -> str:
    return LOSS + STEP.format(loss=loss, gradients=gradients, returned=returned)


@pytest.fixture(scope="module")
def collect(probe):
    return lambda source, **options: probe("training", source, **options)


# --- the loss -----------------------------------------------------------------------------------


def test_an_honest_loss_answers_every_case_with_value_and_gradient(collect):
    evidence = collect(step())
    assert [trial.label for trial in evidence.loss] == [case.label for case in loss_cases(41)]
    for trial in evidence.loss:
        shape = trial.arguments["y_pred"].shape
        assert (trial.result.shape, trial.result.dtype) == ((), "float32")
        assert trial.gradient.shape == shape
        assert trial.incident is None
        assert not trial.gradient_missing


def test_the_cases_lie_around_the_assignments_delta(collect):
    evidence = collect(step(), settings={"delta": 3.0})
    for trial, case in zip(evidence.loss, loss_cases(41, 3.0), strict=True):
        assert (trial.arguments["y_pred"].array() == case.arguments["y_pred"]).all()


@pytest.mark.parametrize(
    ("returned", "result", "missing"),
    [
        ("tf.constant(1.0)", True, True),
        ("3.0", True, True),
        ("np.float32(2)", True, True),
        ("float('nan')", True, True),
        ("None", False, True),
        ("'loss'", False, True),
        ("y_pred - y_true", True, False),
        ("tf.reduce_sum(y_pred) * float('inf')", True, False),
        ("[1.0, 2.0]", True, True),
    ],
)
def test_a_loss_of_any_form_is_kept_as_it_came(collect, returned, result, missing):
    evidence = collect(LOSS + f"def huber_loss(y_true, y_pred):\n    return {returned}\n")
    for trial in evidence.loss:
        assert trial.incident is None
        assert (trial.result is not None) == result
        assert trial.gradient_missing == missing
        assert trial.result_type


# --- the step -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "nearest"),
    [
        (step(), "huber_mean"),
        (step("tf.reduce_mean((targets - model(states)) ** 2)"), "mean_squared_error"),
        (step("tf.reduce_mean(tf.abs(targets - model(states)))"), "mean_absolute_error"),
        (step(RIGHT.replace("huber_loss(", "96 * huber_loss(")), "huber_sum"),
        (step(gradients="[-g for g in gradients]"), "ascent"),
        (LOSS + "def train_step(model, optimizer, states, targets):\n    return 1.0\n",
         "unchanged"),
        (step() + "once = train_step\ndef train_step(model, optimizer, states, targets):\n"
         "    once(model, optimizer, states, targets)\n"
         "    return once(model, optimizer, states, targets)\n", "two_steps"),
    ],
    ids=lambda value: value if len(value) < 30 else "",
)  # fmt: skip
def test_a_step_is_recognised_by_the_weights_that_come_back(collect, source, nearest):
    for trial in collect(source).steps:
        assert trial.incident is None
        assert min(trial.distances, key=trial.distances.__getitem__) == nearest
        assert trial.distances[nearest] <= 1e-3 * trial.scale
        assert all(
            distance > 5e-3 * trial.scale
            for name, distance in trial.distances.items()
            if name != nearest
        )


def test_the_reference_measures_both_losses_on_seen_and_unseen_data(collect):
    sgd, adam = collect(step()).steps
    assert (sgd.optimizer, adam.optimizer) == ("sgd", "adam")
    for trial in (sgd, adam):
        assert trial.loss_after < trial.loss_before
        assert trial.held_out_after < trial.held_out_before
        assert math.isclose(trial.returned, trial.loss_before, rel_tol=1e-5)
        assert trial.returned_type == "float"


def test_a_step_by_hand_needs_no_optimizer(collect):
    evidence = collect(
        LOSS + "def train_step(model, optimizer, states, targets):\n"
        "    with tf.GradientTape() as tape:\n"
        "        loss = huber_loss(targets, model(states))\n"
        "    for v, g in zip(model.trainable_variables,\n"
        "                    tape.gradient(loss, model.trainable_variables)):\n"
        "        v.assign_sub(0.05 * g)\n"
        "    return loss\n"
    )
    sgd = evidence.steps[0]
    assert sgd.distances["huber_mean"] <= 1e-3 * sgd.scale
    assert sgd.returned == pytest.approx(sgd.loss_before)


@pytest.mark.parametrize(
    ("returned", "number"),
    [("loss", True), ("loss.numpy()", True), ("[float(loss)]", False), ("None", False),
     ("{'loss': 1.0}", False), ("str(loss)", False), ("True", False)],
)  # fmt: skip
def test_what_a_step_returns_is_kept_as_a_number_or_told_as_text(collect, returned, number):
    for trial in collect(step(returned=returned)).steps:
        assert (trial.returned is not None) == number
        assert trial.returned_type


def test_weights_that_are_not_finite_have_neither_loss_nor_distance(collect):
    source = step(RIGHT + " * float('nan')")
    for trial in collect(source).steps:
        assert (trial.incident, trial.loss_after, trial.held_out_after) == (None, None, None)
        assert trial.distances == {}
        assert math.isnan(trial.returned)
        assert trial.loss_before > 0
        assert trial.scale > 0


def test_weights_of_another_shape_are_an_incident(collect):
    source = LOSS + (
        "def train_step(model, optimizer, states, targets):\n"
        "    model.get_weights = lambda: [np.zeros(3)]\n    return 1.0\n"
    )
    assert {trial.incident.kind for trial in collect(source).steps} == {IncidentKind.PROTOCOL}


def test_weights_may_be_huge(collect):
    source = LOSS + (
        "def train_step(model, optimizer, states, targets):\n"
        "    model.set_weights([np.full(w.shape, 3e38) for w in model.get_weights()])\n"
        "    return 1.0\n"
    )
    for trial in collect(source).steps:
        assert trial.incident is None
        assert min(trial.distances.values()) > 1e38


# --- each stage at which it can fail ------------------------------------------------------------


def test_a_missing_step_does_not_hide_the_loss(collect):
    evidence = collect(LOSS)
    assert [missed.role for missed in evidence.unresolved] == ["step"]
    assert all(trial.result is not None for trial in evidence.loss)
    assert evidence.steps == ()


def test_a_missing_loss_does_not_hide_the_step(collect):
    evidence = collect(step().replace("huber_loss", "other_loss"))
    assert [missed.role for missed in evidence.unresolved] == ["loss"]
    assert evidence.loss == ()
    assert all(trial.distances["huber_mean"] < 1e-3 * trial.scale for trial in evidence.steps)


def test_exceptions_are_told_with_their_case(collect):
    evidence = collect(
        LOSS + "def huber_loss(y_true, y_pred):\n    raise RuntimeError('no')\n"
        "def train_step(model, optimizer, states, targets):\n    raise KeyError('no')\n"
    )
    for trial in evidence.loss:
        assert (trial.incident.error_type, trial.result) == ("RuntimeError", None)
        assert trial.label in trial.incident.stage
    for trial in evidence.steps:
        assert (trial.incident.error_type, trial.loss_before) == ("KeyError", None)
        assert trial.label in trial.incident.stage


@pytest.mark.parametrize(
    ("deed", "kind", "limit"),
    [
        ("while True: pass", IncidentKind.LIMIT, LimitName.CALL_CPU),
        ("os._exit(0)", IncidentKind.EXITED, None),
    ],
)
def test_a_loss_that_ends_its_process_does_not_hide_the_step(collect, deed, kind, limit):
    source = step().replace("huber_loss", "inner")
    source += f"def huber_loss(y_true, y_pred):\n    {deed}\n"
    evidence = collect(source, limits=Limits(call_wall_s=10, call_cpu_s=2))
    assert {(t.incident.kind, t.incident.limit) for t in evidence.loss} == {(kind, limit)}
    assert all(trial.distances["huber_mean"] < 1e-3 * trial.scale for trial in evidence.steps)


def test_a_step_that_ends_its_process_is_told_for_the_later_ones_too(collect):
    source = LOSS + "def train_step(model, optimizer, states, targets):\n    os._exit(1)\n"
    evidence = collect(source)
    assert all(trial.incident is None for trial in evidence.loss)
    assert {trial.incident.kind for trial in evidence.steps} == {IncidentKind.EXITED}
    assert len(evidence.steps) == 2


@pytest.mark.parametrize("answer", ["None", "{'value': 1.0}", "{'value': 1, 'type_name': None}"])
def test_a_forged_value_of_the_loss_is_an_incident(collect, answer):
    evidence = collect(
        step() + "import grader.worker.session as session\n"
        f"session.STUDENT_HANDLERS['loss'] = lambda session, request: {answer}\n"
    )
    assert {trial.incident.kind for trial in evidence.loss} == {IncidentKind.PROTOCOL}


@pytest.mark.parametrize("answer", ["None", "[]", "[1.0] * 4", "[None] * 4", "'weights'"])
def test_forged_weights_are_an_incident(collect, answer):
    evidence = collect(
        step() + "import grader.worker.session as session\n"
        f"session.STUDENT_HANDLERS['read_weights'] = lambda session, request: {answer}\n"
    )
    assert {trial.incident.kind for trial in evidence.steps} == {IncidentKind.PROTOCOL}


@pytest.mark.parametrize("value", [None, True, "1", [1.0], {}, Opaque("a", "b")])
def test_only_numbers_are_numbers(value):
    assert _number(value) is None


def test_a_compiled_step_is_tried_with_every_optimizer(collect):
    """A `tf.function` makes the variables of one optimizer only."""
    compiled = step(returned="loss").replace("def train_step", "@tf.function\ndef train_step")
    for trial in collect(compiled).steps:
        assert trial.incident is None
        assert trial.returned == pytest.approx(trial.loss_before, rel=1e-4)
