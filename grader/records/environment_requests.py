"""What the grader asks of a worker that holds an environment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from grader.records.base import Record
from grader.records.message import Message

MAX_WATCHED_STEPS = 64
"""Most steps of a game that is watched from inside."""

ShortText = Annotated[str, Field(max_length=80)]
Step = Annotated[int, Field(ge=0, le=MAX_WATCHED_STEPS + 1)]
"""A call of the watched game: 0 is `reset`."""


Wrapping = Literal[
    "make", "TimeLimit", "RecordEpisodeStatistics", "FlattenObservation", "FrameStackObservation"
]
"""`gymnasium.make`, or one of Gymnasium's wrappers."""


class WatchEnvironment(Message):
    """Play a game of a class and look at what only its process can see. Answers a `Watched`."""

    op: Literal["watch_environment"] = "watch_environment"
    target: str
    """The role of the class."""
    seed: int
    other_seed: int
    actions: tuple[Any, ...]
    file: str
    """The part's file; lines are looked for in it alone."""


class StepEnvironment(Message):
    """Take steps until one ends the episode or raises. Answers the list of what they returned."""

    op: Literal["step_environment"] = "step_environment"
    target: str
    actions: tuple[Any, ...]


class SharedData(Record):
    """Two calls of one game and the object that both returned."""

    first: Step
    second: Step


class RandomUse(Record):
    """Where a generator of the whole process was used."""

    call: Step
    generator: Literal["random", "numpy.random"]
    line: Annotated[int, Field(ge=1, le=1 << 20)] | None = None


class SeededGenerator(Record):
    """What `reset(seed=…)` did to the environment's own generator."""

    made: bool
    same_seed_same_state: bool
    other_seed_other_state: bool


class Watched(Record):
    """What was seen of one game from inside its process."""

    overwritten: SharedData | None = None
    """An observation, and the call after which it was found changed."""
    shared: SharedData | None = None
    info_shared: SharedData | None = None
    action_overwritten: Step | None = None
    random_use: RandomUse | None = None
    generator: SeededGenerator | None = None
    """None where the class has no such generator or cannot be reset with a seed."""
    space_changed: Literal["observation_space", "action_space"] | None = None


class WrapEnvironment(Message):
    """Make an environment as Gymnasium does, or inside a wrapper, and keep it."""

    op: Literal["wrap_environment"] = "wrap_environment"
    target: str
    """The role of the class."""
    how: Wrapping
    max_episode_steps: int
    keep: str
