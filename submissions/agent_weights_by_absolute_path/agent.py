import numpy as np


class DQNAgent:
    def __init__(self, observation_space, action_space):
        self.w = np.load("C:/Users/Anna/Desktop/week13/weights.npy")

    def act(self, observation):
        return int(np.argmax(observation @ self.w))
