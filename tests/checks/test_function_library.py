"""Every reference beside what students write for it: right in several styles, wrong in known ways.

The functions are called here as a worker would call them; what is judged is the recorded trials.
"""

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

from grader.assignments.registry import JudgeInput
from grader.checks.function import CHECKS, LIBRARY
from grader.probes.value_cases import function_cases
from grader.probes.values import as_array, recorded_arguments
from grader.records.evidence import FunctionEvidence, FunctionTrial
from grader.records.function_settings import FUNCTIONS, FunctionSettings, ValuesSettings
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Outcome, Verdict
from grader.records.spec import CheckSpec, Isolation, PartSpec

VALUES = next(kind.judge for kind in CHECKS if kind.id == "function.values")
CASED = sorted(LIBRARY)


def judged(reference: str, trials: tuple[FunctionTrial, ...], **constants: float) -> Verdict:
    check = CheckSpec(title="values", points=8)
    part = PartSpec(title="Part", kind="function", file="work.py", checks={"values": check})
    evidence = FunctionEvidence(
        part="part", file="work.py", isolation=Isolation.PROCESS, trials=trials
    )
    return VALUES(
        JudgeInput(
            part_id="part", part=part, check=check,
            part_settings=FunctionSettings(reference=reference, constants=constants),
            settings=ValuesSettings(), evidence=evidence,
        )
    )  # fmt: skip


def written(reference: str, source: str, **constants: float) -> Verdict:
    """The verdict on the function `f` of a file."""
    space: dict[str, Any] = {"np": np}
    exec(source if source.startswith("def") else f"f = {source}", space)
    function = space["f"]
    taken = inspect.signature(function).parameters
    trials = []
    for case in function_cases(reference, 31, FunctionSettings(
            reference=reference, constants=constants).fixed()):  # fmt: skip
        given = {name: value for name, value in case.arguments.items() if name in taken}
        fields: dict[str, Any] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                value = function(**given)
            fields = {"result": as_array(value), "result_type": type(value).__name__}
        except (ArithmeticError, IndexError, TypeError, ValueError) as error:
            fields["incident"] = Incident(
                kind=IncidentKind.RAISED, stage=f"calling the function ({case.label})",
                error_type=type(error).__name__, message="no",
            )  # fmt: skip
        trials.append(FunctionTrial(label=case.label, arguments=recorded_arguments(case), **fields))
    return judged(reference, tuple(trials), **constants)


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


RIGHT = [
    ("bellman_target",
     "lambda rewards, next_q_values, dones, gamma:"
     " rewards + gamma * next_q_values.max(axis=1) * (1 - dones)"),
    ("bellman_target",
     "lambda rewards, next_q_values, dones, gamma:"
     " np.where(dones, rewards, rewards + gamma * np.amax(next_q_values, -1))"),
    ("bellman_target",
     "lambda rewards, next_q_values, dones, gamma:"
     " [r if d else r + gamma * max(q) for r, q, d in zip(rewards, next_q_values, dones)]"),
    ("double_dqn_target",
     "lambda rewards, next_q_online, next_q_target, dones, gamma: rewards + (1 - dones) * gamma *"
     " next_q_target[np.arange(len(dones)), next_q_online.argmax(1)]"),
    ("td_error",
     "lambda q_values, actions, rewards, next_q_values, dones, gamma: rewards + ~dones * gamma *"
     " next_q_values.max(1) - np.take_along_axis(q_values, actions[:, None], 1)[:, 0]"),
    ("discounted_returns",
     "lambda rewards, gamma: [sum(gamma**k * r for k, r in enumerate(rewards[t:]))"
     " for t in range(len(rewards))]"),
    ("epsilon_schedule",
     "lambda step, start, end, decay_steps:"
     " max(end, start - (start - end) * step / decay_steps)"),
    ("epsilon_schedule",
     "lambda step, start, end, decay_steps:"
     " float(np.interp(step, [0, decay_steps], [start, end]))"),
    ("relu", "lambda x: np.maximum(x, 0)"),
    ("relu", "lambda x: x * (x > 0)"),
    ("leaky_relu", "lambda x, alpha: np.where(x > 0, x, alpha * x)"),
    ("elu", "lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))"),
    ("gelu", "lambda x: np.vectorize(lambda v: v * 0.5 * (1 + __import__('math').erf(v / 2**0.5)))"
     "(x.astype(float))"),
    ("softplus", "lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))"),
    ("sigmoid", "lambda x: 0.5 * (1 + np.tanh(x / 2))"),
    ("tanh", "lambda x: np.tanh(x)"),
    ("softmax", "def f(x):\n p = np.exp(x - np.max(x, axis=-1, keepdims=True))\n"
     " return p / p.sum(axis=-1, keepdims=True)"),
    ("huber", "lambda error, delta: np.where(abs(error) <= delta, 0.5 * error**2,"
     " delta * (abs(error) - 0.5 * delta))"),
    ("one_hot", "lambda labels, num_classes: np.eye(num_classes, dtype=int)[labels]"),
    ("max_pooling_2d", "lambda image, pool_size, stride: np.array([[image[i:i + pool_size,"
     " j:j + pool_size].max() for j in range(0, image.shape[1] - pool_size + 1, stride)]"
     " for i in range(0, image.shape[0] - pool_size + 1, stride)])"),
]  # fmt: skip

