import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Catch the ball. There is always another ball."""

    def __init__(self):
        self.observation_space = spaces.MultiDiscrete([8, 8, 8])
        self.action_space = spaces.Discrete(3)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.paddle = 4
        self.new_ball()
        return self.obs(), {}

    def new_ball(self):
        self.x = int(self.np_random.integers(8))
        self.y = 0

    def obs(self):
        return np.array([self.x, self.y, self.paddle])

    def step(self, action):
        self.paddle = min(7, max(0, self.paddle + int(action) - 1))
        self.y += 1
        reward = 0.0
        if self.y == 7:
            reward = 1.0 if self.x == self.paddle else -1.0
            self.new_ball()
        return self.obs(), reward, False, False, {}
