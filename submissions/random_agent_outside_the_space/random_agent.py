import numpy as np
from gymnasium.spaces import Discrete


class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.space = action_space
        self.space.seed(seed)
        self.rng = np.random.default_rng(seed)

    def act(self, observation):
        if isinstance(self.space, Discrete):
            # actions 1 ... n
            return int(self.rng.integers(1, self.space.n + 1))
        return self.space.sample()