TARGET = "lambda rewards, next_q_values, dones, gamma: "
DOUBLE = "lambda rewards, next_q_online, next_q_target, dones, gamma: "
TD = "lambda q_values, actions, rewards, next_q_values, dones, gamma: "
RETURNS = "lambda rewards, gamma: "
SCHEDULE = "lambda step, start, end, decay_steps: "
POOL = (
    "lambda image, pool_size, stride: np.array([[image[i:i + pool_size, j:j + pool_size].{0}()"
    " for j in range(0, image.shape[1] - pool_size + 1, {1})]"
    " for i in range(0, image.shape[0] - pool_size + 1, {1})])"
)
WRONG = [
    ("bellman_target", TARGET + "rewards + gamma * next_q_values.max(1)", "FN201", 0.5),
    ("bellman_target", TARGET + "rewards + gamma * next_q_values.max(1) * dones", "FN202", 0.5),
    ("bellman_target",
     TARGET + "(rewards + gamma * next_q_values.max(1)) * (1 - dones)", "FN203", 0.5),
    ("bellman_target",
     TARGET + "(rewards + gamma * next_q_values.max(1)) * (1 - dones) - dones", "FN203", 0.5),
    ("bellman_target", TARGET + "rewards + gamma * next_q_values.max() * (1 - dones)",
     "FN204", 0.5),
    ("bellman_target", TARGET + "rewards + gamma * next_q_values.max(0) * (1 - dones)", "FN204", 0),
    ("bellman_target", TARGET + "rewards + next_q_values.max(1) * (1 - dones)", "FN205", 0.5),
    ("bellman_target", TARGET + "gamma * next_q_values.max(1) * (1 - dones)", "FN206", 0.5),
    ("bellman_target",
     TARGET + "rewards + gamma * next_q_values.argmax(1) * (1 - dones)", "FN207", 0.5),
    ("bellman_target", TARGET + "rewards + gamma * next_q_values.mean(1) * (1 - dones)",
     "FN208", 0),
    ("bellman_target",
     TARGET + "rewards[:, None] + gamma * next_q_values.max(1, keepdims=True)"
     " * (1 - dones)[:, None]", "FN209", 0.5),
    ("bellman_target",
     TARGET + "rewards + gamma * next_q_values.max(1, keepdims=True) * (1 - dones)", "FN209", 0.5),
    ("double_dqn_target", DOUBLE + "rewards + gamma * next_q_target.max(1) * (1 - dones)",
     "FN210", 0.5),
    ("double_dqn_target", DOUBLE + "rewards + gamma * (1 - dones) *"
     " next_q_online[np.arange(len(dones)), next_q_target.argmax(1)]", "FN211", 0.5),
    ("double_dqn_target", DOUBLE + "rewards + gamma *"
     " next_q_target[np.arange(len(dones)), next_q_online.argmax(1)]", "FN201", 0.5),
    ("td_error", TD + "q_values[np.arange(len(dones)), actions] - rewards"
     " - gamma * next_q_values.max(1) * (1 - dones)", "FN212", 0.5),
    ("td_error", TD + "np.abs(rewards + gamma * next_q_values.max(1) * (1 - dones)"
     " - q_values[np.arange(len(dones)), actions])", "FN213", 0.5),
    ("td_error", TD + "rewards + gamma * next_q_values.max(1) * (1 - dones) - q_values.max(1)",
     "FN214", 0.5),
    ("td_error", TD + "rewards + gamma * next_q_values.max(1)"
     " - q_values[np.arange(len(dones)), actions]", "FN201", 0.5),
    ("discounted_returns", RETURNS + "np.cumsum(rewards)", "FN215", 0),
    ("discounted_returns", RETURNS + "np.cumsum((gamma**np.arange(len(rewards)) * rewards)[::-1])"
     "[::-1]", "FN216", 0.5),
    ("discounted_returns", RETURNS + "np.cumsum(rewards[::-1])[::-1]", "FN205", 0.5),
    ("discounted_returns", RETURNS + "[sum(gamma**k * r for k, r in enumerate(rewards[t + 1:]))"
     " for t in range(len(rewards))]", "FN217", 0.5),
    ("discounted_returns", RETURNS + "sum(gamma**k * r for k, r in enumerate(rewards))",
     "FN218", 0.5),
    ("discounted_returns",
     "def f(rewards, gamma):\n g, out = 0.0, []\n for r in rewards[::-1]:\n"
     "  g = r + gamma * g\n  out.insert(0, g)\n out = np.array(out)\n"
     " return (out - out.mean()) / (out.std() + 1e-8)", "FN219", 0.5),
    ("epsilon_schedule", SCHEDULE + "start - (start - end) * step / decay_steps", "FN221", 0.5),
    ("epsilon_schedule", SCHEDULE + "max(0, start - start * step / decay_steps)", "FN222", 0.5),
    ("epsilon_schedule", SCHEDULE + "max(end, start - (start - end) * (step + 1) / decay_steps)",
     "FN223", 0.5),
    ("epsilon_schedule", SCHEDULE + "min(start, end + (start - end) * step / decay_steps)",
     "FN224", 0.5),
    ("epsilon_schedule", SCHEDULE + "max(end, start * (end / start)**(step / decay_steps))",
     "FN225", 0),
    ("epsilon_schedule", SCHEDULE + "start", "FN226", 0),
    ("epsilon_schedule", SCHEDULE + "max(end, start - (start - end) * (step // decay_steps))",
     "FN226", 0.5),
    ("sigmoid", "lambda x: np.exp(x) / (1 + np.exp(x))", "FN241", 0.5),
    ("softplus", "lambda x: np.log(1 + np.exp(x))", "FN241", 0.5),
    ("softmax", "lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)", "FN241", 0.5),
    ("softmax", "lambda x: np.exp(x - x.max(-1, keepdims=True))", "FN242", 0.5),
    ("softmax", "lambda x: x / x.sum(-1, keepdims=True)", "FN242", 0),
    ("softmax", "def f(x):\n p = np.exp(x - x.max())\n return p / p.sum(axis=0)", "FN243", 0),
    ("softmax", "def f(x):\n p = np.exp(x - x.max())\n return p / p.sum()", "FN243", 0.5),
    ("relu", "lambda x: np.abs(x)", "FN244", 0.5),
    ("relu", "lambda x: np.where(x > 0, x, 0.01 * x)", "FN245", 0.5),
    ("relu", "lambda x: np.minimum(x, 0)", "FN245", 0.5),
    ("leaky_relu", "lambda x, alpha: np.maximum(x, 0)", "FN245", 0.5),
    ("leaky_relu", "lambda x: np.where(x > 0, x, 0.01 * x)", "FN245", 0.5),
    ("elu", "lambda x, alpha: np.where(x > 0, x, alpha * x)", "FN245", 0.5),
    ("elu", "lambda x, alpha: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))", "FN245", 0.5),
    ("gelu", "lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))",
     "FN246", 0.5),
    ("sigmoid", "lambda x: np.tanh(x)", "FN247", 0),
    ("tanh", "lambda x: 0.5 * (1 + np.tanh(x / 2))", "FN247", 0),
    ("one_hot", "lambda labels, num_classes: np.eye(num_classes)[labels - 1]", "FN261", 0.5),
    ("one_hot", "lambda labels: np.eye(labels.max() + 1)[labels]", "FN262", 0.5),
    ("one_hot", "lambda labels, num_classes: np.eye(num_classes)[labels].T", "FN108", 0.5),
    ("max_pooling_2d", POOL.format("mean", "stride"), "FN263", 0.5),
    ("max_pooling_2d", POOL.format("min", "stride"), "FN264", 0.5),
    ("max_pooling_2d", POOL.format("max", "pool_size"), "FN265", 0.5),
    ("max_pooling_2d", POOL.format("max", "1"), "FN105", 0.5),
    ("max_pooling_2d", "lambda image, pool_size, stride: np.array([[image[i:i + pool_size,"
     " j:j + pool_size].max()"
     " for j in range(0, max(image.shape[1] - pool_size, 0) + stride, stride)"
     " if j < image.shape[1]]"
     " for i in range(0, max(image.shape[0] - pool_size, 0) + stride, stride)"
     " if i < image.shape[0]])", "FN266", 0),
    ("huber", "lambda error, delta: error**2 / 2", "TR104", 0.5),
    ("huber", "lambda error, delta: np.where(abs(error) <= delta, error**2 / 2,"
     " delta * abs(error))", "TR107", 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "source"), RIGHT, ids=lambda value: value[:20])
