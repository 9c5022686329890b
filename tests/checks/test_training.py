import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.assignments.registry import JudgeInput
from grader.checks.loss import SLIP_CREDIT, LossCode
from grader.checks.loss_forms import fitted_delta
from grader.checks.references import huber_loss
from grader.checks.training import CHECKS
from grader.checks.training_step import FOLLOWED_CREDIT, UNKNOWN_LOSS_CREDIT, StepCode
from grader.errors import GraderFault
from grader.probes.cases import loss_cases
from grader.records.arrays import ArrayRecord
from grader.records.catalogue import catalogue
from grader.records.evidence import FunctionTrial, StepTrial, Symbol, TrainingEvidence, Unresolved
from grader.records.incident import Frame, Incident, IncidentKind, LimitName
from grader.records.result import Outcome, Severity, Verdict
from grader.records.settings import TrainingSettings
from grader.records.spec import CheckSpec, Isolation, PartSpec

JUDGES = {kind.id: kind.judge for kind in CHECKS}
Loss = Callable[[np.ndarray], Any]
"""Of the error y_pred − y_true."""


def judge(name: str, *, delta: float = 1.0, **fields: Any) -> Verdict:
    evidence = TrainingEvidence(
        part="training",
        file="training.py",
        isolation=Isolation.PROCESS,
        symbols=(
            Symbol(role="loss", name="huber_loss", line=3, parameters=("y_true", "y_pred")),
            Symbol(role="step", name="train_step", line=9, parameters=("model",)),
        ),
        **fields,
    )
    check = CheckSpec(title="training", points=6)
    part = PartSpec(title="Training", kind="training", file="training.py", checks={"loss": check})
    return JUDGES[f"training.{name}"](
        JudgeInput(
            part_id="training",
            part=part,
            check=check,
            part_settings=TrainingSettings(delta=delta),
            settings=None,
            evidence=evidence,
        )
    )


def run(loss: Loss, slope: Loss | None, delta: float = 1.0) -> tuple[FunctionTrial, ...]:
    """What a probe would have recorded of this loss: single precision, as TensorFlow computes."""
    trials = []
    for case in loss_cases(41, delta):
        error = case.arguments["y_pred"] - case.arguments["y_true"]
        with np.errstate(all="ignore"):
            value = loss(error)
            gradient = None if slope is None else np.float32(slope(error))
        trials.append(
            FunctionTrial(
                label=case.label,
                arguments={name: ArrayRecord.of(a) for name, a in case.arguments.items()},
                result=None if value is None else ArrayRecord.of(np.float32(value)),
                result_type=type(value).__name__,
                gradient=None if gradient is None else ArrayRecord.of(gradient),
                gradient_missing=gradient is None,
            )
        )
    return tuple(trials)


def graded(loss: Loss, slope: Loss | None, delta: float = 1.0) -> Verdict:
    return judge("loss", loss=run(loss, slope, delta), delta=delta)


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


def where_small(small, large, delta=1.0):
    return lambda e: np.where(np.abs(e) <= delta, small(e), large(e))


HUBER = where_small(lambda e: e**2 / 2, lambda e: np.abs(e) - 0.5)


def clipped(e):
    return np.clip(e, -1, 1)


def mean(form):
    return lambda e: np.mean(form(e))


def averaged(slope):
    return lambda e: slope(e) / e.size


# --- the loss -----------------------------------------------------------------------------------


def test_the_huber_loss_gets_everything():
    assert graded(mean(HUBER), averaged(clipped)) == Verdict(outcome=Outcome.PASSED, fraction=1.0)


@pytest.mark.parametrize("delta", [0.4, 2.5])
def test_delta_is_the_one_of_the_assignment(delta):
    def loss(e):
        size = np.abs(e)
        return np.mean(np.where(size <= delta, e**2 / 2, delta * (size - delta / 2)))

    def slope(e):
        return np.clip(e, -delta, delta) / e.size

    assert graded(loss, slope, delta).fraction == 1.0
    wrong = graded(mean(HUBER), averaged(clipped), delta)
    assert codes(wrong) == [LossCode.OTHER_DELTA]
    assert "δ = 1 " in (wrong.findings[0].received or "")
    assert SLIP_CREDIT <= wrong.fraction < 0.8


