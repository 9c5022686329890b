"""Makes a film from the pictures of an episode: which are shown, how small, in which colours.

The same pictures give the same bytes. A film takes less than a megabyte, whatever is in its
pictures: what is too large loses colours first and size afterwards.
"""

from __future__ import annotations

import base64
import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from grader.records.films import Film, FilmFrame
from grader.records.png import write_png

Picture = npt.NDArray[np.uint8]
"""Red, green and blue, shape (height, width, 3)."""

MAX_FRAMES: Final = 100
"""Pictures of one film."""
ENDING_STEPS: Final = 30
"""The last steps of an episode, of which none is left out."""
MAX_WIDTH: Final = 160
MAX_HEIGHT: Final = 210
"""Pixels of one picture: the screen of an Atari 2600 fits as it is."""
COLUMNS: Final = 10
"""Pictures in a row of the sheet. Side by side, equal parts of two pictures lie so close together
that they are packed as one."""
MAX_SHEET_BYTES: Final = 700_000
"""Of the PNG; it grows by a third as text."""

_SIZES: Final = ((1, 256), (0.75, 256), (0.75, 64), (0.5, 256), (0.5, 64), (0.25, 32))
"""What is left of the sides, and how many colours there may be, until a sheet is not too large."""


def shown_steps(steps: int) -> tuple[int, ...]:
    """The steps whose pictures are shown: all of a short episode.

    Of a long one the last are shown without a gap, because the ending teaches most, and those
    before it at even distances.

    Args:
        steps: length of the episode; it has one picture more, after the last step.
    """
    if steps < MAX_FRAMES:
        return tuple(range(steps + 1))
    first_of_ending = steps - ENDING_STEPS
    before = MAX_FRAMES - ENDING_STEPS - 1
    spread = (index * first_of_ending // before for index in range(before))
    return (*spread, *range(first_of_ending, steps + 1))


def make_film(
    pictures: Iterable[Picture],
    *,
    title: str,
    ending: str = "",
    actions: Sequence[str],
    rewards: Sequence[float],
    shown: Sequence[int] | None = None,
    names: Sequence[str] = (),
) -> Film:
    """A film of an episode.

    Args:
        pictures: uint8, shape (height, width, 3), all of one size; each is made small before the
            next one is asked for.
        title: what is shown.
        ending: how the episode ended, in words.
        actions: the action of every step of the episode, in words.
        rewards: of every step of the episode.
        shown: the steps that `pictures` were taken before, rising; the number of steps stands for
            the picture after the last one. None where there is a picture of every step.
        names: of all actions, in their order, where they are known.

    Raises:
        ValueError: the pictures are none, or not as many as are to be shown, or not one size; or
            a reward is not finite. Whoever made them must act.
    """
    steps = len(actions)
    if len(rewards) != steps:
        raise ValueError(f"{len(rewards)} rewards for {steps} actions")
    if shown is None:
        shown = shown_steps(steps)
        # One more than there may be, so that too many are noticed.
        taken = list(itertools.islice(pictures, steps + 2))
        if len(taken) != steps + 1:
            raise ValueError(f"{len(taken)} pictures or more of {steps} steps")
        pictures = [taken[step] for step in shown]
    small: list[Picture] = []
    sizes: set[tuple[int, ...]] = set()
    for picture in pictures:
        sizes.add(_checked(picture).shape)
        small.append(_shrunk(picture, 1 / _factor(picture)))
    if len(small) != len(shown) or not small:
        raise ValueError(f"{len(small)} pictures for {len(shown)} steps")
    if len(sizes) > 1:
        raise ValueError("pictures of several sizes")
    sheet, (height, width) = _packed(small)
    return Film(
        title=title,
        ending=ending,
        episode_return=float(np.sum(np.asarray(rewards, np.float64))),
        steps=steps,
        frame_width=width,
        frame_height=height,
        sharp=(height, width, 3) in sizes,
        columns=min(COLUMNS, len(small)),
        sheet=base64.b64encode(sheet).decode("ascii"),
        actions=tuple(names),
        frames=_frames(shown, actions, rewards, names),
    )


def with_values(film: Film, values: Sequence[Sequence[float] | None]) -> Film:
    """A film with what a network says beside its frames.

    Args:
        film: the film.
        values: for every frame the value of each action, finite, or None.
    """
    frames = (
        frame.model_copy(update={"values": None if row is None else tuple(row)})
        for frame, row in zip(film.frames, values, strict=True)
    )
    return film.model_copy(update={"frames": tuple(frames)})


def _frames(
    shown: Sequence[int], actions: Sequence[str], rewards: Sequence[float], names: Sequence[str]
) -> tuple[FilmFrame, ...]:
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    earned = np.asarray(rewards, np.float64)
    frames: list[FilmFrame] = []
    for place, step in enumerate(shown):
        total = float(earned[:step].sum())
        if place == len(shown) - 1:
            frames.append(FilmFrame(step=step, action=None, reward=None, total=total))
            break
        reward = float(earned[step : shown[place + 1]].sum())
        action = actions[step]
        taken = places.get(action)
        frames.append(FilmFrame(step=step, action=action, taken=taken, reward=reward, total=total))
    return tuple(frames)


def _checked(picture: Picture) -> Picture:
    if picture.dtype != np.uint8 or picture.shape[2:] != (3,) or 0 in picture.shape:
        raise ValueError("a picture is uint8 of shape (height, width, 3)")
    return picture


def _factor(picture: Picture) -> int:
    """By how much a picture has to shrink to fit."""
    height: int = picture.shape[0]
    width: int = picture.shape[1]
    return max(math.ceil(height / MAX_HEIGHT), math.ceil(width / MAX_WIDTH))


def _shrunk(picture: Picture, share: float) -> Picture:
    """A picture whose pixels are means of those they stand for."""
    if share == 1:
        return picture.copy()
    height, width, _ = picture.shape
    size = (max(round(width * share), 1), max(round(height * share), 1))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX), np.uint8)


