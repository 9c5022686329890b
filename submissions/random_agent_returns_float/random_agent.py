import random
from gymnasium.spaces import Discrete


class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.space = action_space
        self.space.seed(seed)
        self.random = random.Random(seed)

    def act(self, observation):
        if isinstance(self.space, Discrete):
            return self.space.start + self.random.random() * self.space.n
        return self.space.sample()
