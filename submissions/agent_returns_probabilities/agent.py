import numpy as np


class DQNAgent:
    def __init__(self, observation_space, action_space):
        self.w = np.array([0.1, 0.3, 3.0, 1.0])

    def act(self, observation):
        z = self.w @ observation
        p_right = 1 / (1 + np.exp(-z))
        return np.array([1 - p_right, p_right])
