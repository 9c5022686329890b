"""An environment as data: which game, how it is wrapped, and by which protocol it is played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import Field, JsonValue, model_validator

from grader.records.base import Record
from grader.records.wrappers import Count, Share, Side, WrapperEntry

ATARI_PREFIX: Final = "ALE/"
"""Ids of games of the Arcade Learning Environment begin with it."""
_SET_BY_PROTOCOL: Final = {
    "frameskip": "frame_skip",
    "repeat_action_probability": "repeat_action_probability",
    "full_action_space": "full_action_space",
    "max_num_frames_per_episode": "max_frames",
    "obs_type": None,
}
"""Arguments of a game that a protocol decides, and the protocol's setting for each."""
_NOT_FOR_ASSIGNMENTS: Final = {
    "render_mode": "the grader decides what is drawn",
    "max_episode_steps": "write `max_episode_steps` beside `environment_kwargs`",
    "disable_env_checker": "the grader decides what is checked",
    "vectorization_mode": "an episode is played in one environment",
    "id": "write `environment_id`",
}
Where = tuple[str | int, ...]


class Protocol(StrEnum):
    """How a game of the Arcade Learning Environment is played."""

    MNIH_2015 = "mnih_2015"
    """Mnih et al. 2015, Human-level control through deep reinforcement learning, Nature 518,
    Methods: up to 30 no-ops at the start, every fourth frame, five minutes at most, the actions
    the game needs, and with probability 0.05 a random action in the place of the agent's."""
    MACHADO_2018 = "machado_2018"
    """Machado et al. 2018, Revisiting the Arcade Learning Environment, JAIR 61: the last action is
    repeated with probability 0.25, all 18 actions are there, every fifth frame, half an hour at
    most; no word of lives."""


class ProtocolSettings(Record):
    """What an assignment can change of a protocol; None leaves it as the protocol has it."""

    frame_skip: int | None = Field(default=None, ge=1, le=60)
    """Frames an action lasts."""
    noop_max: int | None = Field(default=None, ge=0, le=1000)
    """Most idle frames at the start; their number is drawn from 1 to this, 0 turns them off."""
    epsilon: Share | None = None
    """Share of actions that the environment's side replaces by random ones."""
    repeat_action_probability: float | None = Field(default=None, ge=0, lt=1)
    """Probability, in each frame, that the game does its action before again."""
    full_action_space: bool | None = None
    """Whether all 18 actions are there, or only those the game needs."""
    max_frames: int | None = Field(default=None, ge=1, le=10_000_000)
    """Frames after which an episode is cut; the game draws 60 in a second."""
    screen_size: Side | None = None
    """Sides of the picture in pixels."""
    stack_size: Count | None = None
    """Pictures in an observation."""


class PlayedEnvironment(Record):
    """The environment that episodes are played in; everything that decides it stands here."""

    environment_id: str = Field(min_length=1, max_length=200)
    """Registered Gymnasium id; `module:id` imports the module that registers it first."""
    environment_kwargs: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of `gymnasium.make`."""
    max_episode_steps: int | None = Field(default=None, ge=1, le=1_000_000)
    """Replaces the environment's own limit when set; counts the agent's steps."""
    protocol: Protocol | None = None
    """For games of the Arcade Learning Environment alone."""
    protocol_settings: ProtocolSettings = ProtocolSettings()
    """What is changed of the protocol."""
    wrappers: tuple[WrapperEntry, ...] = Field(default=(), max_length=20)
    """Wrappers in the order they are put on, the innermost first; after the protocol's own."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        changed = self.protocol_settings.model_dump(
            exclude_none=True
        )  # None is written out as null
        plain = {**self.plain(), "protocol_settings": changed}
        for _, text in contradictions(plain):
            raise ValueError(text)
        return self


def contradictions(settings: Mapping[str, Any]) -> Iterator[tuple[Where, str]]:
    """What in an environment's settings does not go together.

    Args:
        settings: as they stand in the file; what is not of the right form is passed over.

    Yields:
        The key that is wrong, and what is wrong with it.
    """
    protocol = settings.get("protocol")
    environment_id = settings.get("environment_id")
    kwargs = settings.get("environment_kwargs")
    if (
        protocol is not None
        and isinstance(environment_id, str)
        and not environment_id.startswith(ATARI_PREFIX)
    ):
        yield (
            ("protocol",),
            f"protocols are for games of the Arcade Learning Environment, whose ids begin with "
            f'"{ATARI_PREFIX}"; {environment_id} is none',
        )
    changes = settings.get("protocol_settings")
    changed = isinstance(changes, dict) and any(value is not None for value in changes.values())
    if changed and protocol is None:
        yield ("protocol_settings",), "there is no `protocol` whose settings these could be"
    for name in kwargs if isinstance(kwargs, dict) else ():
        if name in _NOT_FOR_ASSIGNMENTS:
            text = f"no argument of an assignment's: {_NOT_FOR_ASSIGNMENTS[name]}"
            yield ("environment_kwargs", name), text
        elif protocol is not None and name in _SET_BY_PROTOCOL:
            setting = _SET_BY_PROTOCOL[name]
            instead = f"; write `protocol_settings.{setting}`" if setting else ""
            yield ("environment_kwargs", name), f"the protocol decides this{instead}"
    yield from _wrapper_contradictions(settings.get("wrappers"), has_protocol=protocol is not None)


def _wrapper_contradictions(entries: Any, *, has_protocol: bool) -> Iterator[tuple[Where, str]]:
    if not isinstance(entries, Sequence):
        return
    drawn = 0
    for index, entry in enumerate(entries):
        name = entry.get("wrapper") if isinstance(entry, dict) else None
        if name == "AtariPreprocessing" and has_protocol:
            yield (
                ("wrappers", index),
                "the protocol puts this wrapper on already; change it by `protocol_settings`",
            )
        if name == "RandomActions":
            drawn += 1
            if drawn > 1 or has_protocol:
                other = "`protocol_settings.epsilon` is" if has_protocol else "the first of them"
                yield (
                    ("wrappers", index),
                    f"random actions are drawn once in a step; {other} enough",
                )
