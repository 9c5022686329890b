"""An episode as pictures that a reader can stop and step through."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from grader.records.base import Record


class FilmFrame(Record):
    """One picture of a film, and what happened when it was seen."""

    step: int = Field(ge=0)
    """Steps taken before it; 0 is the start of the episode."""
    action: str | None
    """The action taken on what is seen, in words; None in the last frame."""
    taken: int | None = Field(default=None, ge=0)
    """Where that action stands among the film's `actions`; None where they are not known."""
    reward: FiniteFloat | None
    """What was earned from here to the next frame, all steps added up; None in the last frame."""
    total: FiniteFloat
    """The episode return before that action."""
    values: tuple[FiniteFloat, ...] | None = None
    """The value of every action on what is seen, where the network is known."""


class Film(Record):
    """One episode: all pictures in one image, side by side in rows, and what stands beside each."""

    type: Literal["film"] = "film"
    title: str
    """Such as `The worst of 20 episodes`."""
    ending: str
    """How the episode ended, in words; empty where that is not known."""
    episode_return: FiniteFloat
    steps: int = Field(ge=0)
    """Length of the episode; a long one is shown with frames left out."""
    frame_width: int = Field(ge=1)
    frame_height: int = Field(ge=1)
    sharp: bool
    """Whether pixels are those of the game itself, to be shown as squares."""
    columns: int = Field(ge=1)
    """Frames in a row of the image."""
    sheet: str = Field(pattern=r"^[A-Za-z0-9+/]+=*$")
    """PNG of all frames, base64."""
    actions: tuple[str, ...] = ()
    """The actions' names, in the order of `values`; empty where actions are no plain numbers."""
    frames: tuple[FilmFrame, ...] = Field(min_length=1)