def _packed(pictures: Sequence[Picture]) -> tuple[bytes, tuple[int, int]]:
    """All pictures as one PNG that is not too large; with height and width of one of them."""
    for share, colours in _SIZES:
        small = [_shrunk(picture, share) for picture in pictures]
        content = _png(small, colours)
        if len(content) <= MAX_SHEET_BYTES:
            break
    height, width, _ = small[0].shape
    return content, (height, width)


def _png(pictures: Sequence[Picture], colours: int) -> bytes:
    height, width, _ = pictures[0].shape
    columns = min(COLUMNS, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, picture in enumerate(pictures):
        top, left = index // columns * height, index % columns * width
        sheet[top : top + height, left : left + width] = picture
    return write_png(*_numbered(sheet, colours))


def _numbered(sheet: Picture, colours: int) -> tuple[Picture, Picture]:
    """Numbers of colours, and the colours: those that are there, or the nearest of a few."""
    packed = (sheet.astype(np.uint32) << np.array([16, 8, 0], np.uint32)).sum(
        axis=2, dtype=np.uint32
    )
    # A table of all colours takes a tenth of the time that sorting the pixels does.
    there = np.zeros(1 << 24, np.bool_)
    there[packed] = True
    found = np.flatnonzero(there)
    if len(found) <= colours:
        numbers = np.zeros(1 << 24, np.uint8)
        numbers[found] = np.arange(len(found))
        palette = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1)
        return numbers[packed], palette.astype(np.uint8)
    # A median cut takes seconds where all colours are there; the octree takes none to speak of.
    image = Image.fromarray(sheet).quantize(
        colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    chosen = np.asarray(image.getpalette(), np.uint8).reshape(-1, 3)
    return np.asarray(image, np.uint8), chosen
