import random
import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Collect apples on a 6x6 field."""

    def __init__(self):
        self.observation_space = spaces.Box(0, 5, shape=(4,), dtype=np.int64)
        self.action_space = spaces.Discrete(4)

    def get_obs(self):
        return np.array([self.x, self.y, self.ax, self.ay])

    def apple(self):
        self.ax = random.randint(0, 5)
        self.ay = random.randint(0, 5)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.y = random.randint(0, 5), random.randint(0, 5)
        self.apple()
        self.time = 0
        return self.get_obs(), {}

    def step(self, action):
        self.time += 1
        if action == 0:
            self.x = max(0, self.x - 1)
        elif action == 1:
            self.x = min(5, self.x + 1)
        elif action == 2:
            self.y = max(0, self.y - 1)
        else:
            self.y = min(5, self.y + 1)
        reward = 0.0
        if (self.x, self.y) == (self.ax, self.ay):
            reward = 1.0
            self.apple()
        return self.get_obs(), reward, False, self.time >= 60, {}
