import numpy as np
from gymnasium import spaces


class RandomAgent:
    """Samples every kind of space with its own generator."""

    def __init__(self, action_space, seed=None):
        self.action_space = action_space
        self.rng = np.random.default_rng(seed)

    def act(self, observation):
        return self._sample(self.action_space)

    def _sample(self, space):
        if isinstance(space, spaces.Discrete):
            return int(self.rng.integers(space.start, space.start + space.n))
        if isinstance(space, spaces.MultiDiscrete):
            return self.rng.integers(space.start, space.start + space.nvec).astype(space.dtype)
        if isinstance(space, spaces.MultiBinary):
            return self.rng.integers(0, 2, size=space.shape).astype(space.dtype)
        if isinstance(space, spaces.Box):
            return self.rng.uniform(space.low, space.high).astype(space.dtype)
        if isinstance(space, spaces.Dict):
            return {key: self._sample(sub) for key, sub in space.spaces.items()}
        if isinstance(space, spaces.Tuple):
            return tuple(self._sample(sub) for sub in space.spaces)
        raise TypeError(f"unknown space {space}")
