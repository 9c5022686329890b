"""What a report shows of an environment."""

from __future__ import annotations

from typing import Literal

from pydantic import FiniteFloat

from grader.records.base import Record

Ending = Literal["terminated", "truncated", "terminated and truncated", "did not end"]


class PlayedEpisode(Record):
    """One episode of random play."""

    seed: int
    steps: int
    episode_return: FiniteFloat
    ending: Ending


class PlayedEpisodes(Record):
    """Episodes of a student's environment, played by a random agent."""

    type: Literal["played_episodes"] = "played_episodes"
    episodes: tuple[PlayedEpisode, ...]
    left_out: int = 0
    """Episodes that are not in the table."""
    observation_space: str
    action_space: str
    picture_text: str = ""
    """The game as a text, some steps after the start; empty where there is none."""
