"""Evidence of good, poor and broken game-playing agents, and what the judges make of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from grader.assignments.registry import CheckKind, JudgeInput
from grader.checks.agent import CHECKS
from grader.records.agent_evidence import AgentEvidence, Episode, ReplayTrial
from grader.records.agent_settings import AgentSettings, PerformanceSettings
from grader.records.evidence import Symbol, Unresolved
from grader.records.incident import Frame, Incident, IncidentKind, LimitName
from grader.records.report import SeedSet
from grader.records.result import EpisodeReturns, Outcome, Verdict
from grader.records.spec import CheckSpec, EpisodeSet, Isolation, PartBaseline, PartSpec

KINDS: dict[str, CheckKind] = {kind.id: kind for kind in CHECKS}
SEEDS = tuple(range(100, 120))
RANDOM = tuple(12.0 + seed % 7 * 4 for seed in SEEDS)
DQN = tuple(480.0 + seed % 3 * 10 for seed in SEEDS)
BASELINE = PartBaseline(
    environment_id="CartPole-v1",
    public=EpisodeSet(seeds=(1, 2), random_returns=(20.0, 30.0), dqn_returns=(500.0, 490.0)),
    final=EpisodeSet(seeds=SEEDS, random_returns=RANDOM, dqn_returns=DQN),
)
RAISED = Incident(
    kind=IncidentKind.RAISED,
    stage="calling act (step 3)",
    error_type="ValueError",
    message="shapes do not fit",
    frames=(Frame(file="agent.py", line=31, function="act"),),
)
LIMIT = Incident(
    kind=IncidentKind.LIMIT,
    stage="calling act (step 9)",
    limit=LimitName.PART_WALL,
    limit_value="600 s",
)
EXITED = Incident(kind=IncidentKind.EXITED, stage="calling act (step 9)")
PROTOCOL = Incident(kind=IncidentKind.PROTOCOL, stage="calling act (step 9)")
FAULT = Incident(kind=IncidentKind.FAULT, stage="calling act", message="the fork server is gone")


def episode(seed: int, episode_return: float, **fields: Any) -> Episode:
    steps = int(abs(episode_return))
    reward = 1.0 if episode_return >= 0 else -1.0
    return Episode(
        seed=seed,
        actions=tuple(step % 2 for step in range(steps)),
        rewards=(reward,) * steps,
        episode_return=float(episode_return),
        **fields,
    )


def episodes(*returns: float, **fields: Any) -> tuple[Episode, ...]:
    return tuple(episode(seed, value, **fields) for seed, value in zip(SEEDS, returns, strict=True))


def evidence(
    played: tuple[Episode, ...], replays: tuple[ReplayTrial, ...] = (), **fields: Any
) -> AgentEvidence:
    data: dict[str, Any] = {
        "part": "agent",
        "file": "agent.py",
        "isolation": Isolation.PROCESS,
        "environment_id": "CartPole-v1",
        "seed_set": SeedSet.FINAL,
        "symbols": (Symbol(role="act", name="act", line=12, parameters=("observation",)),),
        "episodes": played,
        "replays": replays,
    }
    return AgentEvidence(**(data | fields))


def judge(
    name: str,
    seen: AgentEvidence,
    baseline: PartBaseline | None = BASELINE,
    settings: PerformanceSettings | None = None,
) -> Verdict:
    kind = KINDS[f"agent.{name}"]
    check = CheckSpec(title="title", points=18)
    return kind.judge(
        JudgeInput(
            part_id="agent",
            part=PartSpec(title="title", kind="agent", file="agent.py", checks={name: check}),
            check=check,
            part_settings=AgentSettings(environment_id="CartPole-v1"),
            settings=settings or kind.settings(),
            evidence=seen,
            baseline=baseline,
        )
    )


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


def shown(verdict: Verdict) -> EpisodeReturns:
    (exhibit,) = verdict.exhibits
    assert isinstance(exhibit, EpisodeReturns)
    return exhibit


# --- interface ----------------------------------------------------------------------------------


def test_an_agent_that_takes_an_action_has_the_interface() -> None:
    assert judge("interface", evidence(episodes(*DQN))).outcome is Outcome.PASSED


def test_an_error_later_in_the_episode_is_not_the_interfaces() -> None:
    played = (episode(100, 3, incident=RAISED), *episodes(*DQN)[1:])
    assert judge("interface", evidence(played)).outcome is Outcome.PASSED


def test_an_error_before_any_action_is() -> None:
    verdict = judge("interface", evidence((episode(100, 0, incident=RAISED),)))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR108"])


def test_what_is_missing_or_cannot_be_made_is_told() -> None:
    missing = Unresolved(role="act", accepted=("act",), available=("Act",))
    assert codes(judge("interface", evidence((), unresolved=(missing,)))) == ["GR105"]
    verdict = judge("interface", evidence((), construction=LIMIT))
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, ["GR203"])


@pytest.mark.parametrize("check", ["performance", "deterministic"])
def test_what_cannot_be_made_is_no_fault_of_the_other_checks(check: str) -> None:
    """They may stand without the requirement that skips them."""
    assert judge(check, evidence((), construction=LIMIT)).outcome is Outcome.INVALID
    missing = Unresolved(role="act", accepted=("act",), available=("Act",))
    assert judge(check, evidence((), unresolved=(missing,))).outcome is Outcome.FAILED


def test_no_episode_at_all_is_the_graders_fault() -> None:
    assert judge("interface", evidence(())).outcome is Outcome.FAULT
    assert judge("performance", evidence(())).outcome is Outcome.FAULT
    assert judge("deterministic", evidence(())).outcome is Outcome.FAULT


# --- performance --------------------------------------------------------------------------------


def test_the_reference_itself_gets_full_marks_and_is_shown_beside_both() -> None:
    verdict = judge("performance", evidence(episodes(*DQN)))
    assert (verdict.outcome, verdict.fraction, verdict.findings) == (Outcome.PASSED, 1.0, ())
    exhibit = shown(verdict)
    assert (exhibit.student, exhibit.random, exhibit.dqn) == (DQN, RANDOM, DQN)
    assert exhibit.normalized_score == 1.0
    assert (exhibit.normalized_low, exhibit.normalized_high) == (1.0, 1.0)


def test_the_random_agent_gets_nothing() -> None:
    verdict = judge("performance", evidence(episodes(*RANDOM)))
    assert (verdict.outcome, verdict.fraction, codes(verdict)) == (Outcome.FAILED, 0.0, ["AG201"])


def test_an_agent_worse_than_random_gets_nothing_either() -> None:
    verdict = judge("performance", evidence(episodes(*(9.0 for _ in SEEDS))))
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert shown(verdict).normalized_score < 0


def between(share: float) -> tuple[float, ...]:
    return tuple(r + share * (d - r) for r, d in zip(RANDOM, DQN, strict=True))


def performance_of(share: float, **settings: Any) -> Verdict:
    played = tuple(
        Episode(seed=seed, actions=(0, 1), rewards=(1.0, value - 1), episode_return=value)
        for seed, value in zip(SEEDS, between(share), strict=True)
    )
    return judge("performance", evidence(played), settings=PerformanceSettings(**settings))


@pytest.mark.parametrize(("share", "fraction"), [(0.95, 1.0), (0.475, 0.5), (0.19, 0.2)])
def test_points_are_linear_up_to_full_marks(share: float, fraction: float) -> None:
    assert performance_of(share + 1e-12).fraction == pytest.approx(fraction)


def test_where_the_line_begins_and_ends_is_a_setting() -> None:
    verdict = performance_of(0.6, no_marks_at=0.2, full_marks_at=1.0)
    assert verdict.fraction == pytest.approx(0.5)
    assert performance_of(0.1, no_marks_at=0.2).fraction == 0.0
    with pytest.raises(ValidationError, match="above no_marks_at"):
        PerformanceSettings(no_marks_at=0.95)


def test_how_far_it_is_and_the_worst_episodes_are_told() -> None:
    returns = list(DQN)
    returns[4], returns[7], returns[9] = 10.0, 100.0, 60.0
    verdict = judge("performance", evidence(episodes(*returns)))
    assert verdict.outcome is Outcome.PARTIAL
    (finding,) = verdict.findings
    assert finding.code == "AG202"
    worst = finding.received.partition("worst: ")[2]
    assert [part.split()[1] for part in worst.split(", ")] == ["104", "109", "107"]
    assert "0.95" in finding.expected
    assert finding.where == "agent.py:12"


def test_the_interval_is_the_same_every_time_and_holds_the_score() -> None:
    returns = [value / (1 + index % 3) for index, value in enumerate(DQN)]
    first = shown(judge("performance", evidence(episodes(*returns))))
    assert first == shown(judge("performance", evidence(episodes(*returns))))
    assert first.normalized_low < first.normalized_score < first.normalized_high


def test_an_agent_that_never_changes_its_action_is_told_so() -> None:
    played = tuple(
        Episode(seed=seed, actions=(0,) * 9, rewards=(1.0,) * 9, episode_return=9.0)
        for seed in SEEDS
    )
    assert codes(judge("performance", evidence(played))) == ["AG102", "AG201"]


def test_public_seeds_are_compared_with_the_public_baseline() -> None:
    played = (episode(1, 500), episode(2, 490))
    verdict = judge("performance", evidence(played, seed_set=SeedSet.PUBLIC))
    assert verdict.outcome is Outcome.PASSED
    assert shown(verdict).seeds == (1, 2)


def test_a_baseline_that_is_missing_or_does_not_fit_withholds_the_mark() -> None:
    good = evidence(episodes(*DQN))
    equal = EpisodeSet(seeds=SEEDS, random_returns=DQN, dqn_returns=DQN)
    elsewhere = BASELINE.model_copy(update={"environment_id": "Acrobot-v1"})
    without_gap = BASELINE.model_copy(update={"final": equal})
    public = evidence(episodes(*DQN), seed_set=SeedSet.PUBLIC)
    reordered = evidence(tuple(reversed(episodes(*DQN))))
    for verdict in (
        judge("performance", good, baseline=None),
        judge("performance", good, baseline=elsewhere),
        judge("performance", good, baseline=without_gap),
        judge("performance", public),
        judge("performance", reordered),
        judge("performance", evidence(episodes(*DQN)[:19])),
    ):
        assert (verdict.outcome, verdict.fraction) == (Outcome.FAULT, 0.0)
        assert codes(verdict) == ["GR401"]
        assert "baseline" in verdict.findings[0].received


def test_an_episode_that_the_step_limit_ended_counts_like_any_other() -> None:
    verdict = judge("performance", evidence(episodes(*DQN, truncated=True)))
    assert verdict.outcome is Outcome.PASSED


def test_an_error_ends_its_episode_and_is_told_once_with_its_episodes() -> None:
    played = tuple(
        episode(seed, 3, incident=RAISED) if seed < 104 else episode(seed, 500) for seed in SEEDS
    )
    verdict = judge("performance", evidence(played))
    assert verdict.outcome is Outcome.PARTIAL
    assert codes(verdict) == ["GR108", "AG202"]
    assert shown(verdict).student[:5] == (3.0, 3.0, 3.0, 3.0, 500.0)
    finding = verdict.findings[0]
    assert finding.where == "agent.py:31"
    assert "seed 100, step 3" in finding.received


def test_an_error_in_every_episode_fails() -> None:
    verdict = judge("performance", evidence(episodes(*(400.0 for _ in SEEDS), incident=RAISED)))
    assert (verdict.outcome, verdict.fraction, codes(verdict)) == (Outcome.FAILED, 0.0, ["GR108"])


def test_an_action_outside_the_space_is_told_with_step_and_seed() -> None:
    played = (
        *episodes(*DQN)[:18],
        episode(118, 7, invalid_action="[0.1, 0.9]"),
        episode(119, 2, invalid_action="[0.3, 0.7]"),
    )
    verdict = judge("performance", evidence(played, action_space="Discrete(2)"))
    assert codes(verdict) == ["AG101", "AG202"]
    finding = verdict.findings[0]
    assert finding.received == "[0.1, 0.9] (seed 118, step 7; so end 1 more episode)"
    assert finding.expected == "an element of Discrete(2)"


def test_wrong_actions_that_repeat_are_no_second_cause() -> None:
    played = tuple(
        Episode(
            seed=seed, actions=(1,) * 9, rewards=(1.0,) * 9, episode_return=9.0,
            invalid_action="2 (int)",
        )
        for seed in SEEDS
    )  # fmt: skip
    verdict = judge("performance", evidence(played))
    assert codes(verdict) == ["AG101", "AG201"]
    assert verdict.findings[1].try_ == "Mend what is told above first."


def test_a_limit_without_a_line_is_told_at_the_method() -> None:
    played = (*episodes(*DQN)[:5], episode(105, 80, incident=LIMIT))
    assert judge("performance", evidence(played)).findings[0].where == "agent.py:12"


PENALTIES = PartBaseline(
    environment_id="CartPole-v1",
    public=BASELINE.public,
    final=EpisodeSet(seeds=SEEDS, random_returns=(-200.0,) * 20, dqn_returns=(-100.0,) * 20),
)


@pytest.mark.parametrize("early", [{"incident": RAISED}, {"invalid_action": "None"}])
def test_stopping_early_does_not_escape_negative_rewards(early: dict[str, Any]) -> None:
    # Ended after one step, an episode of −1 a step would beat every agent that plays on.
    played = (
        *(episode(seed, -1, **early) for seed in SEEDS[:19]),
        episode(SEEDS[19], -200),
    )
    verdict = judge("performance", evidence(played), baseline=PENALTIES)
    assert verdict.fraction == 0.0
    assert shown(verdict).student == (-200.0,) * 20


def test_an_honest_agent_with_negative_returns_is_scored_as_usual() -> None:
    verdict = judge("performance", evidence(episodes(*(-150.0 for _ in SEEDS))), baseline=PENALTIES)
    assert verdict.fraction == pytest.approx(0.5 / 0.95)


@pytest.mark.parametrize("incident", [LIMIT, EXITED, PROTOCOL])
def test_what_keeps_the_agent_from_being_judged_is_invalid(incident: Incident) -> None:
    # The part ends with such an incident, so fewer episodes than seeds are no fault then.
    played = (*episodes(*DQN)[:5], episode(105, 80, incident=incident))
    verdict = judge("performance", evidence(played))
    assert (verdict.outcome, verdict.fraction) == (Outcome.INVALID, 0.0)
    assert len(verdict.findings) == 1


def test_a_fault_in_any_episode_withholds_the_mark() -> None:
    played = (episode(100, 3, incident=RAISED), episode(101, 5, incident=FAULT))
    verdict = judge("performance", evidence(played))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAULT, ["GR401"])


# --- deterministic ------------------------------------------------------------------------------


def replayed(*trials: ReplayTrial) -> Verdict:
    return judge("deterministic", evidence(episodes(*DQN), trials))


def test_the_same_actions_pass() -> None:
    verdict = replayed(ReplayTrial(seed=100, compared=480), ReplayTrial(seed=101, compared=490))
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


def test_a_different_action_fails_and_is_shown() -> None:
    other = ReplayTrial(seed=101, compared=490, difference=17, first_action="0", second_action="1")
    verdict = replayed(ReplayTrial(seed=100, compared=480), other)
    assert (verdict.outcome, verdict.fraction, codes(verdict)) == (Outcome.FAILED, 0.0, ["AG301"])
    (finding,) = verdict.findings
    assert "step 17" in finding.received
    assert "seed 101" in finding.received
    assert "1 of 2" in finding.received


@pytest.mark.parametrize(
    ("incident", "outcome"),
    [(RAISED, Outcome.FAILED), (LIMIT, Outcome.INVALID), (FAULT, Outcome.FAULT)],
)
def test_an_incident_while_replaying_decides_the_outcome(
    incident: Incident, outcome: Outcome
) -> None:
    verdict = replayed(
        ReplayTrial(seed=100, compared=480), ReplayTrial(seed=101, compared=0, incident=incident)
    )
    assert (verdict.outcome, verdict.fraction) == (outcome, 0.0)


def test_a_difference_that_was_seen_outweighs_a_limit_afterwards() -> None:
    different = ReplayTrial(seed=100, compared=9, difference=0, first_action="0", second_action="1")
    verdict = replayed(different, ReplayTrial(seed=101, compared=0, incident=LIMIT))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR203", "AG301"])


def test_a_replay_without_actions_or_no_replay_is_the_graders_fault() -> None:
    assert replayed(ReplayTrial(seed=100, compared=0)).outcome is Outcome.FAULT
    assert replayed().outcome is Outcome.FAULT


def test_an_agent_without_a_single_valid_action_cannot_be_compared() -> None:
    played = tuple(episode(seed, 0, invalid_action="None") for seed in SEEDS)
    verdict = judge("deterministic", evidence(played))
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, ["AG101"])
