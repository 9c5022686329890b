"""What an assignment can set for a part that plays, and for the checks of its episodes."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import Field, FiniteFloat, model_validator

from grader.records.agent_examination import ExaminedAgent
from grader.records.base import Record
from grader.records.environments import PlayedEnvironment
from grader.records.spec import FileName

_MOST_NORMALIZED: Final = 10.0
"""Bounds of a normalised score that marks may hang on, up and down."""
_FEWEST_SAMPLES: Final = 1000
"""Resamplings below which the end of an interval is too rough to decide marks."""


class AgentSettings(PlayedEnvironment, ExaminedAgent):
    """Settings of an `agent` part."""

    replayed_episodes: int = Field(default=2, ge=1, le=100)
    """Episodes whose observations are shown again to a second agent."""
    episodes_per_process: int = Field(default=1, ge=1, le=1000)
    """Episodes that one process plays before the next one starts. With 1, nothing that an episode
    leaves behind can reach another one; with more, files that take long to import are imported less
    often, and what they keep outside their agents lives on from one episode to the next."""
    weights_file: FileName | None = None
    """Weights that are loaded into the network that is handed in where there is no agent."""
    model_file: FileName | None = None
    """A saved `.keras` model that is handed in where there is no agent; with the same name as the
    part's `file` no code is asked for."""

    def played(self) -> PlayedEnvironment:
        """The environment alone."""
        return environment_alone(self)


def environment_alone(settings: PlayedEnvironment) -> PlayedEnvironment:
    """The environment of settings that say more than that."""
    names = PlayedEnvironment.model_fields
    return PlayedEnvironment.model_validate({name: getattr(settings, name) for name in names})


class Rule(StrEnum):
    """How a result turns into points."""

    LINEAR = "linear"
    """Nothing at `no_marks_at`, everything at `full_marks_at`, in proportion between."""
    THRESHOLD = "threshold"
    """Everything from `full_marks_at`, nothing below."""
    TIERS = "tiers"
    """The share of the highest of the `tiers` that is reached."""


class Measure(StrEnum):
    """Which result the points hang on."""

    NORMALIZED = "normalized"
    """(student − random) / (reference − random) of the mean returns."""
    MEAN_RETURN = "mean_return"
    """The mean episode return."""
    IQM = "iqm"
    """The interquartile mean: the mean of the middle half of the episode returns."""


class Decides(StrEnum):
    """Which number of a result is held against the bar."""

    ESTIMATE = "estimate"
    """The result itself."""
    INTERVAL_LOW = "interval_low"
    """The lower end of its 95 % interval: what is sure counts, luck does not."""


class InvalidActionRule(StrEnum):
    """What an episode counts with that an action outside the space ended."""

    END = "end"
    """The return so far; in games with negative rewards, at most a random agent's."""
    RANDOM = "random"
    """At most a random agent's return on the same seed, in every game."""
    NOTHING = "nothing"
    """The lowest of the random agent's returns, and never more than the return so far."""


class Tier(Record):
    """One step of a rule in tiers."""

    at: FiniteFloat
    """The result it is reached at."""
    share: float = Field(gt=0, le=1)
    """The share of the points it earns."""


class PerformanceSettings(Record):
    """Settings of `agent.performance`."""

    rule: Rule = Rule.LINEAR
    """How the result turns into points: `linear`, `threshold` or `tiers`."""
    measure: Measure = Measure.NORMALIZED
    """The result: `normalized`, `mean_return` or `iqm`."""
    decides: Decides = Decides.ESTIMATE
    """The number held against the bar: the `estimate`, or `interval_low`, the lower end of its
    95 % interval."""
    full_marks_at: FiniteFloat = 0.95
    """Result that earns full marks, in units of `measure`."""
    no_marks_at: FiniteFloat = 0.0
    """Result that earns nothing; linear between."""
    tiers: Annotated[tuple[Tier, ...], Field(max_length=20)] = ()
    """For `rule = "tiers"`: results, and the share of the points each earns, both rising; the last
    share is 1."""
    invalid_action: InvalidActionRule = InvalidActionRule.END
    """What an episode counts with that an action outside the space ended: `end`, `random` or
    `nothing`."""
    bootstrap_samples: int = Field(default=10_000, ge=100, le=1_000_000)
    """Resamplings for the intervals."""
    bootstrap_seed: int = Field(default=13, ge=0)

    @property
    def bars(self) -> tuple[tuple[float, float], ...]:
        """Results at which points begin, end or jump, each with the share earned there, rising."""
        match self.rule:
            case Rule.LINEAR:
                return ((self.no_marks_at, 0.0), (self.full_marks_at, 1.0))
            case Rule.THRESHOLD:
                return ((self.full_marks_at, 1.0),)
            case Rule.TIERS:
                return tuple((tier.at, tier.share) for tier in self.tiers)

    @model_validator(mode="after")
    def _keys_of_the_rule(self) -> Self:
        given = self.model_fields_set
        raw = self.measure is not Measure.NORMALIZED
        match self.rule:
            case Rule.LINEAR:
                foreign, needed = {"tiers"}, {"full_marks_at", "no_marks_at"} if raw else set()
            case Rule.THRESHOLD:
                foreign, needed = {"tiers", "no_marks_at"}, {"full_marks_at"} if raw else set()
            case Rule.TIERS:
                foreign, needed = {"full_marks_at", "no_marks_at"}, {"tiers"}
        for name in sorted(foreign & given):
            raise ValueError(f'`{name}` means nothing with rule = "{self.rule}"; leave it out')
        for name in sorted(needed - given):
            raise ValueError(
                f'rule = "{self.rule}" with measure = "{self.measure}" needs `{name}`, in units of '
                f"{'the episode return' if raw else 'the normalised score'}"
            )
        return self

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.rule is Rule.LINEAR and not self.full_marks_at > self.no_marks_at:
            raise ValueError("full_marks_at must be above no_marks_at")
        if self.rule is Rule.TIERS:
            if not self.tiers:
                raise ValueError('rule = "tiers" needs at least one of them in `tiers`')
            for name in ("at", "share"):
                values = [getattr(tier, name) for tier in self.tiers]
                if any(a >= b for a, b in pairwise(values)):
                    raise ValueError(f"`{name}` must rise from one of the tiers to the next")
            if self.tiers[-1].share != 1:
                raise ValueError("the last of the tiers must have share = 1, or nobody could pass")
        return self

    @model_validator(mode="after")
    def _within_reach(self) -> Self:
        if self.measure is Measure.NORMALIZED:
            for at, share in self.bars:
                if abs(at) > _MOST_NORMALIZED or (share == 1 and at <= 0):
                    raise ValueError(
                        f"{at:g} is no such normalised score: 0 is random play and 1 the "
                        f"reference; full marks must be above 0, and all from "
                        f"{-_MOST_NORMALIZED:g} to {_MOST_NORMALIZED:g}"
                    )
        if self.decides is Decides.INTERVAL_LOW and self.bootstrap_samples < _FEWEST_SAMPLES:
            raise ValueError(
                f'decides = "interval_low" needs bootstrap_samples of at least {_FEWEST_SAMPLES}'
            )
        return self
