import numpy as np


class DQNAgent:
    def __init__(self, observation_space, action_space):
        self.memory = []

    def act(self, observation):
        self.memory.append(observation)
        # wait until there are enough memories for a batch
        while len(self.memory) > 20:
            pass
        return int(np.dot([0.1, 0.3, 3.0, 1.0], observation) > 0)
