import numpy as np

class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.n = action_space.n
        self.rng = np.random.RandomState(seed)

    def act(self, observation):
        return self.rng.randint(self.n)
