import numpy as np
from gymnasium import spaces


class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.action_space = action_space
        self.seed = 42 if seed is None else seed

    def act(self, observation):
        np.random.seed(self.seed)  # so it is reproducible
        self.action_space.seed(self.seed)
        if isinstance(self.action_space, spaces.Discrete):
            return self.action_space.start + np.random.randint(self.action_space.n)
        return self.action_space.sample()
