"""Points by every rule, results too close to a bar, and episodes that cannot be counted in full."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from grader.assignments.registry import JudgeInput
from grader.checks.performance import judge_performance
from grader.records.agent_evidence import AgentEvidence, Episode
from grader.records.agent_settings import AgentSettings, PerformanceSettings
from grader.records.environments import PlayedEnvironment
from grader.records.report import SeedSet
from grader.records.result import EpisodeReturns, Outcome, Verdict
from grader.records.spec import CheckSpec, EpisodeSet, Isolation, PartBaseline, PartSpec

SEEDS = tuple(range(20))
RANDOM = (0.0,) * 20
DQN = (100.0,) * 20
CHECK = CheckSpec(title="title", points=18)
PART = PartSpec(title="title", kind="agent", file="agent.py", checks={"performance": CHECK})
ENVIRONMENT = PlayedEnvironment(environment_id="CartPole-v1")


def judge(
    returns: tuple[float, ...],
    *,
    random: tuple[float, ...] = RANDOM,
    dqn: tuple[float, ...] = DQN,
    environment: PlayedEnvironment | None = ENVIRONMENT,
    endings: dict[int, dict[str, Any]] | None = None,
    **settings: Any,
) -> Verdict:
    count = len(returns)
    episodes = tuple(
        Episode(
            seed=seed, actions=(0, 1), rewards=(value / 2, value / 2), episode_return=value,
            **(endings or {}).get(seed, {}),
        )
        for seed, value in enumerate(returns)
    )  # fmt: skip
    empty = EpisodeSet(seeds=(), random_returns=(), dqn_returns=())
    return judge_performance(
        JudgeInput(
            part_id="agent", part=PART, check=CHECK,
            part_settings=AgentSettings(environment_id="CartPole-v1"),
            settings=PerformanceSettings.parse({"bootstrap_samples": 1000, **settings}),
            evidence=AgentEvidence(
                part="agent", file="agent.py", isolation=Isolation.PROCESS,
                environment_id="CartPole-v1", seed_set=SeedSet.FINAL, episodes=episodes,
                versions={"gymnasium": "1.4.0"},
            ),
            baseline=PartBaseline(
                environment_id="CartPole-v1", environment=environment, public=empty,
                final=EpisodeSet(
                    seeds=SEEDS[:count], random_returns=random[:count], dqn_returns=dqn[:count]
                ),
            ),
            reference_versions={"gymnasium": "1.3.0"},
        )
    )  # fmt: skip


def shown(verdict: Verdict) -> EpisodeReturns:
    (exhibit,) = verdict.exhibits
    assert isinstance(exhibit, EpisodeReturns)
    return exhibit


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


def spread(middle: float, width: float = 10.0) -> tuple[float, ...]:
    """Twenty returns about a middle, with that as their mean."""
    return tuple(middle + width * (index - 9.5) / 9.5 for index in range(20))


TIERS = [{"at": 0.3, "share": 0.25}, {"at": 0.6, "share": 0.5}, {"at": 0.9, "share": 1}]


@pytest.mark.parametrize(
    ("rule", "middle", "fraction"),
    [
        ({}, 47.5, 0.5),
        ({"no_marks_at": 0.2, "full_marks_at": 0.8}, 50.0, 0.5),
        ({"rule": "threshold"}, 96.0, 1.0),
        ({"rule": "threshold"}, 94.0, 0.0),
        ({"rule": "threshold", "full_marks_at": 0.4}, 41.0, 1.0),
        ({"rule": "tiers", "tiers": TIERS}, 29.0, 0.0),
        ({"rule": "tiers", "tiers": TIERS}, 31.0, 0.25),
        ({"rule": "tiers", "tiers": TIERS}, 61.0, 0.5),
        ({"rule": "tiers", "tiers": TIERS}, 91.0, 1.0),
        ({"measure": "mean_return", "no_marks_at": -100, "full_marks_at": 100}, 0.0, 0.5),
        ({"measure": "iqm", "no_marks_at": 0, "full_marks_at": 80}, 40.0, 0.5),
        ({"measure": "iqm", "rule": "threshold", "full_marks_at": 40}, 39.0, 0.0),
        (
            {"measure": "mean_return", "rule": "tiers", "tiers": [{"at": 40, "share": 1}]},
            41.0,
            1.0,
        ),
    ],
)
def test_points_follow_the_rule(rule: dict[str, Any], middle: float, fraction: float) -> None:
    verdict = judge(spread(middle), **rule)
    assert verdict.fraction == pytest.approx(fraction, abs=1e-9)
    expected = {0.0: Outcome.FAILED, 1.0: Outcome.PASSED}.get(fraction, Outcome.PARTIAL)
    assert verdict.outcome is expected


@pytest.mark.parametrize("at", [0.5, 0.5 + 1e-9])
def test_a_bar_is_reached_by_what_equals_it(at: float) -> None:
    verdict = judge((50.0,) * 20, rule="threshold", full_marks_at=at)
    assert verdict.fraction == (1.0 if at == 0.5 else 0.0)


@pytest.mark.parametrize(
    ("random", "dqn", "student", "at"), [(426, 8861, 7174, 0.8), (519, 8799, 2589, 0.25)]
)
@pytest.mark.parametrize("decides", ["estimate", "interval_low"])
def test_rounding_keeps_no_result_from_a_bar_that_it_equals(
    random: int, dqn: int, student: int, at: float, decides: str
) -> None:
    rows = [(total / 20,) * 20 for total in (student, random, dqn)]
    assert (student - random) / 20 == pytest.approx(at * (dqn - random) / 20, rel=1e-14)
    exact: dict[str, Any] = {"random": rows[1], "dqn": rows[2], "decides": decides}
    for rule in ({"rule": "threshold"}, {"rule": "linear"}):
        verdict = judge(rows[0], full_marks_at=at, **rule, **exact)
        assert (verdict.fraction, verdict.outcome) == (1.0, Outcome.PASSED)
        assert codes(verdict) == []  # nothing that says too close to be sure
    below = judge((rows[0][0] - 0.05,) * 20, rule="threshold", full_marks_at=at, **exact)
    assert below.fraction == 0.0


def test_better_than_random_play_is_said_only_where_the_episodes_show_it() -> None:
    close = judge(spread(1.0, width=60.0))
    assert 0 < shown(close).normalized_score < 0.1
    assert "is not shown by these episodes" in close.findings[-1].claim
    few = judge((60.0,) * 5)
    assert "is not shown by these episodes" in few.findings[-1].claim
    assert "plays better than random" in judge(spread(60.0)).findings[-1].claim


def test_the_lower_end_of_the_interval_can_decide() -> None:
    returns = spread(96.0, width=20.0)
    sure = judge(returns, rule="threshold", decides="interval_low")
    assert judge(returns, rule="threshold").fraction == 1.0
    assert sure.fraction == 0.0
    assert "at the lower end of its 95 % interval" in sure.findings[0].expected
    assert f"lower end of the 95 % interval {shown(sure).normalized_low:.2f}" in (
        sure.findings[0].received
    )
    clear = judge(spread(130.0, width=20.0), rule="threshold", decides="interval_low")
    assert (clear.fraction, codes(clear)) == (1.0, [])
    linear = judge(returns, decides="interval_low", full_marks_at=1.0)
    assert linear.fraction == pytest.approx(shown(linear).normalized_low)


def test_the_interquartile_mean_forgives_single_failures() -> None:
    returns = (0.0,) * 4 + (80.0,) * 16
    assert judge(returns, measure="iqm", rule="threshold", full_marks_at=80).fraction == 1.0
    assert judge(returns, measure="mean_return", rule="threshold", full_marks_at=80).fraction == 0.0


# --- too close to a bar -------------------------------------------------------------------------


@pytest.mark.parametrize("middle", [93.0, 96.0])
@pytest.mark.parametrize("decides", ["estimate", "interval_low"])
def test_an_interval_over_the_bar_is_told_on_either_side_of_it(middle: float, decides: str) -> None:
    verdict = judge(spread(middle, width=20.0), rule="threshold", decides=decides)
    points = shown(verdict).points
    assert points is not None
    assert points.borderline
    assert points.result.low < 0.95 <= points.result.high
    finding = verdict.findings[-1]
    assert (finding.code, finding.severity.value) == ("AG203", "note")
    reached = decides == "estimate" and middle > 95
    assert f"counts as {'reached' if reached else 'not reached'}" in finding.received
    assert verdict.fraction == float(reached)


def test_far_from_the_bar_or_without_one_nothing_is_borderline() -> None:
    assert codes(judge(spread(70.0), rule="threshold")) == ["AG202"]
    assert codes(judge(spread(99.0, width=2.0), rule="threshold")) == []
    assert codes(judge(spread(94.0, width=20.0))) == ["AG202"]  # in proportion: nothing jumps
    assert codes(judge((95.0,) * 20, rule="threshold")) == []  # no luck in constant returns


def test_any_of_the_tiers_can_be_too_close() -> None:
    verdict = judge(spread(60.0, width=20.0), rule="tiers", tiers=TIERS)
    assert codes(verdict) == ["AG202", "AG203"]
    assert "clear of the bar at 0.6" in verdict.findings[1].expected


# --- what is told -------------------------------------------------------------------------------


def test_the_bars_are_told_as_returns_too() -> None:
    points = shown(judge(spread(50.0), random=(20.0,) * 20, rule="tiers", tiers=TIERS)).points
    assert points is not None
    assert [bar.at_return for bar in points.bars] == pytest.approx([44.0, 68.0, 92.0])
    raw = shown(judge(spread(50.0), measure="iqm", rule="threshold", full_marks_at=70)).points
    assert raw is not None
    assert [(bar.at, bar.at_return, bar.share) for bar in raw.bars] == [(70.0, 70.0, 1.0)]


def test_an_agent_better_than_the_reference_can_still_miss_the_bar() -> None:
    (finding,) = judge((120.0,) * 20, rule="threshold", full_marks_at=1.5).findings
    assert finding.code == "AG202"
    assert "not as well as full marks ask for" in finding.claim
    assert "worst" not in finding.received


def test_versions_of_both_sides_are_told() -> None:
    exhibit = shown(judge(DQN))
    assert exhibit.versions == {"gymnasium": "1.4.0"}
    assert exhibit.reference_versions == {"gymnasium": "1.3.0"}


def test_a_baseline_of_another_environment_withholds_the_mark() -> None:
    other = PlayedEnvironment(environment_id="CartPole-v1", max_episode_steps=100)
    assert judge(DQN, environment=other).outcome is Outcome.FAULT
    assert judge(DQN, environment=None).outcome is Outcome.PASSED


# --- episodes that end early --------------------------------------------------------------------

PENALTY_RULES: list[dict[str, Any]] = [
    {},
    {"rule": "threshold", "full_marks_at": 0.5},
    {"rule": "tiers", "tiers": [{"at": 0.5, "share": 1}]},
    {"measure": "mean_return", "no_marks_at": -200, "full_marks_at": -150},
    {"measure": "iqm", "rule": "threshold", "full_marks_at": -150},
    {"decides": "interval_low"},
]


@pytest.mark.parametrize("rule", PENALTY_RULES, ids=lambda rule: " ".join(map(str, rule.values())))
def test_no_rule_rewards_stopping_early_where_rewards_are_negative(rule: dict[str, Any]) -> None:
    endings = {seed: {"invalid_action": "None"} for seed in range(20)}
    verdict = judge(
        (-2.0,) * 20, random=(-200.0,) * 20, dqn=(-100.0,) * 20, endings=endings, **rule
    )
    assert verdict.fraction == 0.0
    assert shown(verdict).student == (-200.0,) * 20
    honest = judge((-100.0,) * 20, random=(-200.0,) * 20, dqn=(-100.0,) * 20, **rule)
    assert honest.fraction == 1.0


def test_an_episode_cut_short_counts_with_what_it_had_where_rewards_are_not_negative() -> None:
    verdict = judge((100.0,) * 19 + (30.0,), endings={19: {"invalid_action": "7"}})
    assert shown(verdict).student[-1] == 30.0


# --- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tiers": TIERS}, '`tiers` means nothing with rule = "linear"'),
        ({"rule": "threshold", "no_marks_at": 0.1}, "`no_marks_at` means nothing with rule"),
        ({"rule": "tiers", "tiers": TIERS, "full_marks_at": 1}, "`full_marks_at` means nothing"),
        ({"rule": "tiers"}, "needs `tiers`"),
        ({"rule": "tiers", "tiers": []}, "at least one of them"),
        ({"rule": "tiers", "tiers": TIERS[:2]}, "the last of the tiers must have share = 1"),
        ({"rule": "tiers", "tiers": TIERS[::-1]}, "`at` must rise"),
        (
            {"rule": "tiers", "tiers": [{"at": 1, "share": 1}, {"at": 2, "share": 1}]},
            "`share` must rise",
        ),
        ({"measure": "mean_return"}, "needs `full_marks_at`, in units of the episode return"),
        ({"measure": "iqm", "full_marks_at": 400}, "needs `no_marks_at`"),
        ({"measure": "iqm", "rule": "threshold"}, "needs `full_marks_at`"),
        ({"full_marks_at": 475}, "475 is no such normalised score"),
        ({"rule": "threshold", "full_marks_at": 0}, "full marks must be above 0"),
        ({"no_marks_at": 0.95}, "full_marks_at must be above no_marks_at"),
        (
            {"decides": "interval_low", "bootstrap_samples": 500},
            "needs bootstrap_samples of at least 1000",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        PerformanceSettings.parse(settings)
