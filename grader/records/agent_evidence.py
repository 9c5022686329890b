"""What was seen when an agent played: receipts of its episodes, and what was tried beside them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from grader.records.agent_examination import AgentExamination
from grader.records.base import Record
from grader.records.environments import PlayedEnvironment
from grader.records.evidence import PartEvidence
from grader.records.films import Film
from grader.records.incident import Incident
from grader.records.report import SeedSet

_ACTS: Final = ("act_batch", "policy", "network")


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


class ReplayWay(StrEnum):
    """How an episode's observations are shown again."""

    SAME = "same"
    """One after the other, as the first time."""
    ALONE = "alone"
    """For an agent that acts on batches: all rows of the batch show this one episode. An agent
    whose answer for a row depends on the other rows then acts differently."""
    ONE_BY_ONE = "one_by_one"
    """For an agent that acts on batches: one after the other through its method for one
    observation. Single differences count for none, because batches of other heights round
    differently; several do."""


class PlayedBy(StrEnum):
    """What was found to play with."""

    AGENT = "agent"
    """An agent of a class, one observation at a time."""
    BATCH = "batch"
    """An agent of a class, by its method for batches: all episodes in lock-step."""
    FUNCTION = "function"
    """A function, one observation at a time."""
    NETWORK = "network"
    """A network with its weights, greedily: all episodes in lock-step."""


class ReplayTrial(Record):
    """An episode's observations shown again to a new agent in another process."""

    seed: int
    compared: int
    way: ReplayWay = ReplayWay.SAME
    """How it was shown."""
    difference: int | None = None
    """First step where the action differs."""
    first_action: str = ""
    second_action: str = ""
    incident: Incident | None = None


class AgentEvidence(PartEvidence):
    """Evidence of a game-playing agent."""

    kind: Literal["agent"] = "agent"
    environment_id: str = ""
    environment: PlayedEnvironment | None = None
    """All that decides the environment; None where nothing was to be played."""
    played_by: PlayedBy = PlayedBy.AGENT
    declined: Incident | None = None
    """Why the method for batches was not used although it is there."""
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

    def place(self, role: str) -> str:
        """`file:line` of a role's definition; for `act`, of whatever acts in its place."""
        if role == "act" and self.symbol(role) is None:
            role = next((other for other in _ACTS if self.symbol(other)), role)
        return super().place(role)
