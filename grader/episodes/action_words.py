"""Actions in words, as the documentation of their environments names them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any, Final

import gymnasium
from gymnasium import spaces

from grader.episodes.actions import Receipt
from grader.records.text import clean_line

_KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "Acrobot": ("torque −1", "torque 0", "torque +1"),
    "Blackjack": ("stick", "hit"),
    "CartPole": ("push left", "push right"),
    "CliffWalking": ("up", "right", "down", "left"),
    "FrozenLake": ("left", "down", "right", "up"),
    "FrozenLake8x8": ("left", "down", "right", "up"),
    "LunarLander": ("do nothing", "left engine", "main engine", "right engine"),
    "MountainCar": ("push left", "no push", "push right"),
    "Taxi": ("south", "north", "east", "west", "pick up", "drop off"),
}
"""Name of the environment, without namespace and version."""
_MINATAR: Final = {"n": "no-op", "l": "left", "u": "up", "r": "right", "d": "down", "f": "fire"}
_PUSHED: Final = re.compile("NOOP|UP|DOWN|LEFT|RIGHT|FIRE")
_NAME_CHARS: Final = 40


def action_names(env: gymnasium.Env[Any, Any]) -> tuple[str, ...]:
    """Names of all actions, in their order; numbers where no names are known.

    Args:
        env: an environment that this process trusts.

    Returns:
        Nothing where actions are no plain numbers.
    """
    space = env.action_space
    if not isinstance(space, spaces.Discrete):
        return ()
    count = int(space.n)
    told = env.spec.name if env.spec is not None else ""
    for names in (_KNOWN.get(told, ()), _meanings(env), _minatar(env), _buttons(env)):
        # A wrapper may have left some actions out; then the names would be those of others.
        if len(names) == count == len(set(names)):
            return tuple(clean_line(name, _NAME_CHARS) for name in names)
    return tuple(str(int(space.start) + index) for index in range(count))


def action_text(action: Receipt, space: spaces.Space[Any], names: Sequence[str]) -> str:
    """One action as it stands in a receipt, in words.

    Args:
        action: out of a receipt.
        space: the action space.
        names: what `action_names` answers.
    """
    if isinstance(action, tuple):
        return f"({', '.join(map(_number, action))})"
    place = int(action) - int(space.start) if isinstance(space, spaces.Discrete) else -1
    return names[place] if 0 <= place < len(names) else _number(action)


def _number(value: float) -> str:
    return (str(value) if isinstance(value, int) else f"{value:.3g}").replace("-", "−")


def _meanings(env: gymnasium.Env[Any, Any]) -> tuple[str, ...]:
    """Such as `RIGHTFIRE` in the Arcade Learning Environment, in words."""
    told: Sequence[object] = getattr(env.unwrapped, "get_action_meanings", tuple)()
    words = (" ".join(_PUSHED.findall(str(name))) or str(name) for name in told)
    return tuple(name.lower().replace("noop", "no-op") for name in words)


def _minatar(env: gymnasium.Env[Any, Any]) -> tuple[str, ...]:
    game = getattr(env.unwrapped, "game", None)
    letters = getattr(getattr(game, "env", None), "action_map", None)
    numbers = getattr(env.unwrapped, "action_set", None)
    if letters is None or numbers is None:
        return ()
    return tuple(_MINATAR.get(letters[number], str(number)) for number in numbers)


def _buttons(env: gymnasium.Env[Any, Any]) -> tuple[str, ...]:
    """The buttons of ViZDoom that an action holds down together."""
    game = getattr(env.unwrapped, "game", None)
    pressed = getattr(env.unwrapped, "button_map", None)
    told = getattr(game, "get_available_buttons", None)
    if told is None or pressed is None:
        return ()
    names = [button.name.lower().replace("_", " ") for button in told()]
    return tuple(" + ".join(itertools.compress(names, held)) or "nothing" for held in pressed)
