"""Judges of a `function` part: can it be called, and does it compute what it must?"""

from __future__ import annotations

from typing import Final

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.activation_forms import ACTIVATIONS
from grader.checks.array_forms import HUBER, MAX_POOLING, ONE_HOT
from grader.checks.choices import choice_verdict
from grader.checks.convolution import CONVOLUTION
from grader.checks.function_codes import FunctionCode
from grader.checks.function_findings import warnings_of, wrong_findings
from grader.checks.function_reference import Answer, FunctionReference
from grader.checks.interface import graded, interface_verdict, passed
from grader.checks.pictures import function_exhibits
from grader.checks.schedule_forms import SCHEDULE
from grader.checks.target_forms import BELLMAN, DOUBLE, RETURNS, TD_ERROR
from grader.checks.trials import (
    fault_verdict,
    incident_findings,
    matches,
    uncalled_verdict,
    worst,
)
from grader.errors import GraderFault
from grader.records.arrays import ArrayRecord
from grader.records.evidence import FunctionEvidence, FunctionTrial
from grader.records.function_settings import FunctionSettings, ValuesSettings
from grader.records.result import Verdict

ROLE: Final = "function"
SLIP_CREDIT: Final = 0.5
"""Least share of the points when all that is wrong is one known slip."""

LIBRARY: Final[dict[str, FunctionReference]] = {
    "cross_correlation_2d": CONVOLUTION,
    "max_pooling_2d": MAX_POOLING,
    "one_hot": ONE_HOT,
    **ACTIVATIONS,
    "huber": HUBER,
    "discounted_returns": RETURNS,
    "bellman_target": BELLMAN,
    "double_dqn_target": DOUBLE,
    "td_error": TD_ERROR,
    "epsilon_schedule": SCHEDULE,
}
"""References whose values are compared case by case."""


def judge_interface(given: JudgeInput) -> Verdict:
    """Whether the function is there and answers at least one call."""
    evidence: FunctionEvidence = given.evidence
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    outcomes = [(trial.label, trial.incident) for trial in evidence.trials]
    return uncalled_verdict(outcomes, f"`{evidence.file}`", evidence.place(ROLE)) or passed()


def judge_values(given: JudgeInput) -> Verdict:
    """Whether the values are those of the reference; the share of the cases that are.

    One known slip that explains all that is wrong costs at most half: a flipped kernel makes nearly
    every case wrong, and is one line.

    Raises:
        GraderFault: a recorded case does not fit the reference; the author of the cases must act.
    """
    evidence: FunctionEvidence = given.evidence
    settings: ValuesSettings = given.settings
    wanted: FunctionSettings = given.part_settings
    missing = interface_verdict(evidence)
    if missing is not None:
        return missing
    outcomes = [(trial.label, trial.incident) for trial in evidence.trials]
    fault = fault_verdict(outcomes, f"`{evidence.file}`")
    if fault is not None:
        return fault
    where = evidence.place(ROLE)
    if wanted.reference not in LIBRARY:
        return choice_verdict(evidence.trials, settings.false_alarm, where)
    reference = LIBRARY[wanted.reference]
    answers = [_answer(trial, reference, settings) for trial in evidence.trials]
    wrong = reference.pattern(answers, where) or (
        *wrong_findings(answers, reference, settings, where),
        *incident_findings(outcomes, where),
    )
    share = sum(answer.right for answer in answers) / len(answers)
    if len(wrong) == 1 and wrong[0].code in _slips(reference):
        share = max(share, SLIP_CREDIT)
    verdict = graded(share, (*wrong, *warnings_of(answers, reference, where)))
    shown = {"outcome": worst(verdict.outcome, outcomes), "exhibits": function_exhibits(evidence)}
    return verdict.model_copy(update=shown)


def _slips(reference: FunctionReference) -> frozenset[str]:
    """Codes of mistakes that leave the idea intact, alone."""
    told = reference.told.values()
    grave = {str(each.code) for each in told if not each.is_slip}
    return frozenset({FunctionCode.SQUARE_ONLY, *(str(each.code) for each in told)} - grave)


def _answer(trial: FunctionTrial, reference: FunctionReference, settings: ValuesSettings) -> Answer:
    arguments = {
        name: value.array() if isinstance(value, ArrayRecord) else value
        for name, value in trial.arguments.items()
    }
    try:
        expected = reference.compute(**arguments)
    except (TypeError, ValueError, IndexError) as error:
        raise GraderFault(f"case {trial.label!r} does not fit the reference: {error}") from error
    received = trial.result.array() if trial.result is not None else None
    right = (
        trial.incident is None
        and received is not None
        and received.dtype.kind in "iuf"
        and matches(received, expected, settings.absolute_tolerance, settings.relative_tolerance)
    )
    return Answer(trial, arguments, expected, received, right)


CHECKS: Final = (
    CheckKind(
        id="function.interface", settings=NoSettings, judge=judge_interface,
        description="The function is defined and can be called.",
    ),
    CheckKind(
        id="function.values", settings=ValuesSettings, judge=judge_values,
        description="The share of cases, edge cases included, where it gives the reference's "
        "values within a tolerance; one known slip alone costs at most half. A function that "
        "draws at random is judged by exact tests of what it draws.",
    ),
)  # fmt: skip
