"""What only the process of an environment can see: shared memory, generators, lines, wrappers."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

import numpy as np

from grader.records.spaces import SpaceError, space_data
from grader.records.wire import decode, encode, opaque
from grader.worker import models
from grader.worker.binding import call

_WRAPPED_ID: Final = "HandedIn/Game-v0"
_MAX_TRACED: Final = 50_000
"""Lines after which the place of a use of the global generators stays unknown."""
_SHARED_WORK: Final = 1000
"""Effort that numpy may take to find out whether two arrays overlap."""


def watch(
    make: Callable[[], Any],
    copy: Callable[[Any], Any],
    *,
    seed: int,
    other_seed: int,
    actions: tuple[Any, ...],
    file: Path,
) -> dict[str, Any]:
    """Plays a game of a new environment and tells what was seen from inside.

    What the environment raises ends what is being looked at, and is told elsewhere.

    Args:
        make: the environment's class.
        copy: makes an action of what crossed the channel.
        seed: of the game.
        other_seed: another one.
        actions: one for each step; the game may end before.
        file: the student's file.
    """
    seen: dict[str, Any] = {}
    game = _Game(make, copy, actions)
    before = _spaces(make)
    try:
        game.play(seed)
    except Exception:  # noqa: BLE001  the student's code may raise anything
        game.calls.append(None)
    seen |= game.seen()
    if before is not None and game.env is not None:
        seen["space_changed"] = _changed_space(before, game.env)
    if game.random_use is not None:
        call, generator = game.random_use
        line = _line_of_use(make, copy, seed, actions[: max(0, call)], file)
        seen["random_use"] = {"call": call, "generator": generator, "line": line}
    seen["generator"] = _generator(make, seed, other_seed)
    return seen


def stepped(step: Callable[..., Any], actions: Iterable[Any]) -> list[Any]:
    """What some steps returned, up to the first that ended the episode or raised."""
    answers: list[Any] = []
    for action in actions:
        try:
            answer = call(step, {"action": action})
            # Written down at once: an array of it may go on changing.
            answers.append(decode(encode(models.plain(answer))))
            if _is_over(answer):
                break
        except Exception:  # noqa: BLE001  the student's code may raise and return anything
            break
    return answers


def _is_over(answer: Any) -> bool:
    """Whether what `step` returned ends the episode; of an array, when it is one true number."""
    return any(
        end.size == 1 and bool(end.any()) if isinstance(end, np.ndarray) else bool(end)
        for end in answer[2:-1]
    )


class _Game:
    """One game, and everything it returned."""

    def __init__(
        self, make: Callable[[], Any], copy: Callable[[Any], Any], actions: tuple[Any, ...]
    ) -> None:
        self._make = make
        self._copy = copy
        self._actions = actions
        self.env: Any = None
        self.calls: list[tuple[Any, Any, bytes] | None] = []
        """Observation, info and how the observation was written when it was returned."""
        self.action_overwritten: int | None = None
        self.random_use: tuple[int, str] | None = None

    def play(self, seed: int) -> None:
        """Plays until the game or the actions end."""
        self.env = self._make()
        _stir()
        started = self._watched(0, partial(self.env.reset, seed=seed))
        self._returned(*started)
        for step, given in enumerate(self._actions, start=1):
            action = self._copy(given)
            before = encode(models.plain(action))
            answer = self._watched(step, partial(self.env.step, action))
            if self.action_overwritten is None and encode(models.plain(action)) != before:
                self.action_overwritten = step
            self._returned(answer[0], answer[-1])
            if _is_over(answer):
                return

    def _watched(self, number: int, function: Callable[[], Any]) -> Any:
        before = _global_states()
        answer = function()
        after = _global_states()
        if self.random_use is None:
            for name in before:
                if before[name] != after[name]:
                    self.random_use = number, name
                    break
        return answer

    def _returned(self, observation: Any, info: Any) -> None:
        self.calls.append((observation, info, encode(models.plain(observation))))

    def seen(self) -> dict[str, Any]:
        calls = [call for call in self.calls if call is not None]
        told: dict[str, Any] = {"action_overwritten": self.action_overwritten}
        for first, (observation, _, written) in enumerate(calls):
            if encode(models.plain(observation)) != written:
                told["overwritten"] = {"first": first, "second": len(calls) - 1}
                break
        told["shared"] = _first_shared([call[0] for call in calls])
        told["info_shared"] = _first_shared([call[1] for call in calls])
        return told


def _first_shared(values: list[Any]) -> dict[str, int] | None:
    """The first two of some values, neighbours or with one between, that share an object."""
    for second in range(1, len(values)):
        for first in range(max(0, second - 2), second):
            if _shares(values[first], values[second]):
                return {"first": first, "second": second}
    return None


def _shares(one: Any, two: Any, depth: int = 0) -> bool:
    """Whether two values have something in common that can be changed."""
    if type(one) is not type(two) or depth > 4:
        return False
    if isinstance(one, dict):
        return one is two or any(
            _shares(one[key], two[key], depth + 1) for key in one.keys() & two.keys()
        )
    if isinstance(one, list):
        return one is two
    if isinstance(one, tuple):
        return any(_shares(a, b, depth + 1) for a, b in zip(one, two, strict=False))
    if isinstance(one, np.ndarray):
        try:
            return bool(np.shares_memory(one, two, max_work=_SHARED_WORK))  # type: ignore[arg-type]
        except np.exceptions.TooHardError:
            return False
    return False


# --- generators ---------------------------------------------------------------------------------


def _global_states() -> dict[str, Any]:
    legacy = np.random.get_state(legacy=False)  # noqa: NPY002  its use is what is looked for
    state: Any = legacy["state"]
    return {
        "random": hash(random.getstate()),
        "numpy.random": (state["pos"], hash(np.asarray(state["key"]).tobytes())),
    }


def _stir() -> None:
    """Moves the generators of the process, so that seeding them with any number is a change."""
    random.random()  # noqa: S311  nothing is kept secret by it
    np.random.random_sample()  # noqa: NPY002  it is that generator which is looked at


def _generator(make: Callable[[], Any], seed: int, other_seed: int) -> dict[str, bool] | None:
    """What `reset` makes of a seed, by the state of the environment's own generator."""
    try:
        env = make()
        if not hasattr(type(env), "np_random"):
            return None
        states = []
        for each in (seed, seed, other_seed):
            env.reset(seed=each)
            generator = getattr(env.unwrapped, "_np_random", None)
            states.append(None if generator is None else str(generator.bit_generator.state))
    except Exception:  # noqa: BLE001  the student's code may raise anything
        return None
    first, again, other = states
    return {
        "made": first is not None,
        "same_seed_same_state": first == again,
        "other_seed_other_state": first != other,
    }