def test_one_number_in_an_array_is_one_number():
    verdict = graded(lambda e: np.mean(HUBER(e)).reshape(1, 1), averaged(clipped))
    assert verdict.outcome is Outcome.PASSED


MISTAKES: dict[str, tuple[list[LossCode], Loss, Loss]] = {
    "a sum": ([LossCode.SUMMED], lambda e: HUBER(e).sum(), clipped),
    "a sum over each row": (
        [LossCode.SUMMED],
        lambda e: HUBER(e).sum(axis=-1).mean(),
        lambda e: clipped(e) / math.prod(e.shape[:-1]),
    ),
    "twice": (
        [LossCode.FACTOR], lambda e: 2 * np.mean(HUBER(e)), lambda e: 2 * clipped(e) / e.size,
    ),
    "no half inside": (
        [LossCode.FACTOR],
        mean(where_small(np.square, lambda e: np.abs(e) - 0.5)),
        averaged(where_small(lambda e: 2 * e, np.sign)),
    ),
    "squared": ([LossCode.SQUARED_ERROR], mean(np.square), averaged(lambda e: 2 * e)),
    "half squared": ([LossCode.SQUARED_ERROR], mean(lambda e: e**2 / 2), averaged(lambda e: e)),
    "absolute": ([LossCode.ABSOLUTE_ERROR], mean(np.abs), averaged(np.sign)),
    "no offset": (
        [LossCode.OFFSET], mean(where_small(lambda e: e**2 / 2, np.abs)), averaged(clipped),
    ),
    "signed": (
        [LossCode.SIGN],
        mean(lambda e: np.where(-e <= 1, e**2 / 2, -e - 0.5)),
        averaged(lambda e: np.maximum(e, -1)),
    ),
    "exchanged": (
        [LossCode.BRANCHES],
        mean(where_small(lambda e: np.abs(e) - 0.5, lambda e: e**2 / 2)),
        averaged(where_small(np.sign, lambda e: e)),
    ),
    "pseudo-Huber": (
        [LossCode.SMOOTH],
        mean(lambda e: np.sqrt(1 + e.astype(float) ** 2) - 1),
        averaged(lambda e: e / np.sqrt(1 + e.astype(float) ** 2)),
    ),
    "log-cosh": (
        [LossCode.SMOOTH],
        mean(lambda e: np.logaddexp(e, -e) - np.log(2)), averaged(np.tanh),
    ),
    "another delta": (
        [LossCode.OTHER_DELTA],
        lambda e: huber_loss(np.zeros(e.shape), e, 2.0), lambda e: np.clip(e, -2, 2) / e.size,
    ),
    "the sum of squares": (
        [LossCode.SUMMED, LossCode.SQUARED_ERROR], lambda e: np.sum(e**2), lambda e: 2 * e,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "loss", "slope"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_known_mistake_is_named_once_and_its_gradient_is_no_second_mistake(expected, loss, slope):
    verdict = graded(loss, slope)
    assert codes(verdict) == expected
    assert verdict.fraction < 0.7
    for finding in verdict.findings:
        assert finding.where == "training.py:3"
        assert finding.received is not None
        assert "case “" in finding.received
        assert finding.try_


@pytest.mark.parametrize(
    ("loss", "slope", "name"),
    [
        (HUBER, clipped, "one loss for each element"),
        (lambda e: HUBER(e).mean(axis=-1), lambda e: clipped(e) / e.shape[-1], "mean of each row"),
    ],
)
def test_a_vector_with_the_right_mean_gets_half(loss, slope, name):
    verdict = graded(loss, slope)
    assert codes(verdict) == [LossCode.NOT_SCALAR]
    assert name in (verdict.findings[0].received or "")
    # Cases of one element or one dimension may be right in full.
    assert 0.5 <= verdict.fraction < 0.7
    assert verdict.outcome is Outcome.PARTIAL


@pytest.mark.parametrize("name", ["sum", "factor"])
def test_one_slip_that_explains_everything_costs_at_most_half(name):
    losses = {
        "sum": (lambda e: HUBER(e).sum(), clipped),
        "factor": (lambda e: 2 * HUBER(e).mean(), averaged(lambda e: 2 * clipped(e))),
    }
    loss, slope = losses[name]
    assert graded(loss, slope).fraction == SLIP_CREDIT
    # A gradient that does not follow from the value is a mistake of its own.
    assert graded(loss, averaged(lambda e: -clipped(e))).fraction < SLIP_CREDIT
    assert graded(loss, None).fraction < SLIP_CREDIT


def test_another_loss_is_no_slip():
    assert graded(lambda e: np.mean(e**2), averaged(lambda e: 2 * e)).fraction < 0.1


def test_a_vector_of_row_sums_gets_less_than_one_of_row_means():
    sums = graded(lambda e: HUBER(e).sum(axis=-1), clipped)
    assert codes(sums) == [LossCode.NOT_SCALAR]
    assert sums.fraction < 0.25


def test_a_constant_earns_nothing_although_one_case_is_zero():
    verdict = graded(lambda _: 0.0, lambda e: np.zeros(e.shape))
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [LossCode.WRONG_VALUES]


def test_values_that_nothing_explains_are_shown():
    verdict = graded(lambda e: 1 + np.mean(HUBER(e)), averaged(clipped))
    assert LossCode.WRONG_VALUES in codes(verdict)
    assert LossCode.WRONG_GRADIENT not in codes(verdict)
    # The gradient is right, and so is a million and one within the tolerance of a million.
    assert 1 / 3 <= verdict.fraction < 0.5


def test_a_loss_that_cannot_be_differentiated_keeps_the_points_for_its_values():
    verdict = graded(mean(HUBER), None)
    assert codes(verdict) == [LossCode.NOT_DIFFERENTIABLE]
    assert verdict.fraction == pytest.approx(2 / 3)


def test_a_gradient_that_is_nan_where_the_error_is_zero_is_named_with_its_case():
    def slope(e):
        return e / np.abs(e) * np.minimum(np.abs(e), 1) / e.size

    verdict = graded(mean(HUBER), slope)
    assert codes(verdict) == [LossCode.GRADIENT_NOT_FINITE]
    assert "“no error at all”" in (verdict.findings[0].received or "")
    assert 0.9 < verdict.fraction < 1


def test_a_wrong_gradient_of_a_right_value_is_named():
    verdict = graded(mean(HUBER), averaged(lambda e: -clipped(e)))
    assert codes(verdict) == [LossCode.WRONG_GRADIENT]
    assert 2 / 3 <= verdict.fraction < 0.75


def test_nan_at_huge_errors_is_named_with_its_case():
    verdict = graded(
        lambda e: np.nan if np.max(np.abs(e)) > 1e5 else np.mean(HUBER(e)), averaged(clipped)
    )
    assert codes(verdict) == [LossCode.NOT_FINITE]
    assert "“errors of a million”" in (verdict.findings[0].received or "")


def test_no_number_is_named_once():
    verdict = graded(lambda _: None, None)
    assert (verdict.fraction, codes(verdict)) == (0.0, [LossCode.NOT_A_NUMBER])


def test_an_error_costs_its_cases():
    trials = list(run(mean(HUBER), averaged(clipped)))
    trials[3] = FunctionTrial(
        label=trials[3].label, arguments=trials[3].arguments, incident=raised("the loss")
    )
    verdict = judge("loss", loss=tuple(trials))
    assert codes(verdict) == ["GR108"]
    assert verdict.fraction == pytest.approx(1 - 1 / len(trials))


def test_a_case_without_its_arguments_is_our_fault():
    with pytest.raises(GraderFault, match="empty one"):
        judge("loss", loss=(FunctionTrial(label="empty one", arguments={}),))


def test_no_delta_fits_a_value_that_is_too_large():
    error = np.array([0.5, 3.0])
    assert fitted_delta(error, 100.0) is None
    assert fitted_delta(error, 0.0) is None
    assert fitted_delta(error, huber_loss(np.zeros(2), error, 0.8)) == pytest.approx(0.8)


# --- interface ----------------------------------------------------------------------------------


def raised(what: str, error_type: str = "ValueError") -> Incident:
    return Incident(
        kind=IncidentKind.RAISED, stage=f"calling {what}", error_type=error_type, message="no",
        frames=(Frame(file="training.py", line=4, function="huber_loss"),),
    )  # fmt: skip


SLOW = Incident(
    kind=IncidentKind.LIMIT, stage="calling", limit=LimitName.CALL_WALL, limit_value="60 s"
)
FAULT = Incident(kind=IncidentKind.FAULT, stage="calling")


def ended(incident: Incident) -> dict[str, Any]:
    losses = tuple(trial.model_copy(update={"incident": incident}) for trial in right_loss())
    return {
        "loss": losses,
        "steps": (StepTrial(label="sgd", optimizer="sgd", incident=incident),),
    }


def right_loss() -> tuple[FunctionTrial, ...]:
    return run(mean(HUBER), averaged(clipped))


def step(**fields: Any) -> StepTrial:
    """A right step, changed by what is given."""
    distances = {
        "huber_mean": 2e-9, "unchanged": 0.0125, "mean_squared_error": 0.08,
        "mean_absolute_error": 0.0027, "huber_sum": 1.2, "two_steps": 0.0124, "ascent": 0.025,
    }  # fmt: skip
    known = {
        "label": "one step with SGD", "optimizer": "sgd",
        "returned": 1.3005, "returned_type": "float",
        "loss_before": 1.3005, "loss_after": 1.2717,
        "held_out_before": 1.4042, "held_out_after": 1.3785, "scale": 0.0125,
    }  # fmt: skip
    return StepTrial(**(known | fields | {"distances": distances | fields.get("distances", {})}))


def test_an_interface_that_answers_passes():
    assert judge("interface", loss=right_loss(), steps=(step(),)).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("incident", "outcome", "code"),
    [
        (raised("the loss"), Outcome.FAILED, "GR108"),
        (raised("the loss", "SignatureMismatch"), Outcome.FAILED, "GR107"),
        (SLOW, Outcome.INVALID, "GR201"),
        (FAULT, Outcome.FAULT, "GR401"),
    ],
)
def test_an_interface_that_never_answers_does_not_pass(incident, outcome, code):
    verdict = judge("interface", **ended(incident))
    assert (verdict.outcome, verdict.fraction) == (outcome, 0.0)
    assert set(codes(verdict)) == {code}


def test_an_error_in_one_function_is_told_by_its_own_check_and_the_other_is_judged():
    broken = StepTrial(label="sgd", optimizer="sgd", incident=raised("the training step"))
    evidence = {"loss": right_loss(), "steps": (broken,)}
    assert judge("interface", **evidence).outcome is Outcome.PASSED
    assert judge("loss", **evidence).fraction == 1.0
    verdict = judge("step", **evidence)
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR108"])
    assert judge("interface", loss=right_loss(), steps=(broken, step())).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("incident", "outcome"),
    [(raised("the step", "SignatureMismatch"), Outcome.FAILED), (SLOW, Outcome.INVALID)],
)
def test_a_step_that_cannot_be_called_or_does_not_end_has_no_interface(incident, outcome):
    broken = StepTrial(label="sgd", optimizer="sgd", incident=incident)
    assert judge("interface", loss=right_loss(), steps=(broken,)).outcome is outcome


