import sys
from types import ModuleType

import pytest

from grader.records.environment_exhibits import PlayedEpisode, PlayedEpisodes
from grader.reporting.played import BAR_WIDTH, played_view, summary
from grader.reporting.score_report import render_score_report


def played(*returns: float, **fields: object) -> PlayedEpisodes:
    episodes = tuple(
        PlayedEpisode(seed=seed, steps=10 + seed, episode_return=value, ending="terminated")
        for seed, value in enumerate(returns)
    )
    known = {"observation_space": "Discrete(4)", "action_space": "Discrete(2)"}
    return PlayedEpisodes(episodes=episodes, **(known | fields))  # type: ignore[arg-type]


def test_episodes_are_summed_up_in_a_sentence() -> None:
    assert summary(played(-2.0, 3.5)) == (
        "A random agent played 2 episodes of 10 to 11 steps, with an episode return of −2 to 3.5; "
        "2 terminated."
    )
    assert "1 episode of 10 steps, with an episode return of 1; 1" in summary(played(1.0))


def test_bars_reach_from_0_to_the_return() -> None:
    view = played_view(played(-1.0, 3.0, 0.0))
    assert view.zero == BAR_WIDTH / 4
    bars = [(row.left, row.width) for row in view.rows]
    assert bars == [(0.0, BAR_WIDTH / 4), (BAR_WIDTH / 4, 3 * BAR_WIDTH / 4), (30.0, 0.0)]
    assert [row.total for row in view.rows] == ["−1", "3", "0"]


@pytest.mark.parametrize(
    "returns", [(0.0, 0.0), (sys.float_info.max, -sys.float_info.max), (1e100, 1.0), (5e-324,)]
)
def test_bars_stay_inside_whatever_the_returns(returns: tuple[float, ...]) -> None:
    for row in played_view(played(*returns)).rows:
        assert 0 <= row.left <= row.left + row.width <= BAR_WIDTH + 0.1


def test_a_report_shows_episodes_and_the_game_as_text(samples: ModuleType) -> None:
    shown = played(1.0, -2.0, left_out=3, picture_text="<P>..\n...T")
    report = samples.typical()
    results = [
        result.model_copy(update={"exhibits": (shown,)}) if number == 0 else result
        for number, result in enumerate(report.results)
    ]
    page = render_score_report(report.model_copy(update={"results": tuple(results)}))
    assert "Your game, played by a random agent." in page
    assert "&lt;P&gt;..\n...T" in page
    assert "And 3 more episodes." in page
    assert page.count("<td>terminated</td>") == 2
