from types import ModuleType

import pytest

from grader.reporting import plots, return_plots
from grader.reporting.class_figures import Bin


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (9, 500, (0, 100, 200, 300, 400, 500)),
        (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (-21, 21, (-30, -20, -10, 0, 10, 20, 30)),
        (500, 500, (499, 499.5, 500, 500.5, 501)),
        (0, 0, (-1, -0.5, 0, 0.5, 1)),
        (1e-6, 3e-6, (1e-6, 1.5e-6, 2e-6, 2.5e-6, 3e-6)),
    ],
)
def test_ticks_are_round_and_hold_all_values(
    low: float, high: float, ticks: tuple[float, ...]
) -> None:
    assert plots.nice_ticks(low, high) == pytest.approx(ticks)


def test_every_episode_of_every_agent_is_a_dot_inside_its_strip(samples: ModuleType) -> None:
    returns = samples.returns()
    plot = return_plots.strip_plot(returns)

    assert [strip.role for strip in plot.strips] == ["student", "random", "dqn"]
    for strip, values in zip(
        plot.strips, (returns.student, returns.random, returns.dqn), strict=True
    ):
        assert [dot.value for dot in strip.dots] == list(values)
        assert [dot.seed for dot in strip.dots] == list(returns.seeds)
        assert all(strip.top < dot.y < strip.bottom for dot in strip.dots)
        assert all(0 < dot.x < plots.WIDTH for dot in strip.dots)


def test_higher_returns_stand_further_right(samples: ModuleType) -> None:
    dots = return_plots.strip_plot(samples.returns()).strips[0].dots
    by_value = sorted(dots, key=lambda dot: dot.value)

    assert [dot.x for dot in by_value] == sorted(dot.x for dot in dots)


def test_equal_returns_do_not_cover_each_other_and_are_counted(samples: ModuleType) -> None:
    reference = return_plots.strip_plot(samples.returns()).strips[2]

    assert len({dot.y for dot in reference.dots}) == 20
    (stack,) = reference.stacks
    assert (stack.count, stack.label) == (20, "20 at 500")
    assert stack.before


def test_label_of_a_stack_stands_clear_of_other_dots(samples: ModuleType) -> None:
    returns = samples.returns()
    beside = (500.0,) * 18 + (480.0, 455.0)
    plot = return_plots.strip_plot(returns.model_copy(update={"dqn": beside}))

    (stack,) = plot.strips[2].stacks
    assert stack.before
    assert all(dot.x > stack.x for dot in plot.strips[2].dots)


def test_equal_returns_of_all_agents_can_be_drawn(samples: ModuleType) -> None:
    same = samples.returns().model_copy(
        update={
            "student": (500.0,) * 20,
            "random": (500.0,) * 20,
            "dqn": (500.0,) * 20,
            "student_mean": 500.0,
            "random_mean": 500.0,
            "comparison": None,
            "points": None,
        }
    )

    plot = return_plots.strip_plot(same)
    assert {dot.x for strip in plot.strips for dot in strip.dots} == {plots.WIDTH / 2}


@pytest.mark.parametrize("score", [-0.8, 0.0, 0.4, 1.0, 2.5])
def test_interval_stays_in_the_picture_and_in_order(samples: ModuleType, score: float) -> None:
    returns = samples.returns().model_copy(
        update={
            "normalized_score": score,
            "normalized_low": score - 0.1,
            "normalized_high": score + 0.1,
        }
    )
    plot = return_plots.interval_plot(returns)

    assert 0 < plot.low_x < plot.point_x < plot.high_x < plots.WIDTH
    assert 0 < plot.ticks[0].x < plot.ticks[1].x < plots.WIDTH


def test_bars_are_as_long_as_the_counts_say(samples: ModuleType) -> None:
    plot = plots.bar_plot(samples.counts(skewed=True))

    unit = (plot.expected_x - plot.left) / 1000
    assert [bar.width for bar in plot.bars] == pytest.approx(
        [1333 * unit, 1309 * unit, 1358 * unit, 0], abs=0.02
    )


def test_long_action_names_are_cut(samples: ModuleType) -> None:
    labels = [bar.label for bar in plots.bar_plot(samples.names_of_actions()).bars]

    assert labels == ["NOOP", "FIRE", "UPRIGHTFI…", "LEFT"]


def test_tallest_column_fills_the_histogram_and_empty_ones_have_no_height() -> None:
    bins = (Bin(0, 50, 0), Bin(50, 100, 4))
    empty, full = plots.histogram(bins).columns

    assert empty.height == 0
    assert full.y + full.height == plots.histogram(bins).axis_y
    assert full.height > 100
