"""What episodes count with that did not come to their own end."""

from __future__ import annotations

from collections.abc import Sequence

from grader.records.agent_evidence import Episode
from grader.records.agent_settings import InvalidActionRule
from grader.records.spec import EpisodeSet


def counted_returns(
    episodes: Sequence[Episode], references: EpisodeSet, rule: InvalidActionRule
) -> tuple[float, ...]:
    """The return each episode counts with.

    An episode that an error or an action outside the space ended counts with its return so far.
    Where rewards can be negative, stopping early would be a way to avoid them; there it counts at
    most with random play's return in that episode. An assignment may let actions outside the space
    count for less, see `InvalidActionRule`.

    Args:
        episodes: that were played.
        references: returns of random play on the same seeds, in the same order.
        rule: what an episode counts with that an action outside the space ended.
    """
    penalized = any(value < 0 for value in references.random_returns) or any(
        reward < 0 for episode in episodes for reward in episode.rewards
    )
    lowest = min(references.random_returns)
    return tuple(
        _counted(episode, floor, lowest, rule, penalized=penalized)
        for episode, floor in zip(episodes, references.random_returns, strict=True)
    )


def _counted(
    episode: Episode, floor: float, lowest: float, rule: InvalidActionRule, *, penalized: bool
) -> float:
    reached = episode.episode_return
    if episode.invalid_action is not None and rule is InvalidActionRule.NOTHING:
        return min(reached, lowest)
    broken_off = episode.incident is not None and penalized
    invalid = episode.invalid_action is not None and (penalized or rule is InvalidActionRule.RANDOM)
    return min(reached, floor) if broken_off or invalid else reached
