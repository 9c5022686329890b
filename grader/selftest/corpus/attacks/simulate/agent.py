"""Plays the game inside itself, hoping that its world shares the random numbers."""

import gymnasium

from tools import breach


class DQNAgent:
    """Predicts every slip by a copy of the game that draws from the worker's own generators."""

    def __init__(self, observation_space, action_space):
        self.world = gymnasium.make("FrozenLake-v1").unwrapped
        self.expected, _ = self.world.reset()
        self.right = self.steps = 0

    def act(self, observation):
        self.steps += 1
        self.right += int(observation) == int(self.expected)
        if self.steps == 40 and self.right == 40:
            breach("predicted every slip")
        self.world.s = int(observation)
        self.expected = self.world.step(0)[0]
        return 0
