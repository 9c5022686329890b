import numpy as np


class DQNAgent:
    def __init__(self, observation_space, action_space):
        print("Agent created for", observation_space, action_space)
        self.step = 0

    def act(self, observation):
        q_right = np.dot([0.1, 0.3, 3.0, 1.0], observation)
        action = int(q_right > 0)
        self.step += 1
        print("step", self.step, "observation", observation, "action", action)
        return action