@pytest.mark.parametrize("check", ["interface", "loss", "step"])
def test_nothing_tried_is_a_fault_and_never_a_pass(check):
    assert judge(check).outcome is Outcome.FAULT


@pytest.mark.parametrize("check", ["loss", "step"])
@pytest.mark.parametrize(
    ("incident", "outcome"),
    [(raised("it"), Outcome.FAILED), (SLOW, Outcome.INVALID), (FAULT, Outcome.FAULT)],
)
def test_a_check_without_one_answer_earns_nothing(check, incident, outcome):
    verdict = judge(check, **ended(incident))
    assert (verdict.outcome, verdict.fraction) == (outcome, 0.0)


@pytest.mark.parametrize("check", ["interface", "loss", "step"])
@pytest.mark.parametrize("role", ["loss", "step"])
def test_a_missing_function_fails(check, role):
    missing = Unresolved(role=role, accepted=("f",), available=())
    verdict = judge(check, unresolved=(missing,))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR105"])


# --- the step -----------------------------------------------------------------------------------


def test_a_right_step_gets_everything_and_is_shown():
    verdict = judge("step", steps=(step(), step(label="one step with Adam", optimizer="adam")))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PASSED, 1.0)
    assert codes(verdict) == [StepCode.MEASURED]
    note = verdict.findings[0]
    assert note.severity is Severity.NOTE
    assert note.claim == (
        "One step works: the loss goes from 1.30 to 1.27 on the batch, and from 1.40 to 1.38 on "
        "data your code never saw."
    )
    assert note.received is None


