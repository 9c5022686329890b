"""What was seen when an agent played: receipts of its episodes, and what was tried beside them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from grader.records.agent_examination import AgentExamination
from grader.records.base import Record
from grader.records.evidence import PartEvidence
from grader.records.films import Film
from grader.records.incident import Incident
from grader.records.report import SeedSet


class Episode(Record):
    """The receipt of one episode: enough to replay it without the student's code."""

    seed: int
    actions: tuple[int | float | tuple[int | float, ...], ...]
    rewards: tuple[float, ...]
    episode_return: float
    terminated: bool = False
    truncated: bool = False
    invalid_action: str | None = None
    """The action outside the space that ended the episode."""
    incident: Incident | None = None
    """What ended the episode early."""


class ReplayTrial(Record):
    """An episode's observations shown again to a new agent in another process."""

    seed: int
    compared: int
    difference: int | None = None
    """First step where the action differs."""
    first_action: str = ""
    second_action: str = ""
    incident: Incident | None = None


class AgentEvidence(PartEvidence):
    """Evidence of a game-playing agent."""

    kind: Literal["agent"] = "agent"
    environment_id: str = ""
    action_space: str = ""
    """The environment's action space, written as a call; empty when unknown."""
    wrappers: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    seed_set: SeedSet = SeedSet.PUBLIC
    episodes: tuple[Episode, ...] = ()
    replays: tuple[ReplayTrial, ...] = ()
    examination: AgentExamination | None = None
    """What was tried beside playing; None where no check asks for it."""
    films: tuple[Film, ...] = ()
    """The worst and the best episode, drawn."""
