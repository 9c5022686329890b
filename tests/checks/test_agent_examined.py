"""Judges of what was tried with an agent beside playing, on records."""

from __future__ import annotations

from typing import Any

import pytest

from grader.assignments.registry import JudgeInput, check_kinds
from grader.checks.agent_beside import training_problems
from grader.checks.invalid_actions import counted_returns
from grader.records.agent_evidence import AgentEvidence, Episode
from grader.records.agent_examination import (
    ActionsTrial,
    AgentExamination,
    AgentLearnsSettings,
    LearningCurve,
    LearningPoint,
    NetworkTrial,
    ShiftedTrial,
    StepTimeTrial,
    TrialEpisode,
)
from grader.records.agent_settings import AgentSettings, InvalidActionRule
from grader.records.evidence import Symbol
from grader.records.incident import Incident, IncidentKind
from grader.records.result import Outcome, Verdict
from grader.records.spec import CheckSpec, EpisodeSet, Isolation, PartSpec

SEEDS = (1, 2, 3, 4)
RAISED = Incident(
    kind=IncidentKind.RAISED, stage="calling act (step 3)", error_type="ValueError", message="no"
)
FAULT = Incident(kind=IncidentKind.FAULT, stage="calling act", message="the server is gone")
CHECKS = (
    "observes", "uses_network", "stateless", "step_time", "generalises", "learns",
)  # fmt: skip


def episodes(*returns: float) -> tuple[Episode, ...]:
    return tuple(
        Episode(seed=seed, actions=(0, 1), rewards=(value, 0.0), episode_return=value)
        for seed, value in zip(SEEDS, returns, strict=False)
    )


def played(*returns: float, **last: Any) -> tuple[TrialEpisode, ...]:
    made = [TrialEpisode(seed=s, episode_return=r) for s, r in zip(SEEDS, returns, strict=False)]
    return (*made[:-1], made[-1].model_copy(update=last))


def judge(
    name: str, tried: AgentExamination | None, seen: tuple[Episode, ...] | None = None,
    settings: Any = None,
) -> Verdict:  # fmt: skip
    kind = check_kinds("agent")[f"agent.{name}"]
    check = CheckSpec(title="title", points=10)
    evidence = AgentEvidence(
        part="agent", file="agent.py", isolation=Isolation.PROCESS, action_space="Discrete(2)",
        symbols=(Symbol(role="act", name="act", line=12, parameters=("observation",)),),
        episodes=episodes(100, 100, 90, 110) if seen is None else seen, examination=tried,
    )  # fmt: skip
    if settings is None:
        settings = AgentLearnsSettings(gain=20.0) if name == "learns" else kind.settings()
    return kind.judge(
        JudgeInput(
            part_id="agent",
            part=PartSpec(title="title", kind="agent", file="agent.py", checks={name: check}),
            check=check,
            part_settings=AgentSettings(environment_id="CartPole-v1"),
            settings=settings,
            evidence=evidence,
        )
    )


def trial(changed: int, **fields: Any) -> ActionsTrial:
    return ActionsTrial(label="something else", compared=200, changed=changed, **fields)


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


@pytest.mark.parametrize("name", CHECKS)
def test_what_was_never_tried_is_the_graders_fault(name: str) -> None:
    assert judge(name, None).outcome is Outcome.FAULT
    assert judge(name, AgentExamination()).outcome is Outcome.FAULT


@pytest.mark.parametrize("name", CHECKS)
def test_without_a_single_action_nothing_could_be_tried(name: str) -> None:
    broken = Episode(seed=1, actions=(), rewards=(), episode_return=0.0, incident=RAISED)
    verdict = judge(name, None, (broken,))
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, ["GR108"])
    wrong = Episode(seed=1, actions=(), rewards=(), episode_return=0.0, invalid_action="7 (int)")
    assert codes(judge(name, AgentExamination(), (wrong,))) == ["AG101"]


