"""ε-greedy functions, judged from the actions that they drew."""

import numpy as np
import pytest

from grader.checks.choices import ChoiceCode, choice_verdict
from grader.probes.choices import _questions
from grader.records.arrays import ArrayRecord
from grader.records.evidence import FunctionTrial
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.result import Outcome

FALSE_ALARM = 5e-5


def trials(choose, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(
        FunctionTrial(
            label=label,
            arguments={"q_values": ArrayRecord.of(values), "epsilon": epsilon},
            result=ArrayRecord.of(np.array([choose(values, epsilon, rng) for _ in range(count)])),
            result_type="int",
        )
        for label, values, epsilon, count in _questions(31)
    )


def honest(values, epsilon, rng):
    if rng.random() < epsilon:
        return int(rng.integers(len(values)))
    return int(np.argmax(values))


def judged(choose, seed=0, false_alarm=FALSE_ALARM):
    return choice_verdict(trials(choose, seed), false_alarm, "work.py:3")


@pytest.mark.parametrize("seed", range(6))
def test_an_honest_function_passes_whatever_it_draws(seed):
    verdict = judged(honest, seed)
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


def test_the_false_alarm_is_kept_where_it_is_large_enough_to_be_counted():
    alarms = sum(judged(honest, seed, 0.04).outcome is not Outcome.PASSED for seed in range(20))
    assert alarms <= 4


@pytest.mark.parametrize(
    "ties", [lambda best, _: int(best[0]), lambda best, _: int(best[-1]),
             lambda best, rng: int(rng.choice(best))],
)  # fmt: skip
def test_of_several_best_actions_any_may_be_taken(ties):
    def choose(values, epsilon, rng):
        if rng.random() < epsilon:
            return int(rng.integers(len(values)))
        return ties(np.flatnonzero(values == values.max()), rng)

    assert judged(choose).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("choose", "code"),
    [
        (lambda q, _, __: int(np.argmax(q)), ChoiceCode.NEVER_EXPLORES),
        (lambda q, e, rng: honest(q, 1 - e, rng), ChoiceCode.EXPLORES_INVERTED),
        (lambda q, e, rng: honest(-q, e, rng), ChoiceCode.ARGMIN),
        (lambda q, e, rng: honest(q, min(1.0, 1.5 * e), rng), ChoiceCode.GREEDY_SHARE),
        (lambda q, _, rng: honest(q, 1.0, rng), ChoiceCode.ALWAYS_RANDOM),
        (lambda q, e, _: honest(q, e, np.random.default_rng(1)), ChoiceCode.GREEDY_SHARE),
        (lambda q, e, rng: honest(q, e, rng) + len(q), ChoiceCode.NO_ACTION),
        (lambda q, e, rng: float(honest(q, e, rng)), ChoiceCode.NO_ACTION),
    ],
)
def test_mistakes_are_named(choose, code):
    verdict = judged(choose)
    assert verdict.outcome in {Outcome.PARTIAL, Outcome.FAILED}
    assert verdict.findings[0].code == code


@pytest.mark.parametrize(
    "choose", [lambda q, _, __: int(np.argmax(q)), lambda q, _, rng: int(rng.integers(len(q)))]
)
def test_one_of_three_tasks_earns_a_third(choose):
    assert judged(choose).fraction == pytest.approx(1 / 3)


def test_exploration_that_goes_round_in_circles_is_uneven():
    counter = iter(range(10**6))

    def choose(values, epsilon, rng):
        return next(counter) % len(values) if rng.random() < epsilon else int(np.argmax(values))

    assert {finding.code for finding in judged(choose).findings} == {ChoiceCode.UNEVEN}


def test_a_limit_leaves_open_what_the_function_would_have_done():
    end = Incident(kind=IncidentKind.LIMIT, stage="calling the function", message="slow",
                   limit=LimitName.CALL_CPU)  # fmt: skip
    ended = [trial.model_copy(update={"incident": end, "result": None}) for trial in trials(honest)]
    verdict = choice_verdict(tuple(ended), FALSE_ALARM, "work.py")
    assert (verdict.outcome, verdict.fraction) == (Outcome.INVALID, 0.0)
