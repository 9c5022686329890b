import numpy as np


class DQNAgent:
    def __init__(self, observation_space, action_space):
        # the loss was nan at the end of the training ...
        self.w = np.full((4, 2), np.nan)

    def act(self, observation):
        q = observation @ self.w
        return int(np.argmax(q))
