"""Wrappers around an environment, as an assignment lists them.

Names and arguments are Gymnasium's own where Gymnasium has the wrapper; the last three are this
package's. What is left out, and why:

- reward wrappers, and `terminal_on_life_loss`: an episode return is the game's own;
- `NormalizeObservation`: it learns its scale over many episodes, and every episode has a fresh
  environment;
- `Transform…`: they take a function, and an assignment holds data;
- `TimeLimit`: that is `max_episode_steps`;
- what records, renders, checks or resets: that is the grader's side.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from grader.records.base import Record

Count = Annotated[int, Field(ge=1, le=64)]
Side = Annotated[int, Field(ge=1, le=2048)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Bound = Finite | Annotated[tuple[Finite, ...], Field(min_length=1, max_length=4096)]
"""One number for all elements, or one for each element of a flat space."""
Bins = Annotated[int, Field(ge=2, le=1000)]
Share = Annotated[float, Field(ge=0, le=1)]
DtypeName = Literal[
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"
]


class AtariPreprocessing(Record):
    """No-ops at the start, frame skip, the larger of two frames, size and grey."""

    wrapper: Literal["AtariPreprocessing"] = "AtariPreprocessing"
    noop_max: int = Field(default=30, ge=0, le=1000)
    frame_skip: int = Field(default=4, ge=1, le=60)
    screen_size: Side | tuple[Side, Side] = 84
    grayscale_obs: bool = True
    grayscale_newaxis: bool = False
    scale_obs: bool = False


class ClipAction(Record):
    """Actions outside the bounds count as the nearest inside."""

    wrapper: Literal["ClipAction"] = "ClipAction"


class DelayObservation(Record):
    """The agent sees what was some steps ago."""

    wrapper: Literal["DelayObservation"] = "DelayObservation"
    delay: int = Field(ge=0, le=1000)


class DiscretizeAction(Record):
    """Numbered actions in the place of continuous ones."""

    wrapper: Literal["DiscretizeAction"] = "DiscretizeAction"
    bins: Bins | Annotated[tuple[Bins, ...], Field(min_length=1, max_length=16)]
    multidiscrete: bool = False


class DiscretizeObservation(Record):
    """Numbered observations in the place of continuous ones."""

    wrapper: Literal["DiscretizeObservation"] = "DiscretizeObservation"
    bins: Bins | Annotated[tuple[Bins, ...], Field(min_length=1, max_length=16)]
    multidiscrete: bool = False


class DtypeObservation(Record):
    """Observations of another dtype."""

    wrapper: Literal["DtypeObservation"] = "DtypeObservation"
    dtype: DtypeName


class FilterObservation(Record):
    """Some keys of a `Dict` observation."""

    wrapper: Literal["FilterObservation"] = "FilterObservation"
    filter_keys: tuple[str, ...] = Field(min_length=1, max_length=100)


class FlattenObservation(Record):
    """Observations as one vector."""

    wrapper: Literal["FlattenObservation"] = "FlattenObservation"


class FrameStackObservation(Record):
    """The last observations together, on a new first axis."""

    wrapper: Literal["FrameStackObservation"] = "FrameStackObservation"
    stack_size: Count
    padding_type: Literal["reset", "zero"] = "reset"


class GrayscaleObservation(Record):
    """Grey pictures."""

    wrapper: Literal["GrayscaleObservation"] = "GrayscaleObservation"
    keep_dim: bool = False


class MaxAndSkipObservation(Record):
    """Every action is done several times; observed is the larger of the last two frames."""

    wrapper: Literal["MaxAndSkipObservation"] = "MaxAndSkipObservation"
    skip: int = Field(default=4, ge=2, le=60)


class RepeatAction(Record):
    """Every action is done several times; observed is the last frame."""

    wrapper: Literal["RepeatAction"] = "RepeatAction"
    num_repeats: int = Field(ge=1, le=60)


class RescaleAction(Record):
    """Actions between other bounds."""

    wrapper: Literal["RescaleAction"] = "RescaleAction"
    min_action: Bound
    max_action: Bound


class RescaleObservation(Record):
    """Observations between other bounds."""

    wrapper: Literal["RescaleObservation"] = "RescaleObservation"
    min_obs: Bound
    max_obs: Bound


class ReshapeObservation(Record):
    """Observations of another shape with as many elements."""

    wrapper: Literal["ReshapeObservation"] = "ReshapeObservation"
    shape: Annotated[tuple[Annotated[int, Field(ge=1, le=1 << 22)], ...], Field(max_length=8)]


class ResizeObservation(Record):
    """Pictures of another size: height, width."""

    wrapper: Literal["ResizeObservation"] = "ResizeObservation"
    shape: tuple[Side, Side]


class StickyAction(Record):
    """With some probability the action before is done again in the place of the agent's."""

    wrapper: Literal["StickyAction"] = "StickyAction"
    repeat_action_probability: float = Field(ge=0, lt=1)
    repeat_action_duration: Count | tuple[Count, Count] = 1

    @model_validator(mode="after")
    def _rising(self) -> Self:
        duration = self.repeat_action_duration
        if isinstance(duration, tuple) and duration[0] > duration[1]:
            raise ValueError("`repeat_action_duration` is the least and the most; swap them")
        return self


class TimeAwareObservation(Record):
    """Observations with the number of steps taken."""

    wrapper: Literal["TimeAwareObservation"] = "TimeAwareObservation"
    flatten: bool = True
    normalize_time: bool = False
    dict_time_key: str = Field(default="time", min_length=1, max_length=100)


class KeyObservation(Record):
    """The value under one key of a `Dict` observation, without the `Dict` around it."""

    wrapper: Literal["KeyObservation"] = "KeyObservation"
    key: str = Field(min_length=1, max_length=100)


class ChannelsLastObservation(Record):
    """The first of three axes becomes the last, as convolutions in Keras take pictures."""

    wrapper: Literal["ChannelsLastObservation"] = "ChannelsLastObservation"


class RandomActions(Record):
    """With some probability a uniformly random action is done in the place of the agent's.

    The environment's side draws it, from a generator that the episode's seed decides.
    """

    wrapper: Literal["RandomActions"] = "RandomActions"
    probability: Share


WrapperEntry = Annotated[
    AtariPreprocessing
    | ChannelsLastObservation
    | ClipAction
    | DelayObservation
    | DiscretizeAction
    | DiscretizeObservation
    | DtypeObservation
    | FilterObservation
    | FlattenObservation
    | FrameStackObservation
    | GrayscaleObservation
    | KeyObservation
    | MaxAndSkipObservation
    | RandomActions
    | RepeatAction
    | RescaleAction
    | RescaleObservation
    | ReshapeObservation
    | ResizeObservation
    | StickyAction
    | TimeAwareObservation,
    Field(discriminator="wrapper"),
]
"""One wrapper, told by its name."""
