"""What the returns of an agent say, in words that the evidence bears."""

from __future__ import annotations

from typing import Final

from grader.records.agent_settings import Decides, Measure, Rule
from grader.records.result import EpisodeReturns, Estimate, PointsBar, PointsBasis
from grader.reporting.wording import count_of, decimal_text, fixed_text, share_text
from grader.statistics.comparison import FEWEST_EPISODES

MEASURE_WORDS: Final = {
    Measure.NORMALIZED: "normalised score",
    Measure.MEAN_RETURN: "mean return",
    Measure.IQM: "interquartile mean of the returns",
}


def conclusion(returns: EpisodeReturns) -> str:
    """One sentence: what the episodes show about the agent, and what they cannot.

    Better or worse is said only where the 95 % interval of the mean difference, episode by episode,
    lies on one side of zero.
    """
    count = len(returns.student)
    compared = returns.comparison
    if compared is None:
        return ""
    if count < FEWEST_EPISODES:
        return _few(returns)
    improved = compared.over_random
    by_chance = (
        f"{_standing(compared.gain)} random play (probability of improvement "
        f"{fixed_text(improved.value, 2)}, 95 % interval {_range(improved, 2)})"
    )
    if returns.student == returns.dqn:
        to_reference = "reaches the same return as the reference in every one"
    else:
        difference = compared.difference
        to_reference = (
            f"{_standing(difference)} the reference (mean difference "
            f"{fixed_text(difference.value, 1)}, 95 % interval {_range(difference, 1)})"
        )
    return (
        f"Over {count} paired episodes the agent {by_chance} and {to_reference}{_capped(returns)}."
    )


def _few(returns: EpisodeReturns) -> str:
    count = len(returns.student)
    over_random = sum(a > b for a, b in zip(returns.student, returns.random, strict=True))
    over_dqn = sum(a > b for a, b in zip(returns.student, returns.dqn, strict=True))
    as_dqn = sum(a == b for a, b in zip(returns.student, returns.dqn, strict=True))
    are = "episode is" if count == 1 else "paired episodes are"
    return (
        f"{count} {are} too few for a conclusion; the agent did better than random play in "
        f"{over_random}, better than the reference in {over_dqn} and as well as it in {as_dqn}."
    )


def _standing(difference: Estimate) -> str:
    if difference.low > 0:
        return "scores higher than"
    if difference.high < 0:
        return "scores lower than"
    return "cannot be told from"


def _range(estimate: Estimate, places: int) -> str:
    return f"{fixed_text(estimate.low, places)} to {fixed_text(estimate.high, places)}"


def _capped(returns: EpisodeReturns) -> str:
    """Where most episodes of both agents end at the highest return, better play cannot show."""
    top = max(*returns.student, *returns.random, *returns.dqn)
    at_top = min(returns.student.count(top), returns.dqn.count(top))
    if 2 * at_top < len(returns.student):
        return ""
    return (
        f"; most episodes end at {decimal_text(top, 2)}, the highest return seen, where better "
        "play could not show"
    )


def points_sentence(basis: PointsBasis) -> str:
    """The rule by which the result earned its points."""
    of = MEASURE_WORDS[basis.measure]
    if basis.decides is Decides.INTERVAL_LOW:
        of = f"lower end of the 95 % interval of the {of}"
    if basis.rule is Rule.LINEAR:
        none, full = basis.bars
        rule = f"none at {_at(none)}, all at {_at(full)}, in proportion between"
    else:
        rule = ", ".join(
            f"{'all' if bar.share == 1 else share_text(bar.share)} from {_at(bar)}"
            for bar in basis.bars
        )
        rule += f", none below {_at(basis.bars[0])}" if len(basis.bars) > 1 else ", none below"
    return f"Points by the {of}: {rule}."


def _at(bar: PointsBar) -> str:
    return decimal_text(bar.at, 4)


def borderline_sentence(basis: PointsBasis) -> str:
    """That the result is too close to a bar to be sure of; empty where it is not."""
    if not basis.borderline:
        return ""
    return (
        "The 95 % interval reaches over the bar: other episodes could have decided otherwise. The "
        "points follow the rule all the same."
    )


def episode_word(returns: EpisodeReturns) -> str:
    """What an episode is called by: its seed, or its number where seeds are secret."""
    return "Episode" if returns.numbered else "Seed"


def versions_sentence(returns: EpisodeReturns) -> str:
    """The packages that played, and whether those of the references were the same."""
    if not returns.versions:
        return ""
    played = ", ".join(f"{name} {version}" for name, version in sorted(returns.versions.items()))
    if returns.versions.items() <= returns.reference_versions.items():
        return f"Played with {played}; the references, too."
    others = ", ".join(
        f"{name} {version}" for name, version in sorted(returns.reference_versions.items())
    )
    return f"Played with {played}; the references with {others or 'versions not recorded'}."


def episodes_told(returns: EpisodeReturns) -> str:
    """How many episodes were played, and of what."""
    return f"{count_of(len(returns.student), 'episode')} of {returns.environment_id}"
