"""How episodes of random play are told: in a sentence, and as rows with a bar for each return."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from grader.records.environment_exhibits import PlayedEpisodes
from grader.reporting.wording import count_of, number_text

BAR_WIDTH: Final = 120
"""Pixels from the least to the greatest of all returns and 0."""


@dataclass(frozen=True)
class EpisodeRow:
    """One line of the table."""

    seed: int
    steps: int
    total: str
    ending: str
    left: float
    """Where the bar of its return begins, in pixels."""
    width: float


@dataclass(frozen=True)
class PlayedView:
    """The episodes, ready for the template."""

    summary: str
    rows: tuple[EpisodeRow, ...]
    zero: float
    """Where the bars have their 0, in pixels."""


def played_view(played: PlayedEpisodes) -> PlayedView:
    """All words and places of the table."""
    returns = [episode.episode_return for episode in played.episodes]
    low, high = min(0.0, *returns, 0.0), max(0.0, *returns, 0.0)
    # Half of each, for their difference may be too large for a float.
    span = high / 2 - low / 2

    def place(value: float) -> float:
        return round(BAR_WIDTH * ((value / 2 - low / 2) / span), 1) if span > 0 else 0.0

    rows = tuple(
        EpisodeRow(
            seed=episode.seed, steps=episode.steps, total=number_text(episode.episode_return),
            ending=episode.ending, left=min(place(0.0), place(episode.episode_return)),
            width=round(abs(place(episode.episode_return) - place(0.0)), 1),
        )
        for episode in played.episodes
    )  # fmt: skip
    return PlayedView(summary=summary(played), rows=rows, zero=place(0.0))


def summary(played: PlayedEpisodes) -> str:
    """How long the episodes were, what they earned and how they ended, in a sentence."""
    steps = [episode.steps for episode in played.episodes]
    returns = [episode.episode_return for episode in played.episodes]
    endings = Counter(episode.ending for episode in played.episodes)
    ended = ", ".join(f"{count} {ending}" for ending, count in endings.items())
    many = "step" if max(steps) == 1 else "steps"
    return (
        f"A random agent played {count_of(len(steps), 'episode')} of "
        f"{_span(str(min(steps)), str(max(steps)))} {many}, with an episode return of "
        f"{_span(number_text(min(returns)), number_text(max(returns)))}; {ended}."
    )


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
