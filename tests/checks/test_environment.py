from typing import Any

import pytest

from grader.assignments.registry import JudgeInput
from grader.checks.environment import CHECKS
from grader.checks.environment_judges import UNFINISHED_LIMIT
from grader.checks.environment_rules import (
    DTYPE_COST,
    RULES,
    WORD_COST,
    EnvironmentCode,
)
from grader.records.catalogue import catalogue
from grader.records.environment_evidence import (
    ChoiceTrial,
    EnvironmentEpisode,
    EnvironmentEvidence,
    EnvironmentRule,
    EnvironmentTrial,
    Violation,
)
from grader.records.evidence import Symbol, Unresolved
from grader.records.incident import Frame, Incident, IncidentKind, LimitName
from grader.records.result import Outcome, Severity, Verdict
from grader.records.settings import EnvironmentSettings
from grader.records.spec import CheckSpec, Isolation, PartSpec

JUDGES = {kind.id: kind.judge for kind in CHECKS}
Rule = EnvironmentRule

PLAYED = (EnvironmentEpisode(seed=1, steps=20, episode_return=3.0, ended=True),)
EQUAL = (
    EnvironmentTrial(seed=1, compared=20, processes="same"),
    EnvironmentTrial(seed=2, compared=20, processes="same"),
    EnvironmentTrial(seed=1, compared=20, processes="separate"),
    EnvironmentTrial(seed=2, compared=20, processes="separate"),
)
CHOICES = (ChoiceTrial(seed=1, returns=(0.0, 3.0), distinct_games=2, distinct_results=2),)
RAISED = Incident(
    kind=IncidentKind.RAISED, stage="calling step (step 3)", error_type="GameError",
    message="no such move",
    frames=(Frame(file="environment.py", line=42, function="step"),),
)  # fmt: skip
SLOW = Incident(
    kind=IncidentKind.LIMIT, stage="calling step", limit=LimitName.CALL_WALL, limit_value="60 s"
)
EXITED = Incident(kind=IncidentKind.EXITED, stage="calling step", message="exit code 1")
UNREADABLE = Incident(kind=IncidentKind.PROTOCOL, stage="calling step")
FAULT = Incident(kind=IncidentKind.FAULT, stage="calling step")


def judge(name: str, *violations: Violation, **fields: Any) -> Verdict:
    known = {
        "finished": True, "episodes": PLAYED, "trials": EQUAL, "choices": CHOICES,
        "render_modes": ("ansi",),
    }  # fmt: skip
    evidence = EnvironmentEvidence(
        part="environment",
        file="environment.py",
        isolation=Isolation.PROCESS,
        symbols=(
            Symbol(role="env_class", name="GameEnv", line=5, parameters=()),
            Symbol(role="reset", name="reset", line=11, parameters=("seed",)),
            Symbol(role="step", name="step", line=30, parameters=("action",)),
        ),
        violations=violations,
        **(known | fields),
    )
    check = CheckSpec(title="environment", points=8)
    part = PartSpec(
        title="Game", kind="environment", file="environment.py", checks={"conformance": check}
    )
    return JUDGES[f"environment.{name}"](
        JudgeInput(
            part_id="environment",
            part=part,
            check=check,
            part_settings=EnvironmentSettings(),
            settings=None,
            evidence=evidence,
        )
    )


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


@pytest.mark.parametrize("check", ["interface", "conformance", "deterministic"])
def test_an_environment_that_keeps_to_the_api_gets_everything(check):
    verdict = judge(check)
    assert verdict.model_copy(update={"exhibits": ()}) == Verdict(
        outcome=Outcome.PASSED, fraction=1.0
    )


@pytest.mark.parametrize("check", ["interface", "conformance", "deterministic"])
def test_a_missing_class_fails(check):
    missing = Unresolved(role="env_class", accepted=("GameEnv",), available=())
    verdict = judge(check, unresolved=(missing,), finished=False, episodes=(), trials=())
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR105"])


