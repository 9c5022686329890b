import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.references import cross_correlation_2d, huber_gradient, huber_loss


def looped(image, kernel, stride):
    rows = (image.shape[0] - kernel.shape[0]) // stride + 1
    columns = (image.shape[1] - kernel.shape[1]) // stride + 1
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for m in range(kernel.shape[0]):
                for n in range(kernel.shape[1]):
                    out[i, j] += float(image[i * stride + m, j * stride + n]) * float(kernel[m, n])
    return out


def test_the_kernel_is_not_flipped():
    image = np.arange(9.0).reshape(3, 3)
    kernel = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert cross_correlation_2d(image, kernel).tolist() == [[0.0, 1.0], [3.0, 4.0]]


def test_small_integers_do_not_wrap_around():
    image = np.full((2, 2), 255, dtype=np.uint8)
    kernel = np.full((2, 2), 2, dtype=np.uint8)
    assert cross_correlation_2d(image, kernel).tolist() == [[2040.0]]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    more=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    stride=st.integers(1, 4),
)
def test_it_is_the_sum_written_out(seed, kernel, more, stride):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(kernel[0] + more[0], kernel[1] + more[1]))
    weights = rng.normal(size=kernel)
    expected = looped(image, weights, stride)
    received = cross_correlation_2d(image, weights, stride)
    assert received.shape == expected.shape
    np.testing.assert_allclose(received, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("image", "kernel", "stride"),
    [((2, 2), (3, 1), 1), ((2, 2), (1, 1), 0), ((4,), (2, 2), 1), ((2, 2), (0, 1), 1)],
)
def test_a_case_that_does_not_fit_is_refused(image, kernel, stride):
    with pytest.raises(ValueError, match=r"fit|stride|2-D"):
        cross_correlation_2d(np.zeros(image), np.zeros(kernel), stride)


@pytest.mark.parametrize(
    ("error", "delta", "loss"),
    [
        (0.0, 1.0, 0.0),
        (0.5, 1.0, 0.125),
        (-0.5, 1.0, 0.125),
        (1.0, 1.0, 0.5),
        (3.0, 1.0, 2.5),
        (-3.0, 1.0, 2.5),
        (3.0, 2.0, 4.0),
        (1e6, 1.0, 1e6 - 0.5),
    ],
)
def test_huber_loss_of_one_error(error, delta, loss):
    assert huber_loss(np.zeros(1), np.array([error]), delta) == pytest.approx(loss, rel=1e-12)


def test_huber_loss_is_averaged_over_all_elements():
    y_pred = np.array([[0.5, 3.0], [0.0, 0.0]])
    assert huber_loss(np.zeros((2, 2)), y_pred) == pytest.approx((0.125 + 2.5) / 4)


def test_huber_gradient_is_the_slope_of_the_loss():
    rng = np.random.default_rng(3)
    y_true, y_pred = rng.normal(size=(2, 5, 3)) * 2
    gradient = huber_gradient(y_true, y_pred, 0.7)
    step = 1e-6
    for place in np.ndindex(5, 3):
        moved = y_pred.copy()
        moved[place] += step
        slope = (huber_loss(y_true, moved, 0.7) - huber_loss(y_true, y_pred, 0.7)) / step
        assert gradient[place] == pytest.approx(slope, abs=1e-5)


@pytest.mark.parametrize(
    ("true", "pred", "delta"), [((3,), (3, 1), 1.0), ((0,), (0,), 1.0), ((2,), (2,), 0.0)]
)
def test_arguments_that_do_not_fit_are_refused(true, pred, delta):
    for reference in (huber_loss, huber_gradient):
        with pytest.raises(ValueError, match=r"shapes|positive"):
            reference(np.zeros(true), np.zeros(pred), delta)
