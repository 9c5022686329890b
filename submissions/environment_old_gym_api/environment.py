import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Collect the coin, written after a tutorial for gym 0.21."""

    def __init__(self):
        self.action_space = spaces.Discrete(2)
        self.observation_space = spaces.Box(0, 10, (2,), dtype=np.float32)

    def seed(self, seed=None):
        self.rng = np.random.RandomState(seed)

    def reset(self):
        self.rng = np.random.RandomState(0)
        self.pos = 5
        self.coin = self.rng.randint(0, 11)
        return np.array([self.pos, self.coin], dtype=np.float32)

    def step(self, action):
        self.pos += 1 if action == 1 else -1
        self.pos = max(0, min(10, self.pos))
        done = self.pos == self.coin
        reward = 1.0 if done else 0.0
        return np.array([self.pos, self.coin], dtype=np.float32), reward, done, {}
