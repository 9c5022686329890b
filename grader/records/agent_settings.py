"""What an assignment can set for a part that plays, and for the checks of its episodes."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from grader.records.base import Record
from grader.records.environments import PlayedEnvironment


class AgentSettings(PlayedEnvironment):
    """Settings of an `agent` part."""

    replayed_episodes: int = Field(default=2, ge=1, le=100)
    """Episodes whose observations are shown again to a second agent."""


class PerformanceSettings(Record):
    """Settings of `agent.performance`."""

    full_marks_at: float = Field(default=0.95, gt=0, le=10)
    """Normalised score that earns full marks."""
    no_marks_at: float = Field(default=0.0, ge=-10, lt=10)
    """Normalised score that earns nothing; linear between."""
    bootstrap_samples: int = Field(default=10_000, ge=100, le=1_000_000)
    """Resamplings for the interval shown beside the score."""
    bootstrap_seed: int = Field(default=13, ge=0)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.full_marks_at > self.no_marks_at:
            raise ValueError("full_marks_at must be above no_marks_at")
        return self
