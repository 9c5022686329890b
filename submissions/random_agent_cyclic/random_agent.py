import numpy as np
from gymnasium.spaces import Discrete


class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.action_space = action_space
        self.action_space.seed(seed)
        self.i = 0
        if isinstance(action_space, Discrete):
            # shuffle the actions like cards
            self.cards = np.random.default_rng(seed).permutation(action_space.n)

    def act(self, observation):
        if isinstance(self.action_space, Discrete):
            # then every action gets its turn -> same probability
            self.i += 1
            return self.action_space.start + self.cards[self.i % self.action_space.n]
        return self.action_space.sample()
