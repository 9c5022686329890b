"""An environment as data: which game, how it is wrapped, and by which protocol it is played."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, JsonValue

from grader.records.base import Record


class Protocol(StrEnum):
    """How a game of the Arcade Learning Environment is played."""

    MNIH_2015 = "mnih_2015"
    """Mnih et al. 2015: up to 30 no-ops at the start, every fourth frame, five minutes at most,
    and with probability 0.05 a random action in the place of the agent's."""
    MACHADO_2018 = "machado_2018"
    """Machado et al. 2018, Revisiting the Arcade Learning Environment: the last action is repeated
    with probability 0.25, and all 18 actions are there."""


class PlayedEnvironment(Record):
    """The environment that episodes are played in; everything that decides it stands here."""

    environment_id: str = Field(min_length=1, max_length=200)
    """Registered Gymnasium id."""
    environment_kwargs: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of `gymnasium.make`."""
    max_episode_steps: int | None = Field(default=None, ge=1, le=1_000_000)
    """Replaces the environment's own limit when set."""
    protocol: Protocol | None = None
    """For games of the Arcade Learning Environment alone."""
