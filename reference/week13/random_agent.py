"""A uniform random policy: the floor that every trained agent is measured against."""

from copy import deepcopy
from typing import Generic, TypeVar

from gymnasium import Space

ActionT = TypeVar("ActionT")


class RandomAgent(Generic[ActionT]):
    """Draws every action from the action space, whatever the observation says.

    Each Gymnasium space already samples itself uniformly wherever a uniform distribution exists:
    `Discrete` and `MultiDiscrete` over ``start … start + n - 1``, `MultiBinary` over all bit
    patterns, `Box` between finite bounds, and `Dict` and `Tuple` member by member. A `Box` side
    without a bound has no uniform distribution; there the space's own one is used (exponential
    with one bound, normal with none).

    Args:
        action_space: Any Gymnasium space. It is left as it is: neither seeded nor advanced.
        seed: Two agents with the same seed draw the same actions. ``None`` takes fresh entropy
            from the operating system.
    """

    def __init__(self, action_space: Space[ActionT], seed: int | None = None) -> None:
        # A space carries its own random generator. Sampling from the caller's object would tie our
        # actions to whoever else samples from it, and would change what they draw.
        self._action_space = deepcopy(action_space)
        self._action_space.seed(seed)

    def act(self, observation: object) -> ActionT:  # noqa: ARG002 - part of every agent's interface
        """Returns one action, an element of the action space, drawn independently of the last.

        Args:
            observation: Ignored: a random policy is blind.
        """
        return self._action_space.sample()
