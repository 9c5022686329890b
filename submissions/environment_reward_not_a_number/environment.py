import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Rock, paper, scissors, ten rounds."""

    def __init__(self):
        self.observation_space = spaces.Discrete(4)   # 3 = nothing played
        self.action_space = spaces.Discrete(3)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.rounds = 0
        return 3, {}

    def step(self, action):
        self.rounds += 1
        other = int(self.np_random.integers(3))
        if action == other:
            reward = "draw"
        elif (action - other) % 3 == 1:
            reward = "win"
        else:
            reward = "loss"
        return other, reward, self.rounds == 10, False, {}
