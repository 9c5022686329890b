import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from grader.assignments.registry import JudgeInput
from grader.checks.convolution_forms import ConvolutionMistake, explanations
from grader.checks.function import CHECKS, SLIP_CREDIT
from grader.checks.function_codes import FunctionCode
from grader.errors import GraderFault
from grader.probes.cases import convolution_cases
from grader.records.arrays import ArrayRecord
from grader.records.catalogue import catalogue
from grader.records.evidence import FunctionEvidence, FunctionTrial, Symbol, Unresolved
from grader.records.function_settings import FunctionSettings, ValuesSettings
from grader.records.incident import Frame, Incident, IncidentKind, LimitName
from grader.records.result import Outcome, Severity, Verdict
from grader.records.spec import CheckSpec, Isolation, PartSpec

JUDGES = {kind.id: kind.judge for kind in CHECKS}
CASES = convolution_cases(31)


def raised(label: str, error_type: str = "ValueError") -> Incident:
    return Incident(
        kind=IncidentKind.RAISED,
        stage=f"calling the function ({label})",
        error_type=error_type,
        message="no",
        frames=(Frame(file="convolution.py", line=9, function="convolve2d"),),
    )


def run(function: Callable[..., Any]) -> tuple[FunctionTrial, ...]:
    """What a probe would have recorded of this function."""
    trials = []
    taken = inspect.signature(function).parameters
    for case in CASES:
        given = {
            name: value.copy() if isinstance(value, np.ndarray) else value
            for name, value in case.arguments.items()
            if name in taken
        }
        fields: dict[str, Any] = {}
        try:
            with np.errstate(all="ignore"):
                value = function(**given)
        except (ValueError, IndexError) as error:
            fields["incident"] = raised(case.label, type(error).__name__)
        else:
            fields["result_type"] = (
                "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__
            )
            numbers = value is not None and not isinstance(value, str)
            fields["result"] = ArrayRecord.of(value) if numbers else None
            fields["mutated"] = tuple(
                name
                for name, array in given.items()
                if not np.array_equal(array, case.arguments[name])
            )
        arguments = {
            name: ArrayRecord.of(value) if isinstance(value, np.ndarray) else value
            for name, value in case.arguments.items()
        }
        trials.append(FunctionTrial(label=case.label, arguments=arguments, **fields))
    return tuple(trials)


def judge(name: str, trials: tuple[FunctionTrial, ...], **fields: Any) -> Verdict:
    evidence = FunctionEvidence(
        part="convolution",
        file="convolution.py",
        isolation=Isolation.PROCESS,
        symbols=(Symbol(role="function", name="convolve2d", line=4, parameters=("image",)),),
        trials=trials,
        **fields,
    )
    check = CheckSpec(title="values", points=8)
    part = PartSpec(
        title="Convolution", kind="function", file="convolution.py", checks={"values": check}
    )
    return JUDGES[f"function.{name}"](
        JudgeInput(
            part_id="convolution",
            part=part,
            check=check,
            part_settings=FunctionSettings(reference="cross_correlation_2d"),
            settings=ValuesSettings(),
            evidence=evidence,
        )
    )


def values(function: Callable[..., Any]) -> Verdict:
    return judge("values", run(function))


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


# --- what students write ------------------------------------------------------------------------


def right(image, kernel, stride=1):
    windows = sliding_window_view(image.astype(float), kernel.shape)[::stride, ::stride]
    return np.einsum("ijmn,mn->ij", windows, kernel.astype(float))


def looped(image, kernel, stride=1):
    height, width = kernel.shape
    rows = (image.shape[0] - height) // stride + 1
    columns = (image.shape[1] - width) // stride + 1
    out = np.zeros((rows, columns), dtype=np.float32)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = image[top : top + height, left : left + width].astype(np.float32)
            out[i, j] = np.sum(window * kernel.astype(np.float32))
    return out