@pytest.mark.parametrize("check", ["interface", "conformance", "deterministic"])
def test_a_constructor_that_raises_fails(check):
    verdict = judge(check, construction=RAISED, finished=False, episodes=(), trials=())
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["GR108"])


@pytest.mark.parametrize("check", ["interface", "conformance", "deterministic"])
def test_a_fault_withholds_the_mark(check):
    faulty = EnvironmentTrial(seed=1, compared=0, incident=FAULT)
    assert judge(check, trials=(*EQUAL, faulty)).outcome is Outcome.FAULT
    violation = Violation(rule=Rule.RAISED_IN_STEP, incident=FAULT)
    assert judge(check, violation).outcome is Outcome.FAULT


@pytest.mark.parametrize("check", ["interface", "conformance", "deterministic"])
@pytest.mark.parametrize("warnings", [(), (Violation(rule=Rule.NO_METADATA),)])
def test_nothing_tried_and_nothing_that_says_why_is_a_fault(check, warnings):
    for fields in ({"finished": False}, {"episodes": ()}):
        verdict = judge(check, *warnings, **fields)
        assert (verdict.outcome, verdict.fraction) == (Outcome.FAULT, 0.0)


@pytest.mark.parametrize("check", ["interface", "conformance", "deterministic"])
def test_a_class_without_the_methods_is_no_environment_and_that_is_told_once(check):
    missing = tuple(
        Unresolved(role=name, accepted=(name,), available=("play",)) for name in ("reset", "step")
    )
    verdict = judge(check, unresolved=missing, finished=False, episodes=(), trials=())
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [EnvironmentCode.NOT_AN_ENV]
    finding = verdict.findings[0]
    assert finding.expected == "a subclass of `gymnasium.Env`, with `reset` and `step`"
    assert finding.received == "a class with `play`"
    assert finding.where == "environment.py:5"


# --- interface ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [Rule.NOT_AN_ENV, Rule.NO_OBSERVATION_SPACE, Rule.NO_ACTION_SPACE, Rule.RESET_SIGNATURE],
)
def test_without_class_spaces_or_reset_the_interface_fails(rule):
    verdict = judge("interface", Violation(rule=rule), Violation(rule=Rule.REWARD_TYPE))
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [RULES[rule].code]


@pytest.mark.parametrize("rule", [Rule.RAISED_IN_RESET, Rule.RAISED_IN_STEP])
def test_an_error_fails_the_interface_only_if_no_step_came_back(rule):
    violation = Violation(rule=rule, incident=RAISED)
    failed = judge("interface", violation, episodes=())
    assert (failed.outcome, codes(failed)) == (Outcome.FAILED, [RULES[rule].code])
    assert failed.findings[0].where == "environment.py:42"
    assert judge("interface", violation).outcome is Outcome.PASSED


def test_a_first_step_that_is_ended_leaves_the_interface_open():
    violation = Violation(rule=Rule.RAISED_IN_STEP, incident=SLOW)
    verdict = judge("interface", violation, episodes=(), trials=(), finished=False)
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, ["GR201"])


def test_a_step_of_the_wrong_form_is_a_step():
    violation = Violation(rule=Rule.STEP_RETURN, received="None (NoneType)")
    assert judge("interface", violation, episodes=(), trials=()).outcome is Outcome.PASSED


# --- conformance --------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", Rule)
def test_every_broken_rule_has_a_finding_and_its_price(rule):
    verdict = judge(RULES[rule].told_by, Violation(rule=rule, received="it (a thing)", at="step 3"))
    text = RULES[rule]
    assert codes(verdict) == [text.code]
    assert verdict.fraction == pytest.approx(1 - text.cost)
    finding = verdict.findings[0]
    assert finding.severity is (Severity.ERROR if text.cost else text.severity)
    assert (text.severity is Severity.NOTE) == (rule is Rule.INFO_KEYS)
    assert finding.expected == text.expected
    assert finding.received == "it (a thing) · step 3"
    assert finding.try_
    assert (finding.where or "").startswith("environment.py:")


