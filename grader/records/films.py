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
    reward: FiniteFloat | None
    """What that action earned, all steps up to the next frame added up."""
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
    """How the episode ended, in words."""
    episode_return: FiniteFloat
    steps: int
    """Length of the episode; a long one is shown with frames left out."""
    frame_width: int = Field(ge=1)
    frame_height: int = Field(ge=1)
    columns: int = Field(ge=1)
    """Frames in a row of the image."""
    sheet: str
    """PNG of all frames, base64."""
    actions: tuple[str, ...] = ()
    """The actions' names, in the order of `values`."""
    frames: tuple[FilmFrame, ...]