def padded(image, kernel, stride=1, full=False):
    sides = [(k - 1, k - 1) if full else ((k - 1) // 2, k // 2) for k in kernel.shape]
    return right(np.pad(image, sides), kernel, stride)


def one_window_apart(image, kernel, stride=1):
    rows, columns = right(image, kernel, stride).shape
    return right(image, kernel)[:rows, :columns]


def in_small_integers(image, kernel, stride=1):
    windows = sliding_window_view(image, kernel.shape)[::stride, ::stride]
    return (windows * kernel).sum(axis=(2, 3))


def in_the_dtype_of_the_image(image, kernel, stride=1):
    exact = right(image, kernel, stride)
    whole = np.issubdtype(image.dtype, np.integer)
    return np.trunc(exact).astype(np.int64).astype(image.dtype) if whole else exact


@pytest.mark.parametrize("function", [right, looped])
def test_a_right_function_gets_everything(function):
    verdict = values(function)
    assert verdict == Verdict(outcome=Outcome.PASSED, fraction=1.0)
    assert judge("interface", run(function)).outcome is Outcome.PASSED


def after(change):
    """A right function whose result goes through one more step."""
    return lambda image, kernel, stride=1: change(right(image, kernel, stride))


MISTAKES = {
    FunctionCode.FLIPPED: lambda image, kernel, stride=1: right(image, kernel[::-1, ::-1], stride),
    FunctionCode.SAME_PADDING: padded,
    FunctionCode.FULL_PADDING: lambda image, kernel, stride=1: padded(image, kernel, stride, True),
    FunctionCode.STRIDE_IGNORED: lambda image, kernel: right(image, kernel),
    FunctionCode.STRIDE_ONE_AXIS: lambda image, kernel, stride=1: right(image, kernel)[::stride],
    FunctionCode.STRIDE_SHAPE_ONLY: one_window_apart,
    FunctionCode.TRANSPOSED: after(np.transpose),
    FunctionCode.OFF_BY_ONE: after(lambda out: out[:-1, :-1]),
    FunctionCode.OVERFLOW: in_small_integers,
    FunctionCode.TRUNCATED: after(lambda out: out.astype(int)),
    FunctionCode.CLIPPED: after(lambda out: np.maximum(out, 0)),
    FunctionCode.AVERAGED: lambda image, kernel, stride=1: (
        right(image, kernel, stride) / kernel.size
    ),
    FunctionCode.CONSTANT: after(lambda out: np.full_like(out, 7.0)),
}


@pytest.mark.parametrize(("code", "function"), MISTAKES.items(), ids=list(MISTAKES))
def test_a_known_mistake_is_named_once(code, function):
    verdict = values(function)
    told = codes(verdict)
    # A constant that is the only value of a 1×1 output cannot be told from any wrong value.
    further = {FunctionCode.WRONG_VALUES} if code is FunctionCode.CONSTANT else set()
    assert told.count(code) == 1
    assert set(told) <= {code} | further
    assert verdict.outcome in {Outcome.PARTIAL, Outcome.FAILED}
    finding = verdict.findings[0]
    assert finding.where == "convolution.py:4"
    assert finding.expected
    assert finding.received
    assert "case “" in finding.received
    assert finding.try_


def test_the_share_is_that_of_the_right_cases():
    verdict = values(lambda image, kernel: right(image, kernel))
    alone = sum(case.arguments.get("stride", 1) == 1 for case in CASES)
    # An output of one value is the same with any stride.
    single = sum(case.label == "kernel as large as the image, stride 3" for case in CASES)
    assert verdict.fraction == pytest.approx((alone + single) / len(CASES))


def test_a_transposed_kernel_is_named_where_it_shows():
    def transposed(image, kernel, stride=1):
        square = kernel.shape[0] == kernel.shape[1]
        return right(image, kernel.T if square else kernel, stride)

    assert codes(values(transposed)) == [FunctionCode.TRANSPOSED_KERNEL]


def test_mistakes_that_come_together_are_told_apart():
    def as_scipy_does_by_default(image, kernel):
        return padded(image, kernel[::-1, ::-1], 1, True)

    verdict = values(as_scipy_does_by_default)
    assert codes(verdict) == [
        FunctionCode.FLIPPED,
        FunctionCode.FULL_PADDING,
        FunctionCode.STRIDE_IGNORED,
    ]
    stride = verdict.findings[2]
    assert stride.received is not None
    assert "“1×1 kernel, stride 2”" in stride.received


def test_storing_in_the_dtype_of_the_image_is_an_overflow_alone():
    assert codes(values(in_the_dtype_of_the_image)) == [FunctionCode.OVERFLOW]


def kernel_in_the_dtype_of_the_image(image, kernel, stride=1):
    whole = np.issubdtype(image.dtype, np.integer)
    weights = kernel.astype(image.dtype) if whole else kernel
    windows = sliding_window_view(image, kernel.shape)[::stride, ::stride]
    return (windows * weights).sum(axis=(2, 3), dtype=image.dtype)


def test_computing_in_the_dtype_of_the_image_is_an_overflow_alone():
    with np.errstate(invalid="ignore"):
        trials = run(kernel_in_the_dtype_of_the_image)
    assert codes(judge("values", trials)) == [FunctionCode.OVERFLOW]


def one_side_for_both(image, kernel, stride=1):
    side, count = kernel.shape[0], (image.shape[0] - kernel.shape[0]) // stride + 1
    out = np.zeros((count, count))
    for i in range(count):
        for j in range(count):
            top, left = i * stride, j * stride
            out[i, j] = np.sum(image[top : top + side, left : left + side] * 1.0 * kernel)
    return out


def sides_exchanged(image, kernel, stride=1):
    out = right(image, kernel, stride)
    return out if image.shape[0] == image.shape[1] else out.ravel()


@pytest.mark.parametrize(
    ("function", "what"),
    [(one_side_for_both, "images and kernels"), (sides_exchanged, "images")],
)
def test_a_function_for_squares_only_is_told_so_once(function, what):
    verdict = judge("values", tolerant(function))
    assert codes(verdict) == [FunctionCode.SQUARE_ONLY]
    assert verdict.findings[0].claim == f"Only square {what} come out right."
    assert verdict.fraction >= SLIP_CREDIT


def tolerant(function: Callable[..., Any]) -> tuple[FunctionTrial, ...]:
    """Trials of a function that may raise."""
    trials = []
    for case, trial in zip(CASES, run(right), strict=True):
        try:
            result = function(**case.arguments)
        except ValueError:
            changes = {"result": None, "incident": raised(case.label)}
        else:
            changes = {"result": ArrayRecord.of(result)}
        trials.append(trial.model_copy(update=changes))
    return tuple(trials)


@pytest.mark.parametrize("code", [FunctionCode.FLIPPED, FunctionCode.SAME_PADDING])
def test_one_slip_that_explains_everything_costs_at_most_half(code):
    assert values(MISTAKES[code]).fraction == SLIP_CREDIT


def test_several_slips_and_a_constant_cost_what_they_break():
    flipped_and_padded = values(
        lambda image, kernel, stride=1: padded(image, kernel[::-1, ::-1], stride)
    )
    assert len(flipped_and_padded.findings) == 2
    assert flipped_and_padded.fraction < SLIP_CREDIT
    assert values(MISTAKES[FunctionCode.CONSTANT]).fraction < SLIP_CREDIT


def test_a_list_with_the_right_values_is_a_warning():
    verdict = values(after(np.ndarray.tolist))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PASSED, 1.0)
    assert codes(verdict) == [FunctionCode.OTHER_TYPE]
    assert verdict.findings[0].severity is Severity.WARNING


def test_a_changed_argument_is_a_warning():
    def greedy(image, kernel, stride=1):
        out = right(image, kernel, stride)
        image += 1
        return out

    verdict = values(greedy)
    assert (verdict.fraction, codes(verdict)) == (1.0, [FunctionCode.MUTATED])
    assert "`image`" in (verdict.findings[0].received or "")


def test_nan_is_named_and_earns_nothing():
    verdict = values(after(lambda out: out * np.nan))
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [FunctionCode.NOT_FINITE]


@pytest.mark.parametrize("answer", [None, "out"])
def test_no_array_is_named(answer):
    verdict = values(after(lambda _: answer))
    assert (verdict.fraction, codes(verdict)) == (0.0, [FunctionCode.NOT_AN_ARRAY])


def test_truth_values_are_no_numbers():
    verdict = values(after(lambda out: out > 0))
    assert (verdict.fraction, codes(verdict)) == (0.0, [FunctionCode.NOT_AN_ARRAY])


def test_values_that_nothing_explains_are_shown():
    verdict = values(after(lambda out: out * 1.5))
    assert (verdict.fraction, codes(verdict)) == (0.0, [FunctionCode.WRONG_VALUES])
    assert "at [0, 0]" in (verdict.findings[0].expected or "")


def test_a_shape_that_nothing_explains_is_shown():
    verdict = values(after(np.ravel))
    assert (verdict.fraction, codes(verdict)) == (0.0, [FunctionCode.WRONG_SHAPE])
    assert (
        verdict.findings[0].received
        == f"shape (25,) (case “asymmetric kernel” and {len(CASES) - 1} more)"
    )


def test_an_error_in_some_cases_costs_those_cases():
    def fussy(image, kernel, stride=1):
        if image.shape == kernel.shape:
            raise ValueError("too large")
        return right(image, kernel, stride)

    verdict = values(fussy)
    assert verdict.fraction == pytest.approx(1 - 2 / len(CASES))
    assert codes(verdict) == ["GR108"]
    assert "kernel as large as the image" in verdict.findings[0].claim
    assert "1 more case" in (verdict.findings[0].received or "")
    assert judge("interface", run(fussy)).outcome is Outcome.PASSED


def test_an_error_in_every_case_fails_the_interface():
    trials = tuple(
        FunctionTrial(label=case.label, arguments={}, incident=raised(case.label)) for case in CASES
    )
    verdict = judge("interface", trials)
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR108"])


def test_arguments_that_never_fit_fail_the_interface():
    trials = tuple(
        FunctionTrial(
            label=case.label, arguments={}, incident=raised(case.label, "SignatureMismatch")
        )
        for case in CASES
    )
    verdict = judge("interface", trials)
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR107"])


@pytest.mark.parametrize("check", ["interface", "values"])
def test_a_limit_in_every_case_leaves_the_check_open(check):
    slow = Incident(
        kind=IncidentKind.LIMIT, stage="calling", limit=LimitName.CALL_WALL, limit_value="60 s"
    )
    arguments = {
        "image": ArrayRecord.of(np.ones((2, 2))),
        "kernel": ArrayRecord.of(np.ones((1, 1))),
    }
    trial = FunctionTrial(label="one", arguments=arguments, incident=slow)
    verdict = judge(check, (trial, trial))
    assert (verdict.outcome, verdict.fraction, codes(verdict)) == (Outcome.INVALID, 0.0, ["GR201"])


@pytest.mark.parametrize("check", ["interface", "values"])
def test_a_fault_anywhere_withholds_the_mark(check):
    fault = Incident(kind=IncidentKind.FAULT, stage="calling")
    trials = (*run(right), FunctionTrial(label="one", arguments={}, incident=fault))
    assert judge(check, trials).outcome is Outcome.FAULT


@pytest.mark.parametrize("check", ["interface", "values"])
def test_no_trial_at_all_is_a_fault_and_never_a_pass(check):
    verdict = judge(check, ())
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAULT, 0.0)


@pytest.mark.parametrize("check", ["interface", "values"])
def test_a_missing_function_fails(check):
    missing = Unresolved(role="function", accepted=("convolve2d",), available=("convolve",))
    verdict = judge(check, (), unresolved=(missing,))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR105"])


def test_a_case_that_does_not_fit_the_reference_is_our_fault():
    trial = FunctionTrial(label="bad", arguments={"image": ArrayRecord.of(np.ones((2, 2)))})
    with pytest.raises(GraderFault, match="bad"):
        judge("values", (trial,))


@pytest.mark.parametrize("code", FunctionCode)
def test_every_code_is_explained(code):
    assert code in catalogue()


def test_explanations_start_with_the_simplest():
    image, kernel = np.arange(25.0).reshape(5, 5) ** 2, np.array([[1.0, 2.0], [0.0, 5.0]])
    found = explanations(image, kernel, 1, right(image, kernel[::-1, ::-1]), 1e-6, 1e-6)
    assert found[0] == frozenset({ConvolutionMistake.FLIPPED})
    assert list(map(len, found)) == sorted(map(len, found))
    assert explanations(image, kernel, 1, np.full((4, 4), np.pi) * image[:4, :4], 1e-6, 1e-6) == ()
