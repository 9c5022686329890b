"""The returns of an agent as they stand on the page, and where their marks go."""

from __future__ import annotations

from types import ModuleType

import pytest

from grader.records.result import EpisodeReturns, Outcome
from grader.reporting import return_plots
from grader.reporting.plots import WIDTH
from grader.reporting.score_report import render_score_report

N = 20
CHANCE = tuple(20.0 + index % 5 for index in range(N))
DQN = tuple(400.0 + 7 * (index % 9) for index in range(N))
STUDENT = tuple(390.0 + 9 * ((index * 7) % 11 - 5) for index in range(N))
RULES = (
    {},
    {"rule": "threshold", "full_marks_at": 0.9},
    {"rule": "tiers", "tiers": [{"at": -0.5, "share": 0.5}, {"at": 1.6, "share": 1}]},
    {"measure": "mean_return", "no_marks_at": -900, "full_marks_at": 1200},
    {"measure": "iqm", "rule": "threshold", "full_marks_at": 410, "decides": "interval_low"},
)


def page(samples: ModuleType, returns: EpisodeReturns) -> str:
    result = samples.result("agent.performance", Outcome.PARTIAL, 9.0)
    shown = result.model_copy(update={"exhibits": (returns,)})
    return " ".join(render_score_report(samples.report("x", (shown,))).split())


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_every_mark_is_inside_the_picture(rule: dict[str, object], samples: ModuleType) -> None:
    returns = samples.compared(STUDENT, CHANCE, DQN, **rule)
    plot, interval = return_plots.strip_plot(returns), return_plots.interval_plot(returns)
    for strip in plot.strips:
        assert [mark.kind for mark in strip.whiskers] == ["mean", "iqm"]
        for mark in strip.whiskers:
            assert 0 < mark.low_x <= mark.x <= mark.high_x < WIDTH
            assert strip.bottom < mark.y < strip.floor
        assert strip.floor < plot.axis_y < plot.height
    places = [*(bar.x for bar in plot.bars), *(bar.x for bar in interval.bars)]
    assert all(0 < x < WIDTH for x in places)
    assert plot.bars[-1].label.startswith("full marks ")
    assert all(not bar.label for bar in plot.bars[:-1])


def test_the_bar_stands_where_its_return_does(samples: ModuleType) -> None:
    returns = samples.compared(DQN, CHANCE, DQN, full_marks_at=1.0)
    plot = return_plots.strip_plot(returns)
    assert plot.bars[-1].x == plot.strips[2].mean_x


def test_the_score_has_no_bar_where_points_hang_on_returns(samples: ModuleType) -> None:
    returns = samples.compared(STUDENT, CHANCE, DQN, **RULES[3])
    assert return_plots.interval_plot(returns).bars == ()


def test_the_page_says_what_the_evidence_bears(samples: ModuleType) -> None:
    text = page(samples, samples.compared(STUDENT, CHANCE, DQN, **RULES[1]))
    assert "Over 20 paired episodes the agent scores higher than random play" in text
    assert "Points by the normalised score: all from 0.9, none below." in text
    assert "other episodes could have decided otherwise" in text
    assert "Probability of improvement over the reference" in text
    assert "Played with gymnasium 1.4.0, numpy 2.4.6; the references, too." in text
    assert "full marks 0.9" in text
    assert "<title>Seed 1: " in text


def test_secret_episodes_go_by_their_number(samples: ModuleType) -> None:
    returns = samples.compared(STUDENT, CHANCE, DQN).model_copy(update={"numbered": True})
    text = page(samples, returns)
    assert "all three agents played the same ones, whose seeds are secret." in text
    assert "<title>Episode 1: " in text
    assert "Seed 1" not in text
    assert "Episode return by episode" in text


def test_returns_without_a_comparison_are_shown_as_they_are(samples: ModuleType) -> None:
    bare = samples.returns().model_copy(update={"comparison": None, "points": None})
    text = page(samples, bare)
    assert "Normalised score" in text
    assert "Points by the" not in text
    assert "What the comparison rests on" not in text
