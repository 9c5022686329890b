import copy
import numpy as np
from gymnasium.spaces import Discrete


class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.action_space = copy.deepcopy(action_space)
        self.action_space.seed(seed)
        self.rng = np.random.default_rng(seed)

    def act(self, observation):
        if isinstance(self.action_space, Discrete):
            first = self.action_space.start
            last = first + self.action_space.n - 1
            return self.rng.integers(first, last)   # from first to last
        return self.action_space.sample()
