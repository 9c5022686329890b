import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Dodge the stones: 7 columns, a stone falls from row 0 to row 9."""

    def __init__(self):
        self.observation_space = spaces.Box(low=0.0, high=9.0, shape=(3,), dtype=np.float32)
        self.action_space = spaces.Discrete(3)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.me = 3
        self.points = 0
        self.stone()
        return self.observe(), {}

    def stone(self):
        self.col = self.np_random.integers(7)
        self.row = 0

    def observe(self):
        # forgot the dtype
        return np.array([self.me, self.col, self.row]) * 1.0

    def step(self, action):
        self.me = np.clip(self.me + action - 1, 0, 6)
        self.row += 1
        reward = 0.0
        dead = False
        if self.row == 9:
            if self.col == self.me:
                dead = True
                reward = -1.0
            else:
                reward = 1.0
                self.points += 1
                self.stone()
        return self.observe(), reward, dead, self.points >= 20, {}
