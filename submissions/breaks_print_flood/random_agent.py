import numpy as np

# look at the random numbers
rng = np.random.default_rng(0)
for i in range(500000):
    print("random number", i, "is", rng.integers(4), "<---")


class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.action_space = action_space
        self.action_space.seed(seed)

    def act(self, observation):
        return self.action_space.sample()