def test_rounding_is_no_mistake_and_more_is_one():
    assert judge("step", steps=(step(distances={"huber_mean": 1.2e-5}),)).fraction == 1.0
    assert judge("step", steps=(step(distances={"huber_mean": 1.4e-5}),)).fraction < 1.0


@pytest.mark.parametrize(
    ("name", "code", "share"),
    [
        ("unchanged", StepCode.UNCHANGED, 0.0),
        ("mean_squared_error", StepCode.SQUARED_ERROR_STEP, 0.25),
        ("mean_absolute_error", StepCode.ABSOLUTE_ERROR_STEP, 0.25),
        ("huber_sum", StepCode.SUMMED_STEP, 0.5),
        ("two_steps", StepCode.TWO_STEPS, 0.5),
        ("ascent", StepCode.ASCENT, 0.0),
        ("none of these", StepCode.OTHER_STEP, 0.0),
    ],
)
def test_a_known_wrong_step_is_named(name, code, share):
    wrong = step(distances={"huber_mean": 0.01, name: 1e-9})
    verdict = judge("step", steps=(wrong, wrong.model_copy(update={"label": "again"})))
    assert codes(verdict) == [code]
    assert verdict.fraction == pytest.approx(0.75 * share + 0.25)
    assert "also “again”" in (verdict.findings[0].received or "")
    assert verdict.findings[0].where == "training.py:9"