def test_right_functions_pass(reference, source):
    verdict = written(reference, source)
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


def test_every_reference_has_a_function_that_passes_and_one_that_fails():
    assert {name for name, _ in RIGHT} | {"cross_correlation_2d"} == set(CASED)
    assert {name for name, *_ in WRONG} | {"cross_correlation_2d"} == set(CASED)
    assert {*CASED, "epsilon_greedy"} == set(FUNCTIONS)


@pytest.mark.parametrize(("reference", "source", "code", "least"), WRONG)
def test_typical_mistakes_are_named(reference, source, code, least):
    verdict = written(reference, source)
    assert code in codes(verdict), verdict.findings
    assert verdict.outcome in {Outcome.FAILED, Outcome.PARTIAL}
    assert least <= verdict.fraction < 1


@pytest.mark.parametrize(("reference", "source", "code", "least"), WRONG)
def test_one_mistake_is_told_once_and_nothing_else_with_it(reference, source, code, least):
    told = [finding.code for finding in written(reference, source).findings]
    general = {"GR108", "FN120", "FN121", "FN266"}  # an index beyond the end, say
    assert told.count(code) == 1
    if least == 0.5:
        assert set(told) == {code}
    assert set(told) - {code} <= general | {"FN226", "FN205", "FN247", "FN241"}


