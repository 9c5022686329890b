import numpy as np


class DQNAgent:
    def __init__(self, observation_space, action_space):
        self.n = action_space.n
        self.rng = np.random.default_rng(7)

    def act(self, observation):
        # not finished, plays at random
        return int(self.rng.integers(self.n))
