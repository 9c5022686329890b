import numpy as np
import pytest

from grader.probes.cases import convolution_cases, loss_cases, training_batches
from grader.records.settings import TrainingSettings


def same(first, second):
    return all(
        one.label == two.label
        and list(one.arguments) == list(two.arguments)
        and all(np.array_equal(one.arguments[k], two.arguments[k]) for k in one.arguments)
        for one, two in zip(first, second, strict=True)
    )


@pytest.mark.parametrize("draw", [convolution_cases, loss_cases])
def test_cases_depend_on_the_seed_and_on_nothing_else(draw):
    np.random.seed(1)  # noqa: NPY002 (the global state must not matter)
    first = draw(5)
    np.random.seed(2)  # noqa: NPY002
    assert same(first, draw(5))
    assert not same(first, draw(6))


@pytest.mark.parametrize("draw", [convolution_cases, loss_cases])
def test_every_case_has_a_name_of_its_own(draw):
    labels = [case.label for case in draw(1)]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("seed", range(30))
def test_convolution_cases_fit_and_cover_the_edges(seed):
    cases = convolution_cases(seed)
    shapes = [(c.arguments["image"].shape, c.arguments["kernel"].shape) for c in cases]
    assert all(k[0] <= i[0] and k[1] <= i[1] for i, k in shapes)
    assert any(i == k for i, k in shapes)
    assert any(k == (1, 1) for _, k in shapes)
    assert any(i[0] != i[1] for i, _ in shapes)
    assert any(k[0] != k[1] for _, k in shapes)
    strides = {case.arguments.get("stride") for case in cases}
    assert {None, 1, 2, 3} <= strides
    assert any(
        (side - k) % case.arguments.get("stride", 1)
        for case, (image, kernel) in zip(cases, shapes, strict=True)
        for side, k in zip(image, kernel, strict=True)
    )
    kernel = cases[0].arguments["kernel"]
    assert not np.array_equal(kernel, kernel[::-1, ::-1])
    assert not np.array_equal(kernel, kernel.T)


@pytest.mark.parametrize("seed", range(30))
def test_products_of_the_uint8_case_do_not_fit_into_uint8(seed):
    case = next(c for c in convolution_cases(seed) if c.label == "uint8 image and kernel")
    image, kernel = case.arguments["image"], case.arguments["kernel"]
    assert image.dtype == kernel.dtype == np.uint8
    assert int(image.min()) * int(kernel.min()) > 255


@pytest.mark.parametrize("delta", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("seed", range(10))
def test_loss_cases_are_single_precision_and_cover_the_edges(seed, delta):
    cases = {case.label: case.arguments for case in loss_cases(seed, delta)}
    for arguments in cases.values():
        assert list(arguments) == ["y_true", "y_pred"]
        assert {a.dtype for a in arguments.values()} == {np.dtype(np.float32)}
        assert arguments["y_true"].shape == arguments["y_pred"].shape
    errors = {
        label: np.abs(arguments["y_pred"].astype(float) - arguments["y_true"])
        for label, arguments in cases.items()
    }
    assert not errors["no error at all"].any()
    assert (errors["small errors"] < delta).all()
    assert (errors["large errors"] > delta).all()
    np.testing.assert_allclose(errors["errors of exactly ±δ"], delta, rtol=1e-6)
    assert (errors["errors of a million"] == 1e6).all()
    assert {e.ndim for e in errors.values()} == {1, 2}
    mixed = errors["small and large errors of both signs"]
    assert (mixed < delta).any()
    assert (mixed > delta).any()


def test_exchanged_arguments_are_those_of_the_first_case():
    first, exchanged = loss_cases(3)[:2]
    assert np.array_equal(first.arguments["y_true"], exchanged.arguments["y_pred"])
    assert np.array_equal(first.arguments["y_pred"], exchanged.arguments["y_true"])


def test_batches_have_the_shapes_of_the_settings():
    wanted = TrainingSettings(features=5, num_actions=2, batch_size=7)
    batches = training_batches(1, wanted)
    for states, targets in batches:
        assert (states.shape, targets.shape) == ((7, 5), (7, 2))
        assert states.dtype == targets.dtype == np.float32
    assert not np.array_equal(batches.training.states, batches.held_out.states)
    again = training_batches(1, wanted)
    assert np.array_equal(batches.training.targets, again.training.targets)


@pytest.mark.parametrize("delta", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(10))
def test_gradients_of_the_known_losses_differ_clearly(seed, delta):
    states, targets = training_batches(seed, TrainingSettings(delta=delta)).training
    error = -targets.astype(float)  # a network that answers 0
    slopes = {
        "huber": np.clip(error, -delta, delta),
        "squared": 2 * error,
        "absolute": np.sign(error),
    }
    steps = {name: states.T @ slope / error.size for name, slope in slopes.items()}
    scale = np.abs(steps["huber"]).max()
    for name in ("squared", "absolute"):
        assert np.abs(steps[name] - steps["huber"]).max() > 0.02 * scale
