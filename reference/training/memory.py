"""The replay memory: what several environments have shown lately, each moment stored once."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Moments:
    """One moment in each of the environments, or a history of moments: arrays (..., environments).

    Attributes:
        frames: What became visible at the moment, uint8 or bool (..., environments, *frame).
        actions: What was done then.
        rewards: What it earned.
        ages: Moments since the start of the episode, 0 for its first.
        final: The episode ends with this moment, so the action has no meaning.
        terminated: It ends by the rules of the game, and not because it was cut.
    """

    frames: NDArray[np.uint8 | np.bool_]
    actions: NDArray[np.int32]
    rewards: NDArray[np.float32]
    ages: NDArray[np.int32]
    final: NDArray[np.bool_]
    terminated: NDArray[np.bool_]


@dataclass(frozen=True)
class Batches:
    """Transitions over several steps, in batches: arrays (batches, batch, ...).

    Attributes:
        observations: Where a transition starts.
        actions: What was done there.
        returns: Sum of the discounted rewards on the way, R = Σ_k γ^k r_k.
        discounts: Weight of what comes after: γ to the number of steps; 0 after termination.
        next_observations: Where it leads.
    """

    observations: NDArray[np.uint8 | np.bool_]
    actions: NDArray[np.int32]
    returns: NDArray[np.float32]
    discounts: NDArray[np.float32]
    next_observations: NDArray[np.uint8 | np.bool_]


class ReplayMemory:
    """The most recent moments of several environments that are played in lockstep.

    Frames are kept instead of observations: an observation made of the last `stack` frames is put
    together when it is drawn, and takes a quarter of the room for a stack of four.

    Args:
        capacity: Number of moments kept, of each environment.
        num_environments: Environments played in lockstep.
        frame_shape: Shape of a frame.
        frame_dtype: Type of a frame.
        stack: Frames in an observation, stacked on a last axis; 1 for a frame as it is.
    """

    def __init__(
        self,
        capacity: int,
        num_environments: int,
        frame_shape: tuple[int, ...],
        frame_dtype: type[np.generic],
        stack: int,
    ) -> None:
        shape = (capacity, num_environments)
        self._history = Moments(
            frames=np.zeros((*shape, *frame_shape), frame_dtype),
            actions=np.zeros(shape, np.int32),
            rewards=np.zeros(shape, np.float32),
            ages=np.zeros(shape, np.int32),
            final=np.zeros(shape, np.bool_),
            terminated=np.zeros(shape, np.bool_),
        )
        self._capacity = capacity
        self._num_environments = num_environments
        self._stack = stack
        self._added = 0

    def add(self, moments: Moments) -> None:
        """Remembers one moment of each environment, and forgets the oldest when it is full."""
        slot = self._added % self._capacity
        for field in fields(Moments):
            getattr(self._history, field.name)[slot] = getattr(moments, field.name)
        self._added += 1

    def sample(
        self, shape: tuple[int, int], num_steps: int, discount: float, rng: np.random.Generator
    ) -> Batches:
        """Draws transitions over `num_steps` steps, uniformly and with replacement.

        Args:
            shape: Number of batches, transitions in a batch.
            num_steps: Length of a transition, n in Sutton and Barto (2018), section 7.1; shorter
                only where the episode ends.
            discount: Weight of a reward one step later, γ.
            rng: Draws.
        """
        times, environments = self._draw(shape, num_steps, rng)
        slots = times % self._capacity
        actions = self._history.actions[slots, environments]
        returns = np.zeros(shape, np.float32)
        discounts = np.ones(shape, np.float32)
        ends = times.copy()
        for _ in range(num_steps):
            slots = ends % self._capacity
            going_on = ~self._history.final[slots, environments]
            rewards = self._history.rewards[slots, environments]
            returns += np.where(going_on, discounts * rewards, 0).astype(np.float32)
            discounts = np.where(going_on, discounts * discount, discounts).astype(np.float32)
            ends = ends + going_on
        discounts[self._history.terminated[ends % self._capacity, environments]] = 0.0
        return Batches(
            observations=self._observations(times, environments),
            actions=actions,
            returns=returns,
            discounts=discounts,
            next_observations=self._observations(ends, environments),
        )

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Returns everything remembered, by name."""
        kept = min(self._added, self._capacity)
        arrays = {
            field.name: getattr(self._history, field.name)[:kept] for field in fields(Moments)
        }
        return {**arrays, "added": np.asarray(self._added)}

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Remembers what `state` returned."""
        self._added = int(state["added"])
        for field in fields(Moments):
            values = state[field.name]
            getattr(self._history, field.name)[: len(values)] = values

    def _draw(
        self, shape: tuple[int, int], num_steps: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        # All frames of the observation must still be there, and all steps of the transition be
        # played already.
        oldest = max(self._added - self._capacity + self._stack - 1, 0)
        newest = self._added - num_steps

        times = rng.integers(oldest, newest, size=shape)
        environments = rng.integers(self._num_environments, size=shape)
        while True:
            final = self._history.final[times % self._capacity, environments]
            count = int(final.sum())
            if count == 0:
                return times, environments
            times[final] = rng.integers(oldest, newest, size=count)
            environments[final] = rng.integers(self._num_environments, size=count)

    def _observations(
        self, times: NDArray[np.int64], environments: NDArray[np.int64]
    ) -> NDArray[np.uint8 | np.bool_]:
        if self._stack == 1:
            return self._history.frames[times % self._capacity, environments]
        # The first frame of an episode stands in for those before it.
        ages = self._history.ages[times % self._capacity, environments]
        frames = [
            self._history.frames[(times - np.minimum(back, ages)) % self._capacity, environments]
            for back in reversed(range(self._stack))
        ]
        return np.stack(frames, axis=-1)
