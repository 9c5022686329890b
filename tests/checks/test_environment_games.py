from typing import Any

import pytest

from grader.assignments.registry import JudgeInput
from grader.checks.environment import CHECKS
from grader.checks.environment_findings import total_cost
from grader.checks.environment_games import CONSTANT_COST, RENDER_MODE_COST, PlayableSettings
from grader.checks.environment_rules import RULES, SEVERE_COST, SMALL_LIMIT, EnvironmentCode
from grader.records.environment_evidence import (
    ChoiceTrial,
    EnvironmentEpisode,
    EnvironmentEvidence,
    EnvironmentRule,
    EnvironmentTrial,
    Violation,
)
from grader.records.films import Film, FilmFrame
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.result import Outcome, Severity, Verdict
from grader.records.settings import EnvironmentSettings
from grader.records.spec import CheckSpec, Isolation, PartSpec

Rule = EnvironmentRule
Code = EnvironmentCode
JUDGES = {kind.id.partition(".")[2]: kind.judge for kind in CHECKS}
SLOW = Incident(
    kind=IncidentKind.LIMIT, stage="calling render()", limit=LimitName.CALL_WALL, limit_value="9 s"
)
FILM = Film(
    title="An episode", ending="", episode_return=1.0, steps=1, frame_width=8, frame_height=8,
    sharp=True, columns=1, sheet="AAAA",
    frames=(FilmFrame(step=0, action=None, reward=None, total=0.0),),
)  # fmt: skip


def episode(seed: int = 1, **fields: Any) -> EnvironmentEpisode:
    known = {"steps": 20, "episode_return": 3.0, "ended": True, "terminated": True, "varied": True}
    return EnvironmentEpisode(seed=seed, **(known | fields))


def trial(*returns: float, games: int = 2, results: int = 2) -> ChoiceTrial:
    return ChoiceTrial(seed=1, returns=returns, distinct_games=games, distinct_results=results)


def judge(
    name: str,
    *violations: Violation,
    checks: tuple[str, ...] = (),
    settings: Any = None,
    **fields: Any,
) -> Verdict:
    known = {
        "finished": True, "episodes": (episode(1), episode(2), episode(3, steps=9)),
        "trials": (EnvironmentTrial(seed=1, compared=20),), "choices": (trial(0.0, 4.0),),
        "render_modes": ("rgb_array",), "film": FILM,
    }  # fmt: skip
    evidence = EnvironmentEvidence(
        part="game", file="game.py", isolation=Isolation.PROCESS, violations=violations,
        **(known | fields),
    )  # fmt: skip
    check = CheckSpec(title="Game", points=8)
    part = PartSpec(
        title="Game", kind="environment", file="game.py",
        checks=dict.fromkeys((name, *checks), check),
    )  # fmt: skip
    return JUDGES[name](
        JudgeInput(
            part_id="game", part=part, check=check, part_settings=EnvironmentSettings(),
            settings=settings, evidence=evidence,
        )
    )  # fmt: skip


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


@pytest.mark.parametrize("check", ["render", "episodes", "playable"])
def test_a_good_game_gets_everything(check):
    verdict = judge(check)
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


@pytest.mark.parametrize("check", ["render", "episodes", "playable"])
def test_without_an_episode_nothing_can_be_told(check):
    broken = Violation(rule=Rule.STEP_RETURN)
    nothing = {"episodes": (), "choices": (), "finished": False}
    verdict = judge(check, broken, **nothing)
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, [Code.STEP_RETURN])
    assert judge(check, **nothing).outcome is Outcome.FAULT
    ended = judge(check, Violation(rule=Rule.RAISED_IN_STEP, incident=SLOW), **nothing)
    assert (ended.outcome, codes(ended)) == (Outcome.INVALID, ["GR201"])


# --- pricing ------------------------------------------------------------------------------------


def test_severe_rules_add_up_and_small_ones_have_a_limit():
    assert total_cost([]) == 0
    assert total_cost([0.3, 0.4]) == pytest.approx(0.7)
    assert total_cost([0.1, 0.15]) == pytest.approx(0.25)
    assert total_cost([0.1, 0.15, 0.2, 0.2]) == SMALL_LIMIT
    assert total_cost([0.5, 0.6, 0.1]) == 1.0


def test_all_small_mistakes_together_leave_more_than_half():
    small = [rule for rule, text in RULES.items()
             if text.told_by == "conformance" and text.cost < SEVERE_COST]  # fmt: skip
    verdict = judge("conformance", *(Violation(rule=rule) for rule in small))
    assert verdict.fraction == pytest.approx(1 - SMALL_LIMIT)
    assert {RULES[rule].code for rule in small} == set(codes(verdict))


# --- pictures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", [(), ("human",)])
def test_a_game_without_pictures_earns_nothing_for_them(modes):
    verdict = judge("render", render_modes=modes)
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.NO_PICTURE])


def test_a_text_is_a_picture():
    assert judge("render", render_modes=("ansi",)).outcome is Outcome.PASSED


def test_what_is_wrong_with_pictures_costs_there_and_is_a_warning_elsewhere():
    broken = Violation(rule=Rule.RENDER_SHAPE, received="the shape (9, 9, 3)")
    asked = judge("render", broken)
    assert asked.fraction == pytest.approx(1 - RULES[Rule.RENDER_SHAPE].cost)
    assert asked.findings[0].severity is Severity.ERROR
    elsewhere = judge("conformance", broken)
    assert (elsewhere.fraction, codes(elsewhere)) == (1.0, [Code.RENDER_SHAPE])
    assert elsewhere.findings[0].severity is Severity.WARNING
    assert codes(judge("conformance", broken, checks=("render",))) == []