def test_what_follows_from_another_loss_is_told_with_it():
    wrong = step(distances={"huber_mean": 0.07, "mean_squared_error": 1e-9}, returned=4.5)
    verdict = judge("step", steps=(wrong,))
    assert codes(verdict) == [StepCode.SQUARED_ERROR_STEP]
    assert "4.50 was returned" in (verdict.findings[0].received or "")
    assert verdict.fraction == pytest.approx(0.75 * 0.25)


def squared_loss() -> tuple[FunctionTrial, ...]:
    return run(lambda e: np.mean(e**2), averaged(lambda e: 2 * e))


def factor_loss() -> tuple[FunctionTrial, ...]:
    return run(
        lambda e: np.mean(np.where(np.abs(e) <= 1, e**2, np.abs(e) - 0.5)),
        averaged(lambda e: np.where(np.abs(e) <= 1, 2 * e, np.sign(e))),
    )


def test_a_step_that_follows_a_wrong_loss_is_no_second_mistake():
    wrong = step(distances={"huber_mean": 0.07, "mean_squared_error": 1e-9}, returned=4.5)
    verdict = judge("step", loss=squared_loss(), steps=(wrong,))
    assert codes(verdict) == [StepCode.SQUARED_ERROR_STEP]
    assert verdict.fraction == FOLLOWED_CREDIT
    finding = verdict.findings[0]
    assert finding.claim.endswith("as your `huber_loss` does.")
    assert (finding.try_ or "").startswith("Mend `huber_loss`")

    silent = wrong.model_copy(update={"returned": None, "returned_type": "NoneType"})
    verdict = judge("step", loss=squared_loss(), steps=(silent,))
    assert codes(verdict) == [StepCode.SQUARED_ERROR_STEP, StepCode.NOTHING_RETURNED]
    assert verdict.fraction == pytest.approx(FOLLOWED_CREDIT * 0.75)


