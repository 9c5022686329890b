"""What was seen when an environment was played: broken rules, episodes, and runs compared."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from grader.records.base import Record
from grader.records.evidence import PartEvidence
from grader.records.films import Film
from grader.records.incident import Incident


class EnvironmentRule(StrEnum):
    """Rules of Gymnasium's API, and of good games, that an environment can break."""

    NOT_AN_ENV = "not_an_env"
    NO_OBSERVATION_SPACE = "no_observation_space"
    NO_ACTION_SPACE = "no_action_space"
    RESET_SIGNATURE = "reset_signature"
    RESET_RETURN = "reset_return"
    RESET_INFO = "reset_info"
    RESET_OBSERVATION = "reset_observation"
    STEP_RETURN = "step_return"
    STEP_OBSERVATION = "step_observation"
    REWARD_TYPE = "reward_type"
    REWARD_NOT_FINITE = "reward_not_finite"
    TERMINATED_TYPE = "terminated_type"
    TRUNCATED_TYPE = "truncated_type"
    STEP_INFO = "step_info"
    NEVER_ENDS = "never_ends"
    RAISED_IN_RESET = "raised_in_reset"
    RAISED_IN_STEP = "raised_in_step"
    RESET_AFTER_END = "reset_after_end"
    OBSERVATION_OVERWRITTEN = "observation_overwritten"
    """An observation changes after it was returned."""
    OBSERVATION_SHARED = "observation_shared"
    """Two calls return one object, or arrays in the same memory; it did not change so far."""
    INFO_SHARED = "info_shared"
    """Two calls return one info."""
    INFO_KEYS = "info_keys"
    """The keys of the info differ from step to step."""
    ACTION_OVERWRITTEN = "action_overwritten"
    """`step` changes the action it was given."""
    SPACE_CHANGES = "space_changes"
    """A space is another one after playing, or in another object of the class."""
    GENERATOR_NOT_SEEDED = "generator_not_seeded"
    """`reset(seed=…)` does not seed `self.np_random`."""
    INVALID_ACTION = "invalid_action"
    """An action outside the space is taken and spoils the game."""
    STEP_AFTER_END = "step_after_end"
    """A step after the end of an episode ends the process or does not come back."""
    STEP_BEFORE_RESET = "step_before_reset"
    """A step before the first `reset` ends the process or does not come back."""
    NOT_MADE = "not_made"
    """`gymnasium.make` fails."""
    NOT_WRAPPED = "not_wrapped"
    """The environment fails inside a wrapper of Gymnasium."""
    CLOSE = "close"
    """`close` fails, or the second time."""
    NO_METADATA = "no_metadata"
    RENDER_MODE = "render_mode"
    RENDER_FPS = "render_fps"
    RENDER_FAILED = "render_failed"
    RENDER_FORM = "render_form"
    """What `render` returns is not what its mode promises."""
    RENDER_SHAPE = "render_shape"
    """Pictures of different sizes."""
    RENDER_TOO_LARGE = "render_too_large"
    RENDER_CONSTANT = "render_constant"
    """All pictures are the same though the observations differ."""
    RENDER_CHANGES_GAME = "render_changes_game"
    CHECKER = "checker"
    """Gymnasium's own checker objects."""
    CHECKER_WARNING = "checker_warning"
    SEED_IGNORED = "seed_ignored"
    """Different seeds, one and the same episode, although the space of starts allows more."""
    SAME_GAME_AGAIN = "same_game_again"
    """`reset()` without a seed plays the game of the last seed again and again."""
    NEXT_GAME_DIFFERS = "next_game_differs"
    """The game after the first one is not decided by the seed of the first."""
    INSTANCES_SHARE = "instances_share"
    """Two environments in one process disturb each other."""
    GLOBAL_RANDOM = "global_random"
    """The generators of the whole process, `random` or `np.random`, are used."""


class Violation(Record):
    """A rule that was broken: how often, and the first time in detail."""

    rule: EnvironmentRule
    count: int = 1
    expected: str = ""
    received: str = ""
    at: str = ""
    """Such as `step 3 after reset(seed=11)`."""
    line: int | None = None
    """Line of the part's file, where one is known; the worker's word."""
    incident: Incident | None = None


class EnvironmentEpisode(Record):
    """One episode of the student's environment, played with random actions."""

    seed: int
    steps: int
    episode_return: float
    ended: bool
    terminated: bool = False
    truncated: bool = False
    varied: bool = False
    """Whether rewards of two steps differ."""


class EnvironmentTrial(Record):
    """Two runs of the environment with one seed and the same actions."""

    seed: int
    compared: int
    """Steps compared, the reset counted as one."""
    difference: int | None = None
    """First step that differs; 0 is the reset."""
    what: str = ""
    """`observation`, `reward`, `terminated` or `truncated`."""
    first: str = ""
    second: str = ""
    processes: Literal["same", "separate"] = "separate"
    incident: Incident | None = None


class ChoiceTrial(Record):
    """Games under one seed that differ in nothing but the actions."""

    seed: int
    returns: tuple[FiniteFloat, ...]
    """Episode return of every game, as far as it was played."""
    distinct_games: int
    """How many of them differ, in observations, rewards or ends."""
    distinct_results: int
    """How many of them differ in rewards or ends."""


class EnvironmentEvidence(PartEvidence):
    """Evidence of an environment."""

    kind: Literal["environment"] = "environment"
    observation_space: str = ""
    action_space: str = ""
    violations: tuple[Violation, ...] = ()
    episodes: tuple[EnvironmentEpisode, ...] = ()
    trials: tuple[EnvironmentTrial, ...] = ()
    choices: tuple[ChoiceTrial, ...] = ()
    render_modes: tuple[str, ...] = ()
    """Those named in the metadata, as far as they are texts."""
    film: Film | None = None
    """An episode of random actions, drawn."""
    picture_text: Annotated[str, Field(max_length=4000)] = ""
    """What `render` returns as a text."""
    finished: bool = False
    """Whether everything that conformance asks for was tried."""
