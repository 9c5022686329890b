import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Frog: jump over the street. Position 0 ... 9, goal is 9."""

    def __init__(self):
        self.observation_space = spaces.Box(low=0, high=9, shape=(2,), dtype=np.int64)
        self.action_space = spaces.Discrete(3)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.frog = 0
        self.car = int(self.np_random.integers(0, 10))
        self.t = 0
        return np.array([self.frog, self.car]), {}

    def step(self, action):
        self.t += 1
        self.frog = self.frog + int(action) - 1     # back, stay, forward
        self.car = (self.car + 1) % 10
        hit = self.frog == self.car and self.frog > 0
        home = self.frog >= 9
        reward = 1.0 if home else (-1.0 if hit else 0.0)
        obs = np.array([self.frog, self.car])
        return obs, reward, hit or home, self.t >= 150, {}
