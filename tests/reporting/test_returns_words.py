"""What is said of the returns is what the intervals bear, and no more."""

from __future__ import annotations

from types import ModuleType

import pytest

from grader.reporting.returns_words import (
    borderline_sentence,
    conclusion,
    episode_word,
    points_sentence,
    versions_sentence,
)

N = 20
CHANCE = tuple(20.0 + index % 5 for index in range(N))
DQN = tuple(400.0 + 7 * (index % 9) for index in range(N))


def about(middle: float) -> tuple[float, ...]:
    return tuple(middle + 9 * ((index * 7) % 11 - 5) for index in range(N))


@pytest.mark.parametrize(
    ("student", "random", "reference"),
    [
        (about(700), "scores higher than random play", "scores higher than the reference"),
        (DQN[::-1], "scores higher than random play", "cannot be told from the reference"),
        (about(200), "scores higher than random play", "scores lower than the reference"),
        (CHANCE[::-1], "cannot be told from random play", "scores lower than the reference"),
        ((1.0,) * N, "scores lower than random play", "scores lower than the reference"),
        (DQN, "scores higher than", "reaches the same return as the reference in every one"),
    ],
)
def test_the_conclusion_is_that_of_the_intervals(
    student: tuple[float, ...], random: str, reference: str, samples: ModuleType
) -> None:
    said = conclusion(samples.compared(student, CHANCE, DQN))
    assert said.startswith(f"Over 20 paired episodes the agent {random}")
    assert reference in said
    assert said.endswith(".")
    assert said.count(". ") == 0  # one sentence


def test_the_numbers_it_rests_on_stand_in_it(samples: ModuleType) -> None:
    said = conclusion(samples.compared(about(200), CHANCE, DQN))
    assert "(probability of improvement 1.00, 95 % interval 0.83 to 1.00)" in said
    assert "(mean difference −" in said


def test_few_episodes_bear_no_conclusion(samples: ModuleType) -> None:
    said = conclusion(samples.compared((500.0,) * 5, CHANCE[:5], (500.0,) * 5))
    assert said == (
        "5 paired episodes are too few for a conclusion; the agent did better than random play in "
        "5, better than the reference in 0 and as well as it in 5."
    )
    assert conclusion(samples.compared((5.0,), (1.0,), (9.0,))).startswith("1 episode is too few")


def test_returns_at_a_cap_are_told(samples: ModuleType) -> None:
    capped = "most episodes end at 500, the highest return seen, where better play could not show"
    assert capped in conclusion(samples.compared((500.0,) * N, CHANCE, (500.0,) * N))
    assert capped not in conclusion(samples.compared(about(300), CHANCE, (500.0,) * N))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "Points by the normalised score: none at 0, all at 0.95, in proportion between."),
        (
            {"rule": "threshold", "full_marks_at": 0.9, "decides": "interval_low"},
            "Points by the lower end of the 95 % interval of the normalised score: all from 0.9, "
            "none below.",
        ),
        (
            {
                "rule": "tiers",
                "measure": "mean_return",
                "tiers": [{"at": 100, "share": 0.5}, {"at": 400, "share": 1}],
            },
            "Points by the mean return: 50 % from 100, all from 400, none below 100.",
        ),
        (
            {"measure": "iqm", "no_marks_at": -3, "full_marks_at": 4.5},
            "Points by the interquartile mean of the returns: none at −3, all at 4.5, in "
            "proportion between.",
        ),
    ],
)
def test_the_rule_is_told(rule: dict[str, object], said: str, samples: ModuleType) -> None:
    assert points_sentence(samples.compared(about(200), CHANCE, DQN, **rule).points) == said


def test_what_is_too_close_is_told(samples: ModuleType) -> None:
    near = samples.compared(about(400), CHANCE, DQN, rule="threshold", full_marks_at=0.93)
    assert "other episodes could have decided otherwise" in borderline_sentence(near.points)
    assert borderline_sentence(samples.compared(about(400), CHANCE, DQN).points) == ""


def test_episodes_are_called_by_their_number_where_seeds_are_secret(samples: ModuleType) -> None:
    returns = samples.returns()
    assert episode_word(returns) == "Seed"
    assert episode_word(returns.model_copy(update={"numbered": True})) == "Episode"


def test_other_versions_of_the_references_are_told(samples: ModuleType) -> None:
    returns = samples.returns()
    assert versions_sentence(returns) == (
        "Played with gymnasium 1.4.0, numpy 2.4.6; the references, too."
    )
    older = returns.model_copy(update={"reference_versions": {"gymnasium": "1.3.0"}})
    assert versions_sentence(older).endswith("the references with gymnasium 1.3.0.")
