"""Films of episodes: a receipt is played again in a fresh environment that draws.

Pictures come from the trusted side alone. An environment that cannot draw is filmed by what the
agent saw, where that is an image. No film is no fault: nothing here decides a mark.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import gymnasium
import numpy as np
import numpy.typing as npt

from grader.episodes.action_words import action_names, action_text
from grader.episodes.actions import restored
from grader.episodes.environments import environment
from grader.episodes.film_sheet import Picture, make_film, shown_steps
from grader.records.agent_evidence import Episode
from grader.records.environments import PlayedEnvironment
from grader.records.films import Film
from grader.records.text import clean_line

_RENDER_MODE: Final = "rgb_array"
_PYGAME: Final = threading.Lock()
"""An environment that closes ends pygame for all others of this process."""
_MAX_CHANNELS: Final = 32
_MIN_SIDE: Final = 5
"""What is smaller, or has more channels, is no image but a table of numbers."""


class NoFilm(Exception):
    """An episode cannot be filmed; the message says why, in one line."""


@dataclass(frozen=True)
class Filmed:
    """A film, and what the agent saw in each of its frames."""

    film: Film
    observations: tuple[Any, ...]


def film_episode(settings: PlayedEnvironment, receipt: Episode, title: str) -> Filmed:
    """Plays the actions of a receipt again and films it.

    Args:
        settings: which environment.
        receipt: the episode.
        title: of the film; names no seed where seeds are secret.

    Raises:
        NoFilm: there is no renderer, the environment draws nothing, or the episode does not come
            about again. Who wants a film may act; nobody has to.
    """
    with _PYGAME:
        try:
            return _drawn(settings, receipt, title)
        except NoFilm:
            raise
        except Exception as error:
            raise NoFilm(clean_line(f"{type(error).__name__}: {error}")) from error


def _drawn(settings: PlayedEnvironment, receipt: Episode, title: str) -> Filmed:
    with environment(settings) as env:
        draws = _RENDER_MODE in (env.metadata.get("render_modes") or ())
        if not draws:
            return _filmed(env, receipt, title)
    # Asked for a mode that it has not, an environment warns, or fails.
    with environment(settings, render_mode=_RENDER_MODE) as env:
        return _filmed(env, receipt, title)


def _filmed(env: gymnasium.Env[Any, Any], receipt: Episode, title: str) -> Filmed:
    names = action_names(env)
    shown = shown_steps(len(receipt.actions))
    seen: list[Any] = []
    film = make_film(
        _pictures(env, receipt, frozenset(shown), seen),
        title=title,
        ending=ending_words(receipt),
        actions=[action_text(action, env.action_space, names) for action in receipt.actions],
        rewards=receipt.rewards,
        shown=shown,
        names=names,
    )
    return Filmed(film, tuple(seen))


def _pictures(
    env: gymnasium.Env[Any, Any], receipt: Episode, shown: frozenset[int], seen: list[Any]
) -> Iterator[Picture]:
    """Pictures of the steps to be shown; notes in `seen` what was observed in each."""
    observation, _ = env.reset(seed=receipt.seed)
    env.action_space.seed(receipt.seed)
    over = False
    for step in range(len(receipt.actions) + 1):
        if step in shown:
            yield _picture(env, observation)
            # Some environments hand out one buffer again and again.
            seen.append(copy.deepcopy(observation))
        if step == len(receipt.actions):
            return
        if over:
            raise NoFilm("the receipt goes on after the end of the episode")
        action = restored(env.action_space, receipt.actions[step])
        observation, reward, terminated, truncated, _ = env.step(action)
        over = bool(terminated or truncated)
        if float(reward) != receipt.rewards[step]:
            raise NoFilm(f"the episode does not come about again: step {step} earns {reward}")


def _picture(env: gymnasium.Env[Any, Any], observation: Any) -> Picture:
    why = "it draws nothing"
    try:
        drawn = env.render() if env.render_mode == _RENDER_MODE else None
    except Exception as error:  # noqa: BLE001  such as a renderer that is not installed
        drawn, why = None, clean_line(f"{type(error).__name__}: {error}")
    for image in (drawn, observation):
        picture = as_picture(image)
        if picture is not None:
            return picture
    raise NoFilm(f"no picture of {env}: {why}")


def as_picture(image: Any) -> Picture | None:
    """An image as red, green and blue; None for what is none.

    Args:
        image: bytes, or numbers from 0 to 1 or booleans, of shape (height, width) or (height,
            width, channels): one channel is grey, three are colours, and of a stack of grey frames
            the last is shown. Channels of booleans say what is where, and get a colour each.
    """
    if not isinstance(image, np.ndarray) or image.dtype.kind not in "buif":
        return None
    if image.ndim == 2:
        image = image[:, :, None]
    if image.ndim != 3 or min(image.shape[:2]) < _MIN_SIDE or image.shape[2] > _MAX_CHANNELS:
        return None
    if image.dtype == np.bool_ and image.shape[2] > 1:
        return _coloured(image)
    shown = image if image.shape[2] == 3 else np.repeat(image[:, :, -1:], 3, axis=2)
    if shown.dtype.kind in "bf":
        shares = np.nan_to_num(shown.astype(np.float64))
        if shares.max() > 1 or shares.min() < 0:
            return None
        return np.rint(255 * shares).astype(np.uint8)
    return shown if shown.dtype == np.uint8 else None


def _coloured(channels: npt.NDArray[np.bool_]) -> Picture:
    """What is where, a colour for each channel; of two in one place the later one is seen."""
    count = channels.shape[2]
    hues = np.arange(count)[:, None] / count + np.array([0, 2 / 3, 1 / 3])
    colours = np.rint(255 * (0.55 + 0.45 * np.cos(2 * np.pi * hues))).astype(np.uint8)
    picture = np.zeros((*channels.shape[:2], 3), np.uint8)
    for channel in range(count):
        picture[channels[:, :, channel]] = colours[channel]
    return picture


def ending_words(receipt: Episode) -> str:
    """How an episode ended."""
    if receipt.invalid_action is not None:
        return "An action outside the action space ended it."
    if receipt.incident is not None:
        return "It ended early: the agent gave no further action."
    if receipt.terminated:
        return "The environment ended it (terminated)."
    return "It was cut off at the limit of steps (truncated)." if receipt.truncated else ""