@pytest.mark.parametrize("reference", CASED)
def test_a_function_that_returns_nothing_is_told_so(reference):
    verdict = written(reference, "lambda: None")
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, {"FN123"})


@pytest.mark.parametrize("reference", CASED)
def test_a_function_that_is_right_by_no_known_mistake_is_wrong(reference):
    verdict = written(reference, "lambda: np.array([[3.25, -17.5]])")
    assert verdict.outcome is Outcome.FAILED
    assert codes(verdict) <= {"FN120", "FN121"}


def test_two_mistakes_at_once_are_both_named():
    source = TARGET + "rewards + next_q_values.max(1)"
    assert codes(written("bellman_target", source)) == {"FN201", "FN205"}


def test_a_constant_that_is_built_in_is_right_only_where_the_assignment_fixes_it():
    source = (
        "lambda rewards, next_q_values, dones: rewards + 0.99 * next_q_values.max(1) * (1 - dones)"
    )
    assert written("bellman_target", source, gamma=0.99).outcome is Outcome.PASSED
    assert written("bellman_target", source).outcome is not Outcome.PASSED
    assert written("softmax", RIGHT[16][1].replace("-1", "0"), axis=0).outcome is Outcome.PASSED


@pytest.mark.parametrize("reference", [name for name in CASED if name != "cross_correlation_2d"])
def test_cases_depend_on_the_seed_alone_and_have_names_of_their_own(reference):
    first, again = (function_cases(reference, 5, {}) for _ in range(2))
    labels = [case.label for case in first]
    assert len(set(labels)) == len(labels)
    for one, two in zip(first, again, strict=True):
        assert list(one.arguments) == list(two.arguments)
        assert all(np.array_equal(one.arguments[k], two.arguments[k]) for k in one.arguments)
        assert set(one.arguments) <= set(FUNCTIONS[reference].arguments)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"reference": "bellman_target", "arguments": {"done": "d"}}, "no argument 'done'"),
        ({"reference": "bellman_target", "constants": {"delta": 1}}, "no constant 'delta'"),
        ({"reference": "bellman_target", "constants": {"gamma": 1.5}}, "from 0 to 1"),
        ({"reference": "epsilon_schedule", "constants": {"decay_steps": 2.5}}, "whole number"),
        ({"reference": "epsilon_schedule", "constants": {"start": 0.1, "end": 0.5}}, "falls"),
    ],
)
def test_settings_that_do_not_fit_the_reference_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        FunctionSettings.parse(settings)