@pytest.mark.parametrize(
    ("changed", "outcome", "found"),
    [
        ((100, 0, 3), Outcome.PASSED, []),
        ((4, 0), Outcome.PASSED, []),
        ((2, 0), Outcome.PARTIAL, ["AG501"]),
        ((0, 0), Outcome.FAILED, ["AG501"]),
    ],
)
def test_observes(changed: tuple[int, ...], outcome: Outcome, found: list[str]) -> None:
    tried = AgentExamination(observations=tuple(map(trial, changed)))
    verdict = judge("observes", tried)
    assert (verdict.outcome, codes(verdict)) == (outcome, found)


def test_an_error_in_a_trial_decides_only_where_no_other_trial_does() -> None:
    """An agent may well refuse observations that its game never shows."""
    broken = ActionsTrial(label="mirrored", incident=RAISED)
    assert judge("observes", AgentExamination(observations=(trial(50), broken))).fraction == 1
    verdict = judge("observes", AgentExamination(observations=(trial(0), broken)))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR108"])
    broken = ActionsTrial(label="mirrored", incident=FAULT)
    tried = AgentExamination(observations=(trial(0), broken))
    assert judge("observes", tried).outcome is Outcome.FAULT


@pytest.mark.parametrize(
    ("unchanged", "changed", "outcome", "found"),
    [
        (0, (0, 80, 3), Outcome.PASSED, []),
        (0, (0, 0, 0), Outcome.FAILED, ["AG512"]),
        (0, (0, 2, 0), Outcome.PARTIAL, ["AG512"]),
        (90, (91, 90, 89), Outcome.PARTIAL, ["AG512"]),
        (90, (80, 90, 85), Outcome.FAILED, ["AG512"]),
    ],
)
def test_uses_network(
    unchanged: int, changed: tuple[int, ...], outcome: Outcome, found: list[str]
) -> None:
    """What changes without other weights is chance, and counts for nothing."""
    network = NetworkTrial(
        networks=("agent.model",), unchanged=trial(unchanged), trials=tuple(map(trial, changed))
    )
    verdict = judge("uses_network", AgentExamination(network=network))
    assert (verdict.outcome, codes(verdict)) == (outcome, found)


def test_an_agent_without_a_network_does_not_use_one() -> None:
    verdict = judge("uses_network", AgentExamination(network=NetworkTrial()))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["AG511"])
    broken = AgentExamination(network=NetworkTrial(networks=("agent.model",), incident=RAISED))
    assert codes(judge("uses_network", broken)) == ["GR108"]


def test_stateless() -> None:
    assert judge("stateless", AgentExamination(memory=(trial(0),))).outcome is Outcome.PASSED
    verdict = judge("stateless", AgentExamination(memory=(trial(1),)))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["AG801"])


@pytest.mark.parametrize(
    ("at_most", "fraction", "found"),
    [(0.1, 1.0, []), (1.0, 1.0, []), (2.0, 0.5, ["AG401"]), (5.0, 0.0, ["AG401"]),
     (1000.0, 0.0, ["AG401"])],
)  # fmt: skip
def test_step_time(at_most: float, fraction: float, found: list[str]) -> None:
    timed = StepTimeTrial(limit_ms=4.0, at_most=at_most, steps=200, warm_up=20)
    verdict = judge("step_time", AgentExamination(step_time=timed))
    assert (verdict.fraction, codes(verdict)) == (fraction, found)


@pytest.mark.parametrize(
    ("returns", "fraction", "found"),
    [
        ((100.0, 90.0, 90.0, 100.0), 1.0, []),
        ((60.0, 60.0, 50.0, 70.0), pytest.approx(0.5 / 0.8), ["AG601"]),
        ((20.0, 20.0, 10.0, 20.0), 0.0, ["AG601"]),
    ],
)
def test_generalises(returns: tuple[float, ...], fraction: float, found: list[str]) -> None:
    shifted = ShiftedTrial(
        title="the pole is tilted", episodes=played(*returns), random_returns=(20.0,) * 4
    )
    verdict = judge("generalises", AgentExamination(shifted=(shifted,)))
    assert (verdict.fraction, codes(verdict)) == (fraction, found)


