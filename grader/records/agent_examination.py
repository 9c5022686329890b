"""What was tried with an agent beside playing: other observations, other weights, other starts.

Everything was decided and compared on the trusted side; from the agent come actions alone.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from grader.records.base import Record
from grader.records.incident import Incident
from grader.records.running_settings import GymSettings, PredictSettings


class ShiftedStart(Record):
    """Another start, or another variant, of the environment that is played."""

    title: str = Field(min_length=1, max_length=100)
    """What is different, as the student reads it: `the pole starts tilted`."""
    environment_kwargs: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of `gymnasium.make` that are added to the part's or replace them."""
    options: dict[str, JsonValue] | None = None
    """Options of `reset`, such as `{low = -0.1, high = 0.1}` for CartPole."""


class ExaminedAgent(GymSettings, PredictSettings):
    """Settings of what is tried beside playing; each is off by itself."""

    step_time_ms: float | None = Field(default=None, gt=0, le=60_000)
    """Milliseconds of processor time that a step may take, for `agent.step_time`."""
    examine_observations: bool = False
    """Shows the agent observations in another order and other observations, for
    `agent.observes`."""
    examine_network: bool = False
    """Changes the weights of the networks the agent holds, for `agent.uses_network`."""
    examine_memory: bool = False
    """Shows an episode to an agent in a process that has seen others, for `agent.stateless`."""
    shifted_starts: Annotated[tuple[ShiftedStart, ...], Field(max_length=10)] = ()
    """Other starts and variants, each played on the part's seeds, for `agent.generalises`."""
    learning_steps: int = Field(default=0, ge=0, le=10_000_000)
    """Steps in the environment that the agent may train for, for `agent.learns`; the limits of the
    part have to leave room for them."""
    learning_rounds: int = Field(default=2, ge=1, le=20)
    """Times that training is called, each with its share of the steps."""
    learning_episodes: int = Field(default=10, ge=2, le=100)
    """Episodes that are played before the training and after each round."""


# --- the trials ---------------------------------------------------------------------------------


class StepTimeTrial(Record):
    """How long steps took, on a coarse scale, so that it is the same in every run."""

    limit_ms: float
    at_most: float | None = None
    """The smallest of 0.1, 0.2, 0.5, 1, 2, 5, 10, … times the limit that 95 % of the steps kept,
    within a tolerance; None where no step was timed."""
    steps: int = 0
    warm_up: int = 0
    """Steps in front of them that were not timed."""
    incident: Incident | None = None


class ActionsTrial(Record):
    """Actions of an agent, compared with those it takes otherwise."""

    label: str
    """What was different."""
    compared: int = 0
    changed: int = 0
    """Actions that were others."""
    incident: Incident | None = None


class NetworkTrial(Record):
    """What became of an agent's actions when the weights of its networks were changed."""

    networks: tuple[str, ...] = ()
    """Where they were found."""
    unchanged: ActionsTrial | None = None
    """The same agent again, with its own weights."""
    trials: tuple[ActionsTrial, ...] = ()
    """With other weights."""
    incident: Incident | None = None


class TrialEpisode(Record):
    """One episode of a trial, enough to play it again without the student's code."""

    seed: int
    actions: tuple[int | float | tuple[int | float, ...], ...] = ()
    episode_return: float = 0.0
    invalid_action: str | None = None
    incident: Incident | None = None


class ShiftedTrial(Record):
    """Episodes from another start."""

    title: str
    episodes: tuple[TrialEpisode, ...] = ()
    random_returns: tuple[float, ...] = ()
    """What a random agent reaches on the same seeds from that start."""


class LearningPoint(Record):
    """What an agent reached after a number of steps of training."""

    steps: int
    episodes: tuple[TrialEpisode, ...] = ()


class LearningCurve(Record):
    """How an agent played before, during and after training."""

    networks: tuple[str, ...] = ()
    """Networks whose weights were shuffled before, so that it starts untrained."""
    unresolved: tuple[str, ...] = ()
    """Methods of the agent, where it has none to train it."""
    accepted: tuple[str, ...] = ()
    """Names of such a method."""
    points: tuple[LearningPoint, ...] = ()
    incident: Incident | None = None
    """What ended the training."""


class AgentExamination(Record):
    """Trials that checks beside the performance ask for; None for what was not asked for."""

    step_time: StepTimeTrial | None = None
    observations: tuple[ActionsTrial, ...] = ()
    network: NetworkTrial | None = None
    memory: tuple[ActionsTrial, ...] = ()
    shifted: tuple[ShiftedTrial, ...] = ()
    learning: LearningCurve | None = None


# --- settings of the checks ---------------------------------------------------------------------


class ChangedActionsSettings(Record):
    """Settings of `agent.observes` and `agent.uses_network`."""

    changed: float = Field(default=0.02, gt=0, le=1)
    """Share of the actions that has to change, in the trial in which most do."""


class GeneralisesSettings(Record):
    """Settings of `agent.generalises`."""

    full_marks_at: float = Field(default=0.8, gt=0, le=10)
    """Share of its ordinary return above random play that earns full marks from another start."""
    no_marks_at: float = Field(default=0.0, ge=-10, lt=10)
    """Share that earns nothing; linear between."""
    bootstrap_samples: int = Field(default=10_000, ge=100, le=1_000_000)
    """Resamplings for the interval shown beside the share."""
    bootstrap_seed: int = Field(default=13, ge=0)


class AgentLearnsSettings(Record):
    """Settings of `agent.learns`."""

    gain: float = Field(gt=0)
    """Growth of the mean return, from before the training to after it, that earns full marks."""
    bootstrap_samples: int = Field(default=10_000, ge=100, le=1_000_000)
    """Resamplings for the interval of the growth."""
    bootstrap_seed: int = Field(default=13, ge=0)
