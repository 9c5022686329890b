"""What an assignment can set for each built-in kind of part and check."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.records.base import Record
from grader.records.running_settings import GymSettings
from grader.records.spec import PythonName, SpaceText


class RandomAgentSettings(GymSettings):
    """Settings of a `random_agent` part."""

    spaces: Annotated[tuple[SpaceText, ...], Field(min_length=1)]
    """Action spaces it is tried on, such as `MultiDiscrete([3, 5])`."""
    samples: int = Field(default=4000, ge=100, le=200_000)
    """Actions per space."""
    sequence_length: int = Field(default=64, ge=8, le=10_000)
    """Actions per sequence when seeds are compared."""


class UniformSettings(Record):
    """Settings of `random_agent.uniform`."""

    false_alarm: float = Field(default=5e-5, gt=0, lt=0.05)
    """Probability that a truly random agent is called biased, over all spaces and tests."""


class TrainingSettings(Record):
    """Settings of a `training` part."""

    delta: float = Field(default=1.0, gt=0)
    """Where the Huber loss turns from quadratic to linear."""
    features: int = Field(default=4, ge=1, le=1024)
    """Length of a state in the training step."""
    hidden_units: int = Field(default=16, ge=1, le=1024)
    num_actions: int = Field(default=3, ge=1, le=1000)
    batch_size: int = Field(default=32, ge=1, le=4096)
    learning_rate: float = Field(default=0.05, gt=0, le=10)
    learning_steps: int = Field(default=0, ge=0, le=2000)
    """Calls of the step, one after the other, for `training.learns` and `training.gradients`; 0
    tries neither."""
    arguments: dict[PythonName, PythonName] = Field(default_factory=dict)
    """Names under which `model`, `optimizer`, `states` and `targets` are offered, where they are
    others: `{states = "x", targets = "y"}`."""


class LearnsSettings(Record):
    """Settings of `training.learns`."""

    share: float = Field(default=0.5, gt=0, le=1)
    """Of the fall of the held-out loss that the right step reaches, what earns full marks."""


class EnvironmentSettings(GymSettings):
    """Settings of an `environment` part."""

    episodes: int = Field(default=5, ge=1, le=1000)
    """Episodes played with random actions."""
    max_steps: int = Field(default=20_000, ge=1, le=10_000_000)
    """Steps within which an episode must end."""
    compared_steps: int = Field(default=200, ge=1, le=100_000)
    """Steps compared when determinism is checked."""
    searched_lists: int = Field(default=6, ge=2, le=100)
    """Lists of random actions tried under each of two seeds, to see whether actions matter."""
    searched_steps: int = Field(default=60, ge=1, le=10_000)
    """Steps played of each of these games."""
