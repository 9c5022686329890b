"""Asks an environment for pictures of a game: `render`, its modes, and `close`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.episodes.film_sheet import make_film, shown_steps
from grader.episodes.filming import as_picture
from grader.probes.environment_game import Game, number_of, unfit
from grader.probes.environment_runs import COMPARED_SEEDS, Actions, Trace, call_of, compare, told
from grader.probes.environment_violations import Violations
from grader.records.environment_evidence import EnvironmentRule
from grader.records.films import Film
from grader.records.messages import DescribeSpaces, Invoke
from grader.records.text import clean_line, clean_text
from grader.records.wire import describe, encode
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Rule = EnvironmentRule

PICTURE_MODES: Final = ("rgb_array", "ansi")
"""Modes that give something which can cross a process boundary."""
MAX_PIXELS: Final = 1 << 20
"""Largest picture that is looked at: 1024 × 1024."""
_LARGE_BYTES: Final = 600_000
_MAX_TEXT_CHARS: Final = 3000
_FEW: Final = 3
"""So many different observations make it no accident that all pictures are alike."""
_TEXT_STEPS: Final = 10
_SHOWN_NUMBERS: Final = 4
_ACTION_CHARS: Final = 40


@dataclass
class Pictures:
    """What came of asking for pictures."""

    film: Film | None = None
    text: str = ""


@dataclass
class _Shot:
    """What one game looked like in one mode."""

    answers: Trace
    taken: list[str] = field(default_factory=list)
    """The actions, in words."""
    shown: list[int] = field(default_factory=list)
    pictures: list[Any] = field(default_factory=list)
    shape: tuple[int, ...] = ()
    """Of the first picture."""
    digests: set[bytes] = field(default_factory=set)
    """As many as there are different pictures."""


def check_declared(modes: tuple[str, ...], fps: object, violations: Violations) -> None:
    """Looks at what the metadata say of rendering."""
    if not modes:
        return
    good = isinstance(fps, int | float | np.integer | np.floating) and not isinstance(fps, bool)
    if not good or not fps > 0:  # type: ignore[operator]
        violations.add(
            Rule.RENDER_FPS,
            expected='metadata["render_fps"], a number above 0',
            received="none" if fps is None else fps,
        )


def take_pictures(
    worker: Worker,
    modes: tuple[str, ...],
    actions: Actions,
    alone: Trace,
    violations: Violations,
    *,
    deterministic: bool,
) -> Pictures:
    """Plays a game once for each mode and renders it.

    Args:
        worker: holds the class; it may be gone afterwards.
        modes: those that the metadata name.
        actions: random actions.
        alone: the game of the first of the compared seeds, played without rendering.
        violations: added to.
        deterministic: whether a game with rendering has to be the one without.
    """
    taken = Pictures()
    asked = [mode for mode in PICTURE_MODES if mode in modes]
    try:
        for mode in asked:
            shot = _shoot(worker, mode, actions, alone, violations, deterministic=deterministic)
            if shot is None or not shot.pictures:
                continue
            if mode == "ansi":
                taken.text = clean_text(shot.pictures[-1], _MAX_TEXT_CHARS)
            else:
                taken.film = _film(shot)
        _close(worker, violations)
    except WorkerIncident:
        pass  # noted where it happened
    if taken.film is None:
        taken.film = _film_of_observations(alone, actions)
    return taken


def action_words(action: Any) -> str:
    """An action as it stands beside a picture."""
    if isinstance(action, np.integer):
        return str(int(action))
    if isinstance(action, np.ndarray) and action.size <= _SHOWN_NUMBERS:
        return ", ".join(f"{number:.3g}" for number in action.ravel().tolist())
    return clean_line(describe(action), _ACTION_CHARS)


def _shoot(
    worker: Worker,
    mode: str,
    actions: Actions,
    alone: Trace,
    violations: Violations,
    *,
    deterministic: bool,
) -> _Shot | None:
    call = f'GameEnv(render_mode="{mode}")'
    try:
        worker.ask(
            Invoke(target="env_class", arguments={"render_mode": mode}, exact=True, keep="shown"),
            f"making {call}",
        )
        described = worker.ask(DescribeSpaces(target="shown"), f"reading {call}")
    except WorkerIncident as error:
        rule = Rule.RENDER_MODE if unfit(error.incident) else Rule.RENDER_FAILED
        violations.raised(rule, error, expected=f"{call} works", at=call, variant="argument")
        if error.final:
            raise
        return None
    kept = described.get("render_mode") if isinstance(described, dict) else None
    if kept != mode:
        violations.add(
            Rule.RENDER_MODE, expected=f'`self.render_mode` is "{mode}" after {call}',
            received=kept, variant="kept",
        )  # fmt: skip
    return _played(worker, mode, actions, alone, violations, deterministic=deterministic)


def _played(
    worker: Worker,
    mode: str,
    actions: Actions,
    alone: Trace,
    violations: Violations,
    *,
    deterministic: bool,
) -> _Shot | None:
    seed = COMPARED_SEEDS[0]
    game = Game(worker, Violations(), None, "shown")
    actions.restart(seed)
    start = game.reset(seed, call_of(seed))
    if start is None or not alone:
        return None
    shot = _Shot([(start.observation, 0.0, False, False)])
    last = len(alone) - 1
    wanted = set(shown_steps(last)) if mode == "rgb_array" else set(range(_TEXT_STEPS))
    good = True
    for number in range(len(alone)):
        if number:
            action = actions.draw()
            step = game.step(action, f"step {number} after {call_of(seed)}")
            if step is None:
                break
            shot.taken.append(action_words(action))
            shot.answers.append(tuple(step))
        if good and number in wanted:
            at = f"render() after step {number}" if number else "render() after reset"
            picture = _rendered(worker, mode, at, shot, violations)
            good = picture is not None
            if good:
                shot.shown.append(number)
                shot.digests.add(hashlib.sha256(encode(picture)).digest())
                shot.pictures.append(_smaller(picture))
        if number and shot.answers[-1][2:] != (False, False):
            break
    trial = compare(alone, shot.answers, seed, "same")
    if deterministic and trial.difference is not None:
        violations.add(
            Rule.RENDER_CHANGES_GAME,
            expected="the same game with and without rendering",
            received=told(trial),
            at=f'render_mode="{mode}"',
        )
    if good:
        _compare_pictures(mode, shot, violations)
    return shot if good else None


def _rendered(worker: Worker, mode: str, at: str, shot: _Shot, violations: Violations) -> Any:
    """One picture; None when there is none that can be used."""
    try:
        picture = worker.ask(Invoke(target="shown", method="render"), f"calling {at}")
    except WorkerIncident as error:
        violations.raised(
            Rule.RENDER_FAILED, error, expected="a picture" if mode == "rgb_array" else "a text",
            at=f'{at}, render_mode="{mode}"', variant=mode,
        )  # fmt: skip
        if error.final:
            raise
        return None
    wrong = _misformed(mode, picture)
    if wrong:
        violations.add(
            Rule.RENDER_FORM, expected=wrong, received=picture,
            at=f'{at}, render_mode="{mode}"', variant=mode,
        )  # fmt: skip
        return None
    if mode == "ansi":
        return picture
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        violations.add(
            Rule.RENDER_TOO_LARGE,
            expected=f"at most {MAX_PIXELS} pixels; 400 × 400 is plenty",
            received=f"{picture.shape[1]} × {picture.shape[0]} pixels",
            at=at,
        )
        return None
    shot.shape = shot.shape or picture.shape
    if picture.shape != shot.shape:
        violations.add(
            Rule.RENDER_SHAPE,
            expected=f"the shape {shot.shape} of the first picture",
            received=f"the shape {picture.shape}",
            at=at,
        )
        return None
    return picture


def _smaller(picture: Any) -> Any:
    """A picture as it is kept until the film is made: of a large one every second pixel."""
    if isinstance(picture, str) or picture.nbytes <= _LARGE_BYTES:
        return picture
    return picture[::2, ::2].copy()


def _misformed(mode: str, picture: Any) -> str:
    """What was expected of a picture that has another form; empty when its form is right."""
    if mode == "ansi":
        return "" if isinstance(picture, str) else "a str"
    good = (
        isinstance(picture, np.ndarray)
        and picture.dtype == np.uint8
        and picture.ndim == 3
        and picture.shape[2] == 3
        and 0 not in picture.shape
    )
    return "" if good else "an array of uint8, shape (height, width, 3)"


def _compare_pictures(mode: str, shot: _Shot, violations: Violations) -> None:
    observations = {encode(shot.answers[number][0]) for number in shot.shown}
    if len(observations) >= _FEW and len(shot.digests) == 1:
        violations.add(
            Rule.RENDER_CONSTANT,
            expected="a picture of the state of the game",
            received=f"{len(shot.pictures)} times the same in a game in which "
            f"{len(observations)} different things were observed",
            at=f'render_mode="{mode}"',
        )


def _close(worker: Worker, violations: Violations) -> None:
    """Closes an environment twice, as wrappers and `with` together do."""
    worker.ask(Invoke(target="env_class", arguments={}, keep="shown"), "making the environment")
    for at in ("close()", "close(), the second time"):
        try:
            worker.ask(Invoke(target="shown", method="close"), f"calling {at}")
        except WorkerIncident as error:
            if not _has_no_close(error):
                violations.raised(Rule.CLOSE, error, expected="nothing happens", at=at)
            return


def _has_no_close(error: WorkerIncident) -> bool:
    """Whether a class that is no `gymnasium.Env` lacks the method; that it is none is told."""
    return error.incident.error_type == "AttributeError" and not error.incident.frames


# --- films --------------------------------------------------------------------------------------


def _film(shot: _Shot) -> Film | None:
    return _made(shot.pictures, shot.answers, shot.taken, tuple(shot.shown))


def _film_of_observations(answers: Trace, actions: Actions) -> Film | None:
    """A film of what an agent sees, where that is an image."""
    if not answers or as_picture(answers[0][0]) is None:
        return None
    shown = shown_steps(len(answers) - 1)
    pictures: list[npt.NDArray[np.uint8]] = []
    for number in shown:
        picture = as_picture(answers[number][0])
        if picture is None or picture.size > 3 * MAX_PIXELS:
            return None
        pictures.append(picture)
    actions.restart(COMPARED_SEEDS[0])
    taken = [action_words(actions.draw()) for _ in answers[1:]]
    return _made(pictures, answers, taken, shown)


def _made(
    pictures: list[npt.NDArray[np.uint8]],
    answers: Trace,
    taken: list[str],
    shown: tuple[int, ...],
) -> Film | None:
    if shown != shown_steps(len(answers) - 1):
        return None  # the game with pictures was another one, and that is told
    _, _, terminated, truncated = answers[-1]
    ending = (
        "The game ended it (terminated)." if terminated
        else "It was cut off (truncated)." if truncated else ""
    )  # fmt: skip
    try:
        return make_film(
            pictures, title="An episode of random play", ending=ending, actions=taken,
            rewards=[number_of(answer[1]) for answer in answers[1:]], shown=shown,
        )  # fmt: skip
    except ValueError:  # observations may be pictures of several sizes
        return None