def test_every_rule_has_a_code_of_its_own():
    assert set(RULES) == set(Rule)
    assert len({text.code for text in RULES.values()}) == len(Rule)


def test_severe_rules_cost_more_than_small_ones():
    severe = (Rule.RESET_RETURN, Rule.STEP_RETURN, Rule.NEVER_ENDS, Rule.STEP_OBSERVATION)
    small = (Rule.RESET_INFO, Rule.STEP_INFO, Rule.TRUNCATED_TYPE, Rule.NO_METADATA)
    assert min(RULES[r].cost for r in severe) > max(RULES[r].cost for r in small)


def test_a_rule_costs_once_however_often_it_is_broken_and_all_are_told():
    verdict = judge(
        "conformance",
        Violation(rule=Rule.STEP_INFO, count=70),
        Violation(rule=Rule.STEP_OBSERVATION, count=70, at="step 1 after reset(seed=1)"),
        Violation(rule=Rule.STEP_OBSERVATION, at="step 9"),
    )
    expected = 1 - RULES[Rule.STEP_INFO].cost - RULES[Rule.STEP_OBSERVATION].cost
    assert verdict.fraction == pytest.approx(expected)
    # What costs most comes first.
    assert codes(verdict) == [
        EnvironmentCode.STEP_OBSERVATION,
        EnvironmentCode.STEP_OBSERVATION,
        EnvironmentCode.STEP_INFO,
    ]
    assert "70 times in all" in (verdict.findings[0].received or "")
    assert verdict.findings[0].where == "environment.py:30"


def observed(rule: Rule, reason: str) -> Violation:
    received = f"[3. 1.] (array, float64, shape (2,)): {reason}"
    return Violation(rule=rule, count=3, received=received, at="reset(seed=1)")


def test_one_reason_in_reset_and_step_is_one_mistake():
    reason = "a value lies outside the bounds"
    both = [observed(r, reason) for r in (Rule.RESET_OBSERVATION, Rule.STEP_OBSERVATION)]
    verdict = judge("conformance", *both)
    assert codes(verdict) == [EnvironmentCode.RESET_OBSERVATION]
    assert verdict.fraction == pytest.approx(1 - RULES[Rule.RESET_OBSERVATION].cost)
    assert "`reset` and `step`" in verdict.findings[0].claim
    assert "6 times in all" in (verdict.findings[0].received or "")

    other = observed(Rule.RESET_OBSERVATION, "the shape is not (3,)")
    assert len(judge("conformance", other, both[1]).findings) == 2


def test_a_dtype_costs_less_than_a_wrong_value_and_the_right_one_is_named():
    verdict = judge("conformance", observed(Rule.STEP_OBSERVATION, "the dtype is not float32"))
    assert verdict.fraction == pytest.approx(1 - DTYPE_COST)
    assert "np.float32" in (verdict.findings[0].try_ or "")


def test_rewards_that_are_words_cost_more_than_numbers_of_another_type():
    words = judge("conformance", Violation(rule=Rule.REWARD_TYPE, received="loss"))
    assert words.fraction == pytest.approx(1 - WORD_COST)
    assert words.findings[0].received == "the text 'loss'"
    typed = judge("conformance", Violation(rule=Rule.REWARD_TYPE, received="'loss' (str)"))
    assert typed == words
    array = Violation(rule=Rule.REWARD_TYPE, received="[0] (array, int64, shape (1,))")
    verdict = judge("conformance", array)
    assert verdict.fraction == pytest.approx(1 - RULES[Rule.REWARD_TYPE].cost)
    assert verdict.findings[0].received == array.received


def test_of_a_long_array_only_the_beginning_is_shown():
    received = f"{'[0. 0. 0.] ' * 12}…: the dtype is not uint8"
    violation = Violation(rule=Rule.STEP_OBSERVATION, received=received)
    shown = judge("conformance", violation).findings[0].received or ""
    assert len(shown) < 130
    assert shown.endswith("…: the dtype is not uint8")