class _Lines:
    """Finds the line of the student's file that was run when a global generator changed."""

    def __init__(self, file: Path) -> None:
        self._file = str(file)
        self._state = _global_states()
        self._last: int | None = None
        self._left = _MAX_TRACED
        self.found: int | None = None

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self._file:
            return None
        self._left -= 1
        if self.found is not None or self._left < 0:
            sys.settrace(None)
            return None
        self.look()
        if event == "line":
            self._last = frame.f_lineno
        elif event == "return":
            caller = frame.f_back
            if caller is not None and caller.f_code.co_filename == self._file:
                self._last = caller.f_lineno
        return self

    def look(self) -> None:
        """Notes the line that was run last if a generator has changed since."""
        if self.found is None and self._left >= 0:
            state = _global_states()
            if state != self._state:
                self.found = self._last
                self._state = state


def _line_of_use(
    make: Callable[[], Any],
    copy: Callable[[Any], Any],
    seed: int,
    actions: tuple[Any, ...],
    file: Path,
) -> int | None:
    try:
        env = make()
        _stir()
        lines = _Lines(file)
        sys.settrace(lines)
        try:
            env.reset(seed=seed)
            for action in actions:
                env.step(copy(action))
        finally:
            sys.settrace(None)
        lines.look()
    except Exception:  # noqa: BLE001  the student's code may raise anything
        return None
    return lines.found


# --- spaces and wrappers ------------------------------------------------------------------------

_SPACES: Final = ("observation_space", "action_space")


def described(env: Any) -> dict[str, Any]:
    """The spaces of an environment and what it says of rendering."""
    import gymnasium

    told: dict[str, Any] = {"is_env": isinstance(env, gymnasium.Env)}
    for name in _SPACES:
        space = getattr(env, name, None)
        try:
            told[name] = None if space is None else space_data(space)
        except SpaceError:
            told[name] = opaque(space)
    metadata = getattr(env, "metadata", None)
    modes = metadata.get("render_modes") if isinstance(metadata, dict) else None
    told["render_modes"] = list(map(str, modes)) if isinstance(modes, list | tuple) else None
    told["render_fps"] = metadata.get("render_fps") if isinstance(metadata, dict) else None
    told["render_mode"] = getattr(env, "render_mode", None)
    return told


def _spaces(make: Callable[[], Any]) -> dict[str, bytes] | None:
    try:
        env = make()
        return {name: encode(space_data(getattr(env, name))) for name in _SPACES}
    except Exception:  # noqa: BLE001  spaces of other kinds, or none, are told elsewhere
        return None


def _changed_space(before: dict[str, bytes], env: Any) -> str | None:
    try:
        for name in _SPACES:
            if encode(space_data(getattr(env, name))) != before[name]:
                return name
    except Exception:  # noqa: BLE001  a space that can no longer be read is another one
        return name
    return None


def wrapped(make: Callable[[], Any], how: str, max_episode_steps: int) -> Any:
    """An environment made by `gymnasium.make`, or inside one of Gymnasium's wrappers."""
    import gymnasium
    from gymnasium import wrappers

    if how == "make":
        creator: Any = make
        gymnasium.register(_WRAPPED_ID, entry_point=creator, max_episode_steps=max_episode_steps)
        try:
            # What the checker inside says is asked for on its own.
            return gymnasium.make(_WRAPPED_ID, disable_env_checker=True)
        finally:
            gymnasium.registry.pop(_WRAPPED_ID, None)
    env = make()
    match how:
        case "TimeLimit":
            return wrappers.TimeLimit(env, max_episode_steps)
        case "RecordEpisodeStatistics":
            return wrappers.RecordEpisodeStatistics(env)
        case "FlattenObservation":
            return wrappers.FlattenObservation(env)
    return wrappers.FrameStackObservation(env, 2)
