"""The random agent that references are played with: uniform over the action space."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from gymnasium import spaces

from grader.episodes.derived_seeds import derived_seed


def random_actions(space: spaces.Space[Any], seed: int) -> Callable[[Any, int], Any]:
    """An agent that draws each action from the space, whatever it observes.

    Uniform where every side of the space is bounded; where one is not, as Gymnasium draws there.

    Args:
        space: the action space; it is copied, so that drawing leaves its own generator alone.
        seed: the episode's seed. The actions follow from it, by a generator of their own.

    Returns:
        A function of the observation and the step's number.
    """
    drawn = copy.deepcopy(space)
    drawn.seed(derived_seed("random play", seed))

    def act(observation: Any, step: int) -> Any:
        del observation, step
        return drawn.sample()

    return act