def test_points_do_not_fall_below_zero():
    verdict = judge("conformance", *(Violation(rule=rule) for rule in Rule))
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)


def test_what_follows_from_another_rule_costs_nothing():
    alone = judge("conformance", Violation(rule=Rule.REWARD_TYPE))
    both = judge("conformance", Violation(rule=Rule.REWARD_TYPE), Violation(rule=Rule.CHECKER))
    assert alone.fraction == both.fraction
    assert EnvironmentCode.CHECKER in codes(both)
    stuck = judge("conformance", Violation(rule=Rule.RAISED_IN_RESET, incident=RAISED))
    again = judge(
        "conformance",
        Violation(rule=Rule.RAISED_IN_RESET, incident=RAISED),
        Violation(rule=Rule.RESET_AFTER_END),
    )
    assert stuck.fraction == again.fraction


@pytest.mark.parametrize(
    ("incident", "code"), [(SLOW, "GR201"), (EXITED, "GR109"), (UNREADABLE, "GR110")]
)
def test_code_that_was_ended_leaves_conformance_open_with_all_findings(incident, code):
    verdict = judge(
        "conformance",
        Violation(rule=Rule.RAISED_IN_STEP, incident=incident),
        Violation(rule=Rule.REWARD_TYPE),
        finished=False,
    )
    assert (verdict.outcome, verdict.fraction) == (Outcome.INVALID, 0.0)
    assert codes(verdict) == [code, EnvironmentCode.REWARD_TYPE]
    trial = EnvironmentTrial(seed=1, compared=0, incident=incident)
    elsewhere = judge("conformance", trials=(trial,), finished=False)
    assert (elsewhere.outcome, codes(elsewhere)) == (Outcome.INVALID, [code])


def test_an_episode_that_was_ended_by_a_limit_tells_both():
    verdict = judge("conformance", Violation(rule=Rule.NEVER_ENDS, incident=SLOW), finished=False)
    assert codes(verdict) == ["GR201", EnvironmentCode.NEVER_ENDS]


def test_rules_that_an_error_kept_from_being_tried_earn_nothing():
    violation = Violation(rule=Rule.RESET_AFTER_END, incident=RAISED)
    played = judge("conformance", violation, finished=False)
    assert played.fraction == UNFINISHED_LIMIT
    raised = Violation(rule=Rule.RAISED_IN_RESET, incident=RAISED)
    assert judge("conformance", raised, finished=False, episodes=()).fraction == 0.0


@pytest.mark.parametrize(
    ("rule", "received", "old"),
    [
        (Rule.RESET_RETURN, "[0.1 0.2] (array, float32, shape (2,))", True),
        (Rule.RESET_RETURN, "3 (int)", True),
        (Rule.RESET_RETURN, "(1, 2, 3) (tuple)", False),
        (Rule.RESET_RETURN, "None (NoneType)", False),
        (Rule.STEP_RETURN, "four values, as in the old Gym", True),
        (Rule.STEP_RETURN, "a tuple of 4", True),
        (Rule.STEP_RETURN, "4 (int)", False),
        (Rule.STEP_RETURN, "a tuple of 3", False),
    ],
)
def test_the_old_gym_api_has_words_of_its_own(rule, received, old):
    finding = judge("conformance", Violation(rule=rule, received=received)).findings[0]
    assert finding.code == RULES[rule].code
    assert ("old Gym API" in finding.claim) == old


# --- determinism --------------------------------------------------------------------------------


def differing(processes: str, **fields: Any) -> EnvironmentTrial:
    known = {
        "seed": 1, "compared": 8, "difference": 7, "what": "reward",
        "first": "0.0 (float)", "second": "1.0 (float)", "processes": processes,
    }  # fmt: skip
    return EnvironmentTrial(**(known | fields))


