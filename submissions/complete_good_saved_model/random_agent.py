import numpy as np
from copy import deepcopy


class RandomAgent:
    def __init__(self, action_space, seed=None):
        # split the seed: one for the space
        rng = np.random.default_rng(seed)
        self.action_space = deepcopy(action_space)
        self.action_space.seed(int(rng.integers(2**31)))

    def choose_action(self, observation=None):
        return self.action_space.sample()
