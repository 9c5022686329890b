"""Evidence of honest and dishonest random agents, and what the judges make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from grader.assignments.registry import CheckKind, JudgeInput
from grader.checks.random_agent import CHECKS
from grader.records.arrays import ArrayRecord
from grader.records.evidence import (
    ActionComponent,
    RandomAgentEvidence,
    SeededTrial,
    SpaceTrial,
    Symbol,
    Unresolved,
)
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.result import Outcome, Severity, Verdict
from grader.records.settings import RandomAgentSettings
from grader.records.spec import CheckSpec, Isolation, PartSpec

SAMPLES = 4000
KINDS: dict[str, CheckKind] = {kind.id: kind for kind in CHECKS}
CODES = np.random.default_rng(8).integers(4, size=SAMPLES)
RAISED = Incident(
    kind=IncidentKind.RAISED,
    stage="calling act (step 12)",
    error_type="GameError",
    message="no such move",
)
LIMIT = Incident(
    kind=IncidentKind.LIMIT,
    stage="calling act (step 9)",
    limit=LimitName.CALL_WALL,
    limit_value="60 s",
)
FAULT = Incident(kind=IncidentKind.FAULT, stage="calling act", message="the disk is full")


def component(values: npt.ArrayLike, choices: int | None, name: str = "") -> ActionComponent:
    dtype = np.float64 if choices is None else np.int64
    labels = () if choices is None else tuple(str(index) for index in range(choices))
    return ActionComponent(
        name=name, choices=choices, labels=labels, values=ArrayRecord.of(np.asarray(values, dtype))
    )


def space(*components: ActionComponent, name: str = "Discrete(4)", **fields: Any) -> SpaceTrial:
    return SpaceTrial(
        space=name,
        samples=SAMPLES,
        components=components,
        observation_codes=ArrayRecord.of(CODES),
        **fields,
    )


def generator() -> np.random.Generator:
    return np.random.default_rng(2013)


def fair(choices: int = 4) -> SpaceTrial:
    draws = generator().integers(choices, size=SAMPLES)
    return space(component(draws, choices), name=f"Discrete({choices})")


def fair_box() -> SpaceTrial:
    draws = generator().random((2, SAMPLES))
    parts = [component(row, None, f"[{index}]") for index, row in enumerate(draws)]
    return space(*parts, name="Box(-2.0, 1.0, (2,))")


def evidence(
    *spaces: SpaceTrial, seeded: tuple[SeededTrial, ...] = (), **fields: Any
) -> RandomAgentEvidence:
    return RandomAgentEvidence(
        part="random_agent",
        file="random_agent.py",
        isolation=Isolation.PROCESS,
        symbols=(
            Symbol(role="agent_class", name="RandomAgent", line=5, parameters=("action_space",)),
            Symbol(role="act", name="act", line=9, parameters=("observation",)),
        ),
        spaces=spaces,
        seeded=seeded,
        **fields,
    )


def judge(name: str, seen: RandomAgentEvidence, spaces: int | None = None) -> Verdict:
    kind = KINDS[f"random_agent.{name}"]
    check = CheckSpec(title="title", points=5)
    planned = len(seen.spaces) if spaces is None else spaces
    part = PartSpec(
        title="title", kind="random_agent", file="random_agent.py", checks={name: check}
    )
    return kind.judge(
        JudgeInput(
            part_id="random_agent",
            part=part,
            check=check,
            part_settings=RandomAgentSettings(spaces=("Discrete(4)",) * max(planned, 1)),
            settings=kind.settings(),
            evidence=seen,
        )
    )


def codes(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


def only(verdict: Verdict) -> Any:
    assert len(verdict.findings) == 1, codes(verdict)
    return verdict.findings[0]


# --- interface ----------------------------------------------------------------------------------


def test_an_agent_that_acts_has_the_interface() -> None:
    verdict = judge("interface", evidence(fair()))
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


def test_an_agent_that_fails_only_in_later_spaces_has_the_interface() -> None:
    seen = evidence(fair(), space(name="MultiDiscrete([3, 5])", incident=RAISED))
    assert judge("interface", seen).outcome is Outcome.PASSED


def test_an_agent_that_raises_in_the_first_space_has_not() -> None:
    verdict = judge("interface", evidence(space(incident=RAISED), fair(5)))
    assert verdict.outcome is Outcome.FAILED
    assert only(verdict).code == "GR108"


def test_a_missing_class_is_told() -> None:
    missing = Unresolved(role="agent_class", accepted=("RandomAgent",), available=("Agent",))
    verdict = judge("interface", evidence(unresolved=(missing,)))
    assert verdict.outcome is Outcome.FAILED
    assert only(verdict).code == "GR105"


@pytest.mark.parametrize("check", ["uniform", "seeded"])
def test_what_cannot_be_made_is_no_fault_of_the_other_checks(check: str) -> None:
    """They may stand without the requirement that skips them."""
    assert judge(check, evidence(construction=RAISED)).outcome is Outcome.FAILED
    missing = Unresolved(role="agent_class", accepted=("RandomAgent",), available=("Agent",))
    assert judge(check, evidence(unresolved=(missing,))).outcome is Outcome.FAILED


def test_nothing_tried_is_the_graders_fault() -> None:
    assert judge("interface", evidence()).outcome is Outcome.FAULT
    assert judge("uniform", evidence()).outcome is Outcome.FAULT
    assert judge("seeded", evidence()).outcome is Outcome.FAULT


# --- uniform ------------------------------------------------------------------------------------


def test_a_uniform_agent_passes_without_a_word_and_its_counts_are_shown() -> None:
    verdict = judge("uniform", evidence(fair_box(), fair(4), fair(5)))
    assert (verdict.outcome, verdict.fraction, verdict.findings) == (Outcome.PASSED, 1.0, ())
    (shown,) = verdict.exhibits
    assert shown.type == "action_counts"
    assert (shown.space, shown.labels, shown.expected) == ("Discrete(4)", tuple("0123"), 1000.0)
    assert sum(shown.counts) == SAMPLES


def test_a_space_without_discrete_actions_has_no_table() -> None:
    assert judge("uniform", evidence(fair_box())).exhibits == ()


def biased(choices: int, probability: float) -> npt.NDArray[Any]:
    shares = np.full(choices, (1 - probability) / (choices - 1))
    shares[2] = probability
    return generator().choice(choices, size=SAMPLES, p=shares)


def test_a_favoured_action_is_named_with_its_count() -> None:
    values = biased(4, 0.35)
    finding = only(judge("uniform", evidence(space(component(values, 4)))))
    assert finding.code == "RA103"
    assert finding.received == f"with Discrete(4): action 2: {(values == 2).sum()} of 4000 times"
    assert finding.expected == "each about 1000 times"
    assert finding.where == "random_agent.py:9"


def test_an_action_that_never_comes_is_named() -> None:
    finding = only(
        judge("uniform", evidence(space(component(generator().integers(3, size=SAMPLES), 4))))
    )
    assert (finding.code, finding.received) == (
        "RA102",
        "with Discrete(4): action 3: 0 of 4000 times",
    )


def test_a_constant_agent_is_told_what_it_always_does() -> None:
    finding = only(judge("uniform", evidence(space(component(np.ones(SAMPLES), 4)))))
    assert finding.code == "RA111"
    assert finding.received == "with Discrete(4): action 1 in all of 4000 steps"
    assert "__init__" in finding.try_


def test_a_constant_agent_is_told_once_whatever_the_tests_of_each_space_say() -> None:
    pair = space(
        component(np.zeros(SAMPLES), 3, "[0]"), component(np.full(SAMPLES, 0.5), None, "[1]"),
        name="Dict",
    )  # fmt: skip
    still = space(component(np.full(SAMPLES, 0.5), None), name="Box(0, 1)")
    seen = evidence(pair, space(component(np.ones(SAMPLES), 4)), still)
    finding = only(judge("uniform", seen))
    assert finding.code == "RA111"
    assert finding.received == (
        "with Dict: the same action in all of 4000 steps (also with Discrete(4), Box(0, 1))"
    )


def test_a_part_of_an_action_that_never_changes_is_told_as_that_part() -> None:
    parts = component(np.zeros(SAMPLES), 3, "[0]"), fair(4).components[0]
    finding = only(judge("uniform", evidence(space(*parts, name="MultiDiscrete([3, 4])"))))
    assert finding.code == "RA102"
    assert finding.received.endswith("[0]: action 1, action 2: 0 of 4000 times; always action 0")


@pytest.mark.parametrize("period", [4, 100, 1500])
def test_a_sequence_that_repeats_is_told_with_its_lag_and_nothing_else(period: int) -> None:
    values = np.arange(SAMPLES) % 4
    if period != 4:
        values = np.resize(generator().integers(4, size=period), SAMPLES)
    finding = only(judge("uniform", evidence(space(component(values, 4)))))
    assert finding.code == "RA107"
    assert f"{period} steps before" in finding.received


def test_numbers_that_are_replayed_are_told_for_continuous_actions_too() -> None:
    values = np.resize(generator().random(700), SAMPLES)
    finding = only(judge("uniform", evidence(space(component(values, None), name="Box(0, 1)"))))
    assert finding.code == "RA107"
    assert "700 steps before" in finding.received


def test_actions_that_stick_are_told_as_dependence_on_the_past() -> None:
    random = generator()
    values = random.integers(4, size=SAMPLES)
    for step in np.flatnonzero(random.random(SAMPLES) < 0.25):
        values[step] = values[step - 1]
    finding = only(judge("uniform", evidence(space(component(values, 4)))))
    assert finding.code == "RA108"
    assert "the action before" in finding.received
    assert finding.expected == "in 25.0%, by chance"


def test_a_next_action_that_is_a_favourite_is_told_though_repeats_are_not_more_frequent() -> None:
    # After action 0 comes 1, and after 1 comes 0, more often; staying is as frequent as by chance.
    random = generator()
    values = np.zeros(SAMPLES, np.int64)
    for step in range(1, SAMPLES):
        last = values[step - 1]
        partner = (1, 0, 3, 2)[last]
        shares = np.full(4, 0.125)
        shares[last], shares[partner] = 0.25, 0.5
        values[step] = random.choice(4, p=shares)
    verdict = judge("uniform", evidence(space(component(values, 4))))
    assert codes(verdict) == ["RA108"]


def test_dependence_on_the_observation_is_told() -> None:
    looks = generator().random(SAMPLES) < 0.3
    values = np.where(looks, CODES, generator().integers(4, size=SAMPLES))
    finding = only(judge("uniform", evidence(space(component(values, 4)))))
    assert finding.code == "RA109"


def test_what_is_uneven_because_of_the_observation_is_told_once() -> None:
    values = np.where(CODES == 0, 0, generator().integers(4, size=SAMPLES))
    finding = only(judge("uniform", evidence(space(component(values, 4)))))
    assert finding.code == "RA109"
    assert "in 100% with another" in finding.received


def test_parts_of_an_action_that_are_tied_are_named() -> None:
    draws = generator().random(SAMPLES)
    parts = component(draws * 3, 3, "[0]"), component(draws * 5, 5, "[1]")
    finding = only(judge("uniform", evidence(space(*parts, name="MultiDiscrete([3, 5])"))))
    assert finding.code == "RA110"
    assert finding.received.endswith("[0] and [1] go together")


def box(make: Callable[[np.random.Generator], npt.NDArray[Any]]) -> Verdict:
    return judge("uniform", evidence(space(component(make(generator()), None, "[0]"))))


def test_a_part_of_the_range_that_is_not_used_is_told() -> None:
    finding = only(box(lambda random: 2 / 3 + random.random(SAMPLES) / 3))
    assert finding.code == "RA104"
    assert "[0]: values from 66.7% to 100.0%" in finding.received


def test_a_clipped_normal_distribution_is_told_as_uneven() -> None:
    verdict = box(lambda random: np.clip(random.normal(0.5, 0.3, SAMPLES), 0, 1))
    assert only(verdict).code == "RA105"


def test_rounded_values_are_told_as_few() -> None:
    finding = only(box(lambda random: np.rint(random.random(SAMPLES) * 100) / 100))
    assert finding.code == "RA106"
    assert finding.received.endswith("[0]: 101 different values in 4000 draws")


def test_one_problem_of_several_parts_is_one_finding() -> None:
    random = generator()
    parts = [component(random.integers(2, size=SAMPLES), 3, f"[{index}]") for index in range(5)]
    finding = only(judge("uniform", evidence(space(*parts, name="MultiDiscrete(5 * [3])"))))
    assert finding.received.count("action 2: 0 of") == 3
    assert finding.received.endswith("and 2 more")


def test_one_problem_in_several_spaces_is_one_finding_that_names_them() -> None:
    def first_only(choices: int) -> SpaceTrial:
        values = generator().integers(2, size=SAMPLES)
        return space(component(values, choices), name=f"Discrete({choices})")

    verdict = judge("uniform", evidence(first_only(4), fair(5), first_only(6), first_only(7)))
    assert verdict.fraction == pytest.approx(1 / 6)
    received = only(verdict).received
    assert received.startswith("with Discrete(4): action 2, action 3: 0 of 4000 times")
    assert received.endswith("(also with Discrete(6), Discrete(7))")


def test_half_of_the_points_are_for_the_first_space() -> None:
    invalid = SpaceTrial(
        space="Box(0.0, 1.0, (1,))", samples=SAMPLES, invalid_step=7, invalid_action="[1.5]"
    )
    raised = SpaceTrial(space="MultiDiscrete([3, 5])", samples=SAMPLES, incident=RAISED)
    uneven = space(component(biased(3, 0.6), 3), name="Discrete(3)")
    verdict = judge("uniform", evidence(fair(4), invalid, raised, uneven))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PARTIAL, 0.5)
    assert sorted(codes(verdict)) == ["GR108", "RA101", "RA103"]
    outside = next(finding for finding in verdict.findings if finding.code == "RA101")
    assert outside.received == "[1.5] at step 7"
    assert outside.expected == "an element of Box(0.0, 1.0, (1,))"


def test_what_passes_elsewhere_does_not_make_up_for_the_first_space() -> None:
    cyclic = space(component(np.arange(SAMPLES) % 4, 4))
    verdict = judge("uniform", evidence(cyclic, fair_box(), fair_box()))
    assert (verdict.outcome, verdict.fraction) == (Outcome.PARTIAL, 0.5)


def test_actions_outside_several_spaces_are_one_finding_that_names_them() -> None:
    names = ("Discrete(4)", "Discrete(5, start=-2)", "Box(0, 1)", "A", "B")
    trials = [
        SpaceTrial(
            space=name, samples=SAMPLES, invalid_step=0,
            invalid_action="1.6960759739813471 (numpy.float64)",
        )
        for name in names
    ]  # fmt: skip
    finding = only(judge("uniform", evidence(*trials)))
    assert finding.received == (
        "1.69608 (numpy.float64) at step 0 "
        "(also with Discrete(5, start=-2), Box(0, 1), A and 1 more)"
    )
    assert finding.try_.startswith("Return an integer")


def test_one_cause_in_several_spaces_is_told_once() -> None:
    names = ("MultiDiscrete([3, 5])", "MultiBinary(3)", "Tuple((Discrete(2), Discrete(6)))")
    raised = [SpaceTrial(space=name, samples=SAMPLES, incident=RAISED) for name in names]
    verdict = judge("uniform", evidence(fair(4), *raised))
    assert codes(verdict) == ["GR108"]
    assert verdict.fraction == 0.5


def test_an_agent_that_can_be_judged_nowhere_has_the_outcome_of_what_stopped_it() -> None:
    assert judge("uniform", evidence(space(incident=LIMIT))).outcome is Outcome.INVALID
    assert judge("uniform", evidence(space(incident=RAISED))).outcome is Outcome.FAILED


def test_a_fault_in_any_space_withholds_the_mark() -> None:
    verdict = judge("uniform", evidence(fair(4), space(name="Discrete(5)", incident=FAULT)))
    assert (verdict.outcome, verdict.fraction) == (Outcome.FAULT, 0.0)


def test_missing_spaces_or_actions_earn_nothing() -> None:
    assert judge("uniform", evidence(fair(4)), spaces=2).outcome is Outcome.FAULT
    short = space(component(generator().integers(4, size=10), 4))
    assert judge("uniform", evidence(short)).outcome is Outcome.FAULT
    stopped = evidence(fair(4), space(name="Discrete(5)", incident=LIMIT))
    assert judge("uniform", stopped, spaces=4).fraction == 0.5


def test_the_verdict_is_the_same_every_time() -> None:
    seen = evidence(space(component(biased(4, 0.3), 4)), fair_box())
    assert judge("uniform", seen) == judge("uniform", seen)


# --- seeded -------------------------------------------------------------------------------------


def seeded(name: str = "Discrete(4)", **fields: Any) -> SeededTrial:
    return SeededTrial(space=name, compared=64, **fields)


def test_an_agent_that_its_seed_decides_passes() -> None:
    verdict = judge("seeded", evidence(fair(), seeded=(seeded(), seeded("Discrete(5)"))))
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


@pytest.mark.parametrize(
    ("fields", "code", "hint"),
    [
        ({"same_seed_difference": 0}, "RA201", "default_rng(seed)"),
        ({"interleaved_difference": 3}, "RA202", "of its own"),
        ({"other_seed_equal": True}, "RA203", "do not write a number"),
    ],
)
def test_each_way_to_misuse_a_seed_has_its_own_words(
    fields: dict[str, Any], code: str, hint: str
) -> None:
    trials = (seeded(**fields), seeded("Discrete(5)", **fields))
    verdict = judge("seeded", evidence(fair(), seeded=trials))
    finding = only(verdict)
    assert (verdict.outcome, finding.code, finding.severity) == (
        Outcome.FAILED,
        code,
        Severity.ERROR,
    )
    assert "Discrete(4), Discrete(5)" in finding.received
    assert finding.where == "random_agent.py:5"
    assert hint in finding.try_


def test_an_unseeded_agent_that_is_always_the_same_is_warned_of() -> None:
    verdict = judge("seeded", evidence(fair(), seeded=(seeded(unseeded_equal=True),)))
    assert verdict.outcome is Outcome.PASSED
    assert (only(verdict).code, only(verdict).severity) == ("RA204", Severity.WARNING)


def test_a_fixed_seed_is_told_once_and_not_again_as_unseeded() -> None:
    trial = seeded(other_seed_equal=True, unseeded_equal=True)
    assert only(judge("seeded", evidence(fair(), seeded=(trial,)))).code == "RA203"


def test_a_generator_restarted_at_every_step_is_told_from_a_fixed_seed() -> None:
    constant = space(component(np.ones(SAMPLES), 4))
    coin = space(component(np.ones(SAMPLES), 2), name="Discrete(2)")
    # Of two actions, two seeds give the same one half of the time.
    trials = (seeded(), seeded("Discrete(2)", other_seed_equal=True))
    verdict = judge("seeded", evidence(constant, coin, seeded=trials))
    assert verdict.outcome is Outcome.PASSED
    assert (only(verdict).code, only(verdict).severity) == ("RA205", Severity.WARNING)


def test_an_agent_that_always_takes_one_action_does_not_pass() -> None:
    constant = space(component(np.zeros(SAMPLES), 4))
    trial = seeded(other_seed_equal=True, unseeded_equal=True)
    verdict = judge("seeded", evidence(constant, seeded=(trial,)))
    assert (verdict.outcome, codes(verdict)) == (Outcome.FAILED, ["RA203"])


def test_sequences_too_short_to_differ_say_nothing() -> None:
    one_way = space(component(np.zeros(SAMPLES), 1), name="Discrete(1)")
    trial = seeded("Discrete(1)", other_seed_equal=True, unseeded_equal=True)
    verdict = judge("seeded", evidence(one_way, seeded=(trial,)))
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


def test_points_follow_the_share_of_spaces_in_which_the_seed_decides() -> None:
    trials = (seeded(), seeded("Box(0, 1)", same_seed_difference=2), seeded("X", incident=RAISED))
    verdict = judge("seeded", evidence(fair(), seeded=trials))
    assert verdict.outcome is Outcome.PARTIAL
    assert verdict.fraction == pytest.approx(1 / 3)
    assert sorted(codes(verdict)) == ["GR108", "RA201"]


def test_incidents_everywhere_decide_the_outcome() -> None:
    def outcome(incident: Incident) -> Outcome:
        return judge("seeded", evidence(fair(), seeded=(seeded(incident=incident),))).outcome

    assert outcome(RAISED) is Outcome.FAILED
    assert outcome(LIMIT) is Outcome.INVALID
    assert outcome(FAULT) is Outcome.FAULT


def test_a_limit_that_kept_seeds_from_being_tried_is_told() -> None:
    verdict = judge("seeded", evidence(fair(), space(name="Discrete(5)", incident=LIMIT)))
    assert (verdict.outcome, only(verdict).code) == (Outcome.INVALID, "GR201")
