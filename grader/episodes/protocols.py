"""Protocols of the Arcade Learning Environment, spelt out as arguments and wrappers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from grader.records.environments import PlayedEnvironment, Protocol
from grader.records.wrappers import (
    AtariPreprocessing,
    ChannelsLastObservation,
    FrameStackObservation,
    RandomActions,
    WrapperEntry,
)


@dataclass(frozen=True)
class Parameters:
    """What a protocol decides; the fields are those of `ProtocolSettings`."""

    frame_skip: int
    noop_max: int
    epsilon: float
    repeat_action_probability: float
    full_action_space: bool
    max_frames: int
    screen_size: int = 84
    stack_size: int = 4


PARAMETERS: Final[Mapping[Protocol, Parameters]] = MappingProxyType(
    {
        # Nature 518, Methods ("Evaluation procedure") and Extended Data Table 1.
        Protocol.MNIH_2015: Parameters(
            frame_skip=4,
            noop_max=30,
            epsilon=0.05,
            repeat_action_probability=0.0,
            full_action_space=False,
            max_frames=18_000,
        ),
        # JAIR 61. The sticky actions take the place of the no-ops and of epsilon. The cap is the
        # one that `ALE/…-v5` has.
        Protocol.MACHADO_2018: Parameters(
            frame_skip=5,
            noop_max=0,
            epsilon=0.0,
            repeat_action_probability=0.25,
            full_action_space=True,
            max_frames=108_000,
        ),
    }
)


@dataclass(frozen=True)
class Plan:
    """What is made, and what is put around it."""

    kwargs: Mapping[str, JsonValue]
    """Arguments of `gymnasium.make`."""
    wrappers: tuple[WrapperEntry, ...]
    """The innermost first."""
    listed_from: int = 0
    """Position of the first wrapper that the assignment lists itself."""


def plan(settings: PlayedEnvironment) -> Plan:
    """Spells out an environment's protocol, if it has one.

    The wrappers that the assignment lists stand after the protocol's pictures and before its
    random actions, so that these are drawn from the actions the agent has.
    """
    if settings.protocol is None:
        return Plan(settings.environment_kwargs, settings.wrappers)
    changes = settings.protocol_settings.model_dump(exclude_none=True)
    chosen = replace(PARAMETERS[settings.protocol], **changes)
    pictures: tuple[WrapperEntry, ...] = (
        AtariPreprocessing(
            noop_max=chosen.noop_max,
            frame_skip=chosen.frame_skip,
            screen_size=chosen.screen_size,
        ),
        FrameStackObservation(stack_size=chosen.stack_size),
        ChannelsLastObservation(),
    )
    drawn = (RandomActions(probability=chosen.epsilon),) if chosen.epsilon else ()
    return Plan(
        kwargs={
            **settings.environment_kwargs,
            "frameskip": 1,
            "obs_type": "grayscale",  # the wrapper asks the emulator itself, and colours cost time
            "repeat_action_probability": chosen.repeat_action_probability,
            "full_action_space": chosen.full_action_space,
            "max_num_frames_per_episode": chosen.max_frames,
        },
        wrappers=(*pictures, *settings.wrappers, *drawn),
        listed_from=len(pictures),
    )