def test_who_plays_like_chance_keeps_nothing() -> None:
    shifted = ShiftedTrial(
        title="elsewhere", episodes=played(9, 9, 9, 9), random_returns=(200.0,) * 4
    )
    verdict = judge("generalises", AgentExamination(shifted=(shifted,)))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["AG602"])
    broken = shifted.model_copy(update={"episodes": played(9, 9, 9, 9, incident=RAISED)})
    assert codes(judge("generalises", AgentExamination(shifted=(broken,)))) == ["GR108"]


@pytest.mark.parametrize(
    ("after", "fraction", "found"),
    [
        ((40.0, 50.0, 45.0, 60.0), 1.0, []),
        ((20.0, 21.0, 19.0, 20.0), pytest.approx(0.5), ["AG703"]),
        ((10.0, 10.0, 10.0, 90.0), 0.0, ["AG702"]),
        ((5.0, 6.0, 7.0, 5.0), 0.0, ["AG702"]),
    ],
)
def test_learns(after: tuple[float, ...], fraction: float, found: list[str]) -> None:
    """A rise that one lucky episode explains is none."""
    points = (
        LearningPoint(steps=0, episodes=played(10, 10, 10, 10)),
        LearningPoint(steps=500, episodes=played(*after)),
    )
    verdict = judge("learns", AgentExamination(learning=LearningCurve(points=points)))
    assert (verdict.fraction, codes(verdict)) == (fraction, found)


def test_training_that_is_missing_or_ends_badly() -> None:
    missing = LearningCurve(unresolved=("DQNAgent", "act"), accepted=("train", "learn"))
    verdict = judge("learns", AgentExamination(learning=missing))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["AG701"])
    broken = LearningCurve(
        points=(LearningPoint(steps=0, episodes=played(1, 2, 3, 4)),), incident=RAISED
    )
    assert codes(judge("learns", AgentExamination(learning=broken))) == ["GR108"]


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"environment_id": "CartPole-v1"}, []),
        ({"environment_id": "CartPole-v1", "wrappers": [{"wrapper": "FlattenObservation"}]},
         [("wrappers",)]),
        ({"environment_id": "ALE/Pong-v5", "protocol": "mnih_2015"},
         [("protocol",), ("environment_id",)]),
        ({"environment_id": "VizdoomBasic-v1"}, [("environment_id",)]),
        ({}, []),
    ],
)  # fmt: skip
def test_training_is_asked_for_only_where_the_worker_can_make_the_environment(
    settings: dict[str, Any], wrong: list[tuple[str]]
) -> None:
    asked = {**settings, "learning_steps": 100}
    assert [problem.path for problem in training_problems(asked)] == wrong
    assert training_problems(settings) == []


# --- what an episode counts with ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "counted"),
    [
        (InvalidActionRule.END, (50.0, 30.0, 4.0)),
        (InvalidActionRule.RANDOM, (50.0, 20.0, 4.0)),
        (InvalidActionRule.NOTHING, (50.0, 8.0, 4.0)),
    ],
)
def test_what_an_action_outside_the_space_costs(
    rule: InvalidActionRule, counted: tuple[float, ...]
) -> None:
    references = EpisodeSet(
        seeds=(1, 2, 3), random_returns=(10.0, 20.0, 8.0), dqn_returns=(90.0, 90.0, 90.0)
    )
    whole, wrong, short = episodes(50.0, 30.0, 4.0)
    wrong = wrong.model_copy(update={"invalid_action": "9 (int)"})
    short = short.model_copy(update={"invalid_action": "9 (int)"})
    assert counted_returns((whole, wrong, short), references, rule) == counted


@pytest.mark.parametrize("rule", InvalidActionRule)
def test_where_rewards_are_negative_stopping_early_never_pays(rule: InvalidActionRule) -> None:
    references = EpisodeSet(
        seeds=(1, 2), random_returns=(-200.0, -150.0), dqn_returns=(-90.0, -90.0)
    )
    raised, invalid = episodes(-3.0, -2.0)
    raised = raised.model_copy(update={"incident": RAISED})
    invalid = invalid.model_copy(update={"invalid_action": "9 (int)"})
    lowest = -200.0 if rule is InvalidActionRule.NOTHING else -150.0
    assert counted_returns((raised, invalid), references, rule) == (-200.0, lowest)
