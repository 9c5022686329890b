import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Mountain path: reach the hut before the night. Half changed from gym to gymnasium."""

    def __init__(self):
        self.observation_space = spaces.MultiDiscrete([12, 31])
        self.action_space = spaces.Discrete(2)   # 0 = rest, 1 = climb

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.height = int(self.np_random.integers(0, 4))
        self.hours = 0
        return self.obs()

    def obs(self):
        return np.array([self.height, self.hours])

    def step(self, action):
        self.hours += 1
        if action == 1 and self.np_random.random() < 0.7:
            self.height += 1
        done = self.height == 11 or self.hours == 30
        reward = 1.0 if self.height == 11 else 0.0
        return self.obs(), reward, done, {}
