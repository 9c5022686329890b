"""How a film of an episode is shown: in a report, and as a page of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from grader.records.films import Film, FilmFrame
from grader.reporting.document import render_page
from grader.reporting.wording import count_of, fixed_text, number_text

_KEY_FRAMES: Final = 6
"""Pictures of the strip that stands for the film on paper and without a script."""


@dataclass(frozen=True)
class ValueView:
    """The value of one action."""

    text: str
    width: float
    """Of its bar, in per cent."""


@dataclass(frozen=True)
class FrameView:
    """One frame in words."""

    number: int
    """From 0, as in the sheet."""
    x: int
    y: int
    """Left upper corner in the sheet, in pixels."""
    step: int
    action: str
    taken: int
    """Place of the action among the film's; −1 where there is none."""
    reward: str
    total: str
    values: tuple[ValueView, ...]


@dataclass(frozen=True)
class FilmView:
    """A film in words and numbers, ready for the template."""

    title: str
    summary: str
    url: Markup
    width: int
    height: int
    sheet_width: int
    sheet_height: int
    sharp: bool
    steps: int
    frames: tuple[FrameView, ...]
    key_frames: tuple[FrameView, ...]
    actions: tuple[str, ...]
    """Names beside the bars; empty where no values are known."""
    scale: str
    """From which value to which the bars reach; empty without values."""
    left_out: str
    """How many steps are not shown; empty if none."""


def film_view(film: Film) -> FilmView:
    """All words, numbers and places of a film."""
    count = len(film.frames)
    rows = -(-count // film.columns)
    known = [value for frame in film.frames for value in frame.values or ()]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    scale = _Scale(low, high)
    frames = tuple(
        _frame_view(film, number, frame, scale) for number, frame in enumerate(film.frames)
    )
    shown = min(_KEY_FRAMES, count)
    keys = [index * (count - 1) // max(shown - 1, 1) for index in range(shown)]
    missing = film.steps + 1 - count
    return FilmView(
        title=film.title,
        summary=f"Return {number_text(film.episode_return)} in {count_of(film.steps, 'step')}. "
        f"{film.ending}".strip(),
        # The record holds nothing but base64 here, and a page cuts plain text that is so long.
        url=Markup(f"data:image/png;base64,{film.sheet}"),  # noqa: S704
        width=film.frame_width,
        height=film.frame_height,
        sheet_width=film.frame_width * film.columns,
        sheet_height=film.frame_height * rows,
        sharp=film.sharp,
        steps=film.steps,
        frames=frames,
        key_frames=tuple(frames[key] for key in keys),
        actions=_value_names(film),
        scale=f"{scale.text(low)} to {scale.text(high)}" if known else "",
        left_out=f"{count_of(count, 'moment')} of {film.steps + 1:,} are shown, the last "
        f"{_dense(film.frames)} one by one." if missing else "",
    )  # fmt: skip


@dataclass(frozen=True)
class _Scale:
    """From the smallest to the largest value of a film."""

    low: float
    high: float

    def text(self, value: float) -> str:
        """Four digits of the largest, so that differences line up."""
        largest = max(abs(self.low), abs(self.high))
        if not 1e-2 <= largest < 1e6:
            return number_text(value)
        return fixed_text(value, max(0, 3 - math.floor(math.log10(largest))))

    def width(self, value: float) -> float:
        """Of a bar, in per cent; a sliver stays of the smallest, so that it is seen."""
        # Halves, because the span of two large numbers may be infinite.
        span = self.high / 2 - self.low / 2
        return round(4 + 96 * ((value / 2 - self.low / 2) / span), 1) if span > 0 else 100.0


def _frame_view(film: Film, number: int, frame: FilmFrame, scale: _Scale) -> FrameView:
    return FrameView(
        number=number,
        x=number % film.columns * film.frame_width,
        y=number // film.columns * film.frame_height,
        step=frame.step,
        action=frame.action or "",
        taken=-1 if frame.taken is None else frame.taken,
        reward="" if frame.reward is None else number_text(frame.reward),
        total=number_text(frame.total),
        values=tuple(
            ValueView(scale.text(value), scale.width(value)) for value in frame.values or ()
        ),
    )


def _value_names(film: Film) -> tuple[str, ...]:
    count = max((len(frame.values or ()) for frame in film.frames), default=0)
    return film.actions if len(film.actions) == count else tuple(map(str, range(count)))


def _dense(frames: tuple[FilmFrame, ...]) -> int:
    """How many steps at the end follow each other without a gap."""
    count = 0
    while count + 1 < len(frames) and frames[-count - 2].step == frames[-count - 1].step - 1:
        count += 1
    return count


def film_page(film: Film) -> str:
    """A film as one HTML page that needs no network and no other file.

    Args:
        film: the film.
    """
    return render_page(
        "film_page.html.jinja",
        styles=("page.css", "film.css"),
        scripts=("film.js",),
        film=film,
        film_view=film_view,
    )