def test_a_step_on_another_loss_than_the_wrong_one_follows_nothing():
    wrong = step(distances={"huber_mean": 0.07, "mean_absolute_error": 1e-9}, returned=0.9)
    verdict = judge("step", loss=squared_loss(), steps=(wrong,))
    assert verdict.fraction == pytest.approx(0.75 * 0.25)
    assert "huber_loss(targets" in (verdict.findings[0].try_ or "")
    # Nor does a step that is none of those measured, where the loss is one of them.
    unknown = step(distances={"huber_mean": 0.01}, returned=0.9)
    assert judge("step", loss=squared_loss(), steps=(unknown,)).fraction == 0.0


def test_a_step_that_may_follow_a_wrong_loss_keeps_half_if_the_loss_becomes_smaller():
    wrong = step(distances={"huber_mean": 0.003}, returned=1.38)
    verdict = judge("step", loss=factor_loss(), steps=(wrong,))
    assert (codes(verdict), verdict.fraction) == ([StepCode.OTHER_STEP], UNKNOWN_LOSS_CREDIT)
    assert (verdict.findings[0].try_ or "").startswith("Mend `huber_loss` first")

    for change in ({"loss_after": 1.31}, {"held_out_after": 1.41}):
        uphill = wrong.model_copy(update=change)
        assert judge("step", loss=factor_loss(), steps=(uphill,)).fraction == 0.0
    assert judge("step", loss=right_loss(), steps=(wrong,)).fraction == 0.0


def test_a_wrong_loss_does_not_excuse_weights_that_did_not_learn():
    for name in ("unchanged", "ascent"):
        lost = step(distances={"huber_mean": 0.01, name: 1e-9}, returned=4.5)
        assert judge("step", loss=squared_loss(), steps=(lost,)).fraction == 0.0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"returned": None, "returned_type": "NoneType"}, StepCode.NOTHING_RETURNED),
        ({"returned": 1.2717}, StepCode.RETURNED_AFTER),
        ({"returned": 7.0}, StepCode.RETURNED_OTHER),
        ({"returned": math.nan}, StepCode.RETURNED_OTHER),
        ({"returned": 1.3005 * 96}, StepCode.RETURNED_OTHER),
    ],
)
def test_a_wrong_return_value_costs_a_quarter(fields, code):
    verdict = judge("step", steps=(step(**fields),))
    assert codes(verdict) == [code, StepCode.MEASURED]
    assert (verdict.outcome, verdict.fraction) == (Outcome.PARTIAL, 0.75)
    assert verdict.findings[0].expected == "1.3005, the mean Huber loss before the step"
    summed = "summed over all elements" in (verdict.findings[0].received or "")
    assert summed == (fields["returned"] == 1.3005 * 96)


def test_a_returned_loss_may_be_off_by_rounding():
    assert judge("step", steps=(step(returned=1.3005 * (1 + 5e-5)),)).fraction == 1.0


def test_weights_that_are_not_finite_are_named():
    lost = StepTrial(
        label="sgd", optimizer="sgd", returned=1.3, returned_type="float",
        loss_before=1.3, held_out_before=1.4, scale=0.01,
    )  # fmt: skip
    verdict = judge("step", steps=(lost,))
    assert (codes(verdict), verdict.fraction) == ([StepCode.NOT_FINITE], 0.25)


def test_an_error_in_one_step_costs_that_step():
    broken = StepTrial(label="adam", optimizer="adam", incident=raised("the training step"))
    verdict = judge("step", steps=(step(), broken))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PARTIAL, 0.5)
    assert codes(verdict) == ["GR108", StepCode.MEASURED]


@pytest.mark.parametrize("fields", [{"scale": None}, {"scale": 0.0}, {"loss_before": None}])
def test_a_step_that_was_not_measured_is_our_fault(fields):
    with pytest.raises(GraderFault, match="measured"):
        judge("step", steps=(step(**fields),))


def test_a_step_that_was_not_compared_is_our_fault():
    uncompared = step().model_copy(update={"distances": {}})
    with pytest.raises(GraderFault, match="compared"):
        judge("step", steps=(uncompared,))


@pytest.mark.parametrize("code", [*LossCode, *StepCode])
def test_every_code_is_explained(code):
    assert code in catalogue()