@pytest.mark.parametrize(
    ("processes", "code"),
    [
        ("same", EnvironmentCode.DIFFERS_IN_PROCESS),
        ("separate", EnvironmentCode.DIFFERS_BETWEEN_PROCESSES),
    ],
)
def test_a_game_that_differs_in_one_way_only_gets_half(processes, code):
    verdict = judge("deterministic", trials=(*EQUAL, differing(processes)))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PARTIAL, 0.5)
    assert codes(verdict) == [code]
    finding = verdict.findings[0]
    assert finding.expected == "the same reward at step 7, seed 1: 0.0 (float)"
    assert finding.received == "1.0 (float) (1 of 3 seeds differ)"
    assert finding.where == "environment.py:5"


def test_a_game_that_differs_in_both_ways_gets_nothing_and_is_told_once():
    trials = (differing("same", difference=0, what="observation"), differing("separate"))
    verdict = judge("deterministic", trials=trials)
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAILED, 0.0)
    assert codes(verdict) == [EnvironmentCode.DIFFERS_BETWEEN_PROCESSES]
    assert verdict.findings[0].claim.endswith("give two different games.")
    assert "at `reset`" in (verdict.findings[0].expected or "")


def test_what_gymnasiums_checker_says_about_seeds_is_left_to_determinism():
    objection = Violation(
        rule=Rule.CHECKER, received="Deterministic step observations are not equivalent"
    )
    other = Violation(rule=Rule.CHECKER, received="the render mode is unknown")
    trials = (differing("same"), differing("separate"))
    assert judge("conformance", objection, trials=trials).fraction == 1.0
    for violation, compared in ((objection, EQUAL), (other, trials)):
        verdict = judge("conformance", violation, trials=compared)
        assert codes(verdict) == [EnvironmentCode.CHECKER]


def test_a_seed_that_changes_nothing_is_a_warning_of_determinism_alone():
    ignored = Violation(rule=Rule.SEED_IGNORED, received="one and the same game under 8 seeds")
    verdict = judge("deterministic", ignored)
    assert (verdict.outcome, verdict.fraction) == (Outcome.PASSED, 1.0)
    assert codes(verdict) == [EnvironmentCode.SEED_IGNORED]
    assert verdict.findings[0].severity is Severity.WARNING
    assert codes(judge("conformance", ignored)) == []


def test_an_error_during_a_comparison_is_no_equality():
    trial = EnvironmentTrial(seed=1, compared=0, incident=RAISED)
    verdict = judge("deterministic", trials=(*EQUAL, trial))
    assert (verdict.fraction, codes(verdict)) == (0.5, ["GR108"])


def test_a_comparison_that_was_ended_stays_open():
    trial = EnvironmentTrial(seed=1, compared=0, incident=SLOW)
    verdict = judge("deterministic", trials=(*EQUAL, differing("same"), trial))
    assert (verdict.outcome, verdict.fraction) == (Outcome.INVALID, 0.0)
    assert codes(verdict) == [EnvironmentCode.DIFFERS_IN_PROCESS, "GR201"]


def test_nothing_compared_is_no_equality():
    empty = EnvironmentTrial(seed=1, compared=0, processes="same")
    violation = Violation(rule=Rule.RAISED_IN_RESET, incident=RAISED)
    verdict = judge("deterministic", violation, trials=(empty,))
    assert (verdict.fraction, codes(verdict)) == (0.0, [EnvironmentCode.RAISED_IN_RESET])


def test_without_comparisons_determinism_stays_open_with_the_reason():
    broken = Violation(rule=Rule.STEP_RETURN, received="None (NoneType)")
    verdict = judge("deterministic", broken, trials=())
    assert (verdict.outcome, codes(verdict)) == (Outcome.INVALID, [EnvironmentCode.STEP_RETURN])
    ended = Violation(rule=Rule.RAISED_IN_STEP, incident=EXITED)
    stopped = judge("deterministic", ended, trials=(), finished=False)
    assert (stopped.outcome, codes(stopped)) == (Outcome.INVALID, ["GR109"])
    assert judge("deterministic", trials=()).outcome is Outcome.FAULT


@pytest.mark.parametrize("code", EnvironmentCode)
def test_every_code_is_explained(code):
    assert code in catalogue()