def test_a_render_mode_that_is_not_taken_costs_where_pictures_are_asked_for():
    broken = Violation(rule=Rule.RENDER_MODE)
    assert judge("render", broken).fraction == pytest.approx(1 - RENDER_MODE_COST)
    assert judge("conformance", broken).fraction == 1.0


def test_rendering_that_hits_a_limit_leaves_pictures_open_and_nothing_else():
    broken = Violation(rule=Rule.RENDER_FAILED, incident=SLOW)
    verdict = judge("render", broken)
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, ["GR201", Code.RENDER_FAILED])
    for check in ("interface", "conformance", "deterministic", "episodes", "playable"):
        assert judge(check, broken).fraction == 1.0


# --- episodes -----------------------------------------------------------------------------------


def test_an_episode_that_does_not_end_costs_everything():
    endless = episode(ended=False, terminated=False)
    verdict = judge("episodes", Violation(rule=Rule.NEVER_ENDS), episodes=(endless,))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.NEVER_ENDS])


def test_episodes_of_one_step_are_no_games():
    short = tuple(episode(seed, steps=1) for seed in range(3))
    verdict = judge("episodes", episodes=short)
    assert (verdict.outcome, codes(verdict)) == (Outcome.PARTIAL, [Code.ONE_STEP])
    assert judge("episodes", episodes=short[:2]).outcome is Outcome.PASSED


def test_a_reward_that_never_varies_is_told():
    same = tuple(episode(seed, varied=False) for seed in range(3))
    verdict = judge("episodes", episodes=same)
    assert (verdict.outcome, codes(verdict)) == (Outcome.PARTIAL, [Code.CONSTANT_REWARD])
    assert (verdict.findings[0].received or "").startswith("0.15 in each of 20 steps")


def test_the_same_reward_at_every_step_is_a_result_where_lengths_differ():
    steps = tuple(episode(n, steps=n, episode_return=-float(n), varied=False) for n in (5, 7, 9))
    assert judge("episodes", episodes=steps).outcome is Outcome.PASSED


def test_rewards_that_are_no_numbers_are_told_as_that():
    same = tuple(episode(seed, varied=False, episode_return=0.0) for seed in range(3))
    verdict = judge("episodes", Violation(rule=Rule.REWARD_TYPE, received="loss"), episodes=same)
    assert codes(verdict) == [Code.REWARD_TYPE]
    assert verdict.fraction == 1 - CONSTANT_COST


# --- playing ------------------------------------------------------------------------------------


def test_actions_that_change_nothing_are_told():
    verdict = judge("playable", choices=(trial(1.0, 1.0, games=1, results=1),))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.ACTIONS_IGNORED])


def test_actions_that_are_seen_but_earn_nothing_are_told():
    verdict = judge("playable", choices=(trial(1.0, 1.0, results=1),))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, [Code.RESULT_FIXED])


def test_an_assignment_can_ask_for_a_gain():
    small = judge("playable", settings=PlayableSettings(gain=2.5))
    assert (small.outcome, codes(small)) == (Outcome.FAILED, [Code.RESULT_FIXED])
    assert "the best is 2 ahead of the mean" in (small.findings[0].received or "")
    assert judge("playable", settings=PlayableSettings(gain=2.0)).outcome is Outcome.PASSED


def test_games_that_one_seed_does_not_decide_say_nothing_of_actions():
    differs = EnvironmentTrial(seed=1, compared=3, difference=2, what="reward")
    verdict = judge("playable", trials=(differs,))
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, [Code.DIFFERS_BETWEEN_PROCESSES])


# --- what is shown ------------------------------------------------------------------------------


def shown(check: str, *others: str) -> list[str]:
    return [exhibit.type for exhibit in judge(check, checks=others).exhibits]


def test_episodes_and_film_stand_with_the_check_that_is_about_them():
    assert shown("conformance") == ["played_episodes", "film"]
    assert shown("conformance", "render", "episodes") == []
    assert shown("render", "episodes") == ["film"]
    assert shown("episodes", "render") == ["played_episodes"]
    assert shown("render") == ["played_episodes", "film"]
    assert shown("deterministic") == shown("interface") == shown("playable") == []


def test_episodes_are_shown_with_how_they_ended():
    episodes = (
        episode(1), episode(2, terminated=False, truncated=True),
        episode(3, truncated=True), episode(4, ended=False, terminated=False),
    )  # fmt: skip
    table = judge("episodes", episodes=episodes).exhibits[0]
    assert [row.ending for row in table.episodes] == [
        "terminated", "truncated", "terminated and truncated", "did not end",
    ]  # fmt: skip
    many = judge("episodes", episodes=(episode(),) * 60).exhibits[0]
    assert (len(many.episodes), many.left_out) == (50, 10)


# --- seeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule", [Rule.SAME_GAME_AGAIN, Rule.NEXT_GAME_DIFFERS, Rule.INSTANCES_SHARE]
)
def test_what_seeds_do_not_decide_costs_a_share_of_determinism_alone(rule):
    verdict = judge("deterministic", Violation(rule=rule))
    assert verdict.fraction == pytest.approx(1 - RULES[rule].cost)
    assert codes(verdict) == [RULES[rule].code]
    assert judge("conformance", Violation(rule=rule)).findings == ()


def test_a_global_generator_is_a_warning_on_its_line():
    verdict = judge("deterministic", Violation(rule=Rule.GLOBAL_RANDOM, line=17))
    assert (verdict.outcome, codes(verdict)) == (Outcome.PASSED, [Code.GLOBAL_RANDOM])
    assert verdict.findings[0].where == "game.py:17"
    assert verdict.findings[0].severity is Severity.WARNING
