import os
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


class DQNAgent:
    def __init__(self, observation_space, action_space):
        # found with random search
        self.w = np.load(os.path.join(HERE, "weights.npy"))

    def act(self, observation):
        q = observation @ self.w
        return int(np.argmax(q))
