"""Losses beside Keras' own values and numerical derivatives."""

import numpy as np
import pytest

from grader.checks.loss_library import LOSSES
from grader.probes.loss_cases import cases_of_loss
from grader.records.function_settings import LOSSES as SIGNATURES
from grader.records.function_settings import LossSettings

STEP = 1e-6


def settings(reference, **more):
    return LossSettings(reference=reference, **more)


ALL = [
    *(settings(name) for name in LOSSES),
    settings("huber", delta=0.7),
    settings("binary_crossentropy", from_logits=True),
    settings("categorical_crossentropy", from_logits=True),
    settings("sparse_categorical_crossentropy", from_logits=True),
    settings("masked_q_loss", element_loss="huber", delta=0.5),
]


def differentiated(wanted):
    return "q_values" if wanted.reference == "masked_q_loss" else "y_pred"


@pytest.mark.parametrize("wanted", ALL, ids=lambda wanted: f"{wanted.reference}")
def test_every_gradient_is_the_derivative_of_its_value(wanted):
    """Of the right loss and of every known mistake, in a case without kinks nearby."""
    case = cases_of_loss(wanted, 5)[0]
    name = differentiated(wanted)
    point = case.arguments[name].astype(np.float64)
    results = LOSSES[wanted.reference].results(case.arguments, wanted)
    numeric = [np.zeros_like(point) for _ in results]
    for place in np.ndindex(point.shape):
        moved = []
        for sign in (1, -1):
            shifted = point.copy()
            shifted[place] += sign * STEP
            moved.append(
                LOSSES[wanted.reference].results({**case.arguments, name: shifted}, wanted)
            )
        for index, (up, down) in enumerate(zip(*moved, strict=True)):
            assert up.mistakes == results[index].mistakes
            numeric[index][place] = (np.sum(up.value) - np.sum(down.value)) / (2 * STEP)
    for result, slope in zip(results, numeric, strict=True):
        if result.mistakes != {"root"} and "root" not in result.mistakes:
            np.testing.assert_allclose(result.gradient, slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("wanted", ALL, ids=lambda wanted: f"{wanted.reference}")
def test_the_right_loss_comes_first_and_mistakes_are_all_told(wanted):
    for case in cases_of_loss(wanted, 5):
        results = LOSSES[wanted.reference].results(case.arguments, wanted)
        assert not results[0].mistakes
        assert results[0].value.shape == ()
        assert np.isfinite(results[0].value)
        told = set(map(str, LOSSES[wanted.reference].told))
        assert {str(m) for result in results for m in result.mistakes} <= told


@pytest.mark.parametrize("wanted", ALL, ids=lambda wanted: f"{wanted.reference}")
def test_cases_are_single_precision_unless_asked_for_more(wanted):
    cases = cases_of_loss(wanted, 7)
    more = cases_of_loss(wanted.model_copy(update={"mixed_dtypes": True}), 7)
    labels = [case.label for case in more]
    assert len(set(labels)) == len(labels)
    for case in cases:
        assert list(case.arguments) == list(SIGNATURES[wanted.reference].arguments)
        floats = {a.dtype for a in case.arguments.values() if a.dtype.kind == "f"}
        assert floats == {np.dtype(np.float32)}
    dtypes = {a.dtype.name for case in more for a in case.arguments.values()}
    assert "float64" in dtypes


def test_known_values():
    """By hand: −log(0.8), −log(0.5) and their mean; (0.5² + 2²)/2; Huber of 2 with δ = 1."""
    y_pred = np.array([[0.8, 0.2], [0.5, 0.5]])
    one_hot = {"y_true": np.array([[1.0, 0.0], [0.0, 1.0]]), "y_pred": y_pred}
    sparse = {"y_true": np.array([0, 1]), "y_pred": y_pred}
    cross = -(np.log(0.8) + np.log(0.5)) / 2
    q = {"q_values": np.array([[1.0, 9.0], [4.0, 2.0]]), "actions": np.array([0, 1]),
         "targets": np.array([1.5, 0.0])}  # fmt: skip

    def value(arguments, wanted):
        return float(LOSSES[wanted.reference].results(arguments, wanted)[0].value)

    assert value(one_hot, settings("categorical_crossentropy")) == pytest.approx(cross)
    assert value(sparse, settings("sparse_categorical_crossentropy")) == pytest.approx(cross)
    assert value(q, settings("masked_q_loss")) == pytest.approx((0.25 + 4) / 2)
    huber = settings("masked_q_loss", element_loss="huber")
    assert value(q, huber) == pytest.approx((0.125 + 1.5) / 2)
    logits = settings("binary_crossentropy", from_logits=True)
    zeros = {"y_true": np.array([1.0, 0.0]), "y_pred": np.zeros(2)}
    assert value(zeros, logits) == pytest.approx(np.log(2))
