import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Walk to the treasure on a 5x5 grid, do not fall into the hole."""

    metadata = {"render_modes": ["ansi"], "render_fps": 4}

    def __init__(self, render_mode=None):
        self.size = 5
        self.observation_space = spaces.MultiDiscrete([5, 5, 5, 5])
        self.action_space = spaces.Discrete(4)
        self.render_mode = render_mode

    def _obs(self):
        return np.array([*self.player, *self.treasure], dtype=np.int64)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.player = [0, 0]
        self.treasure = [0, 0]
        while self.treasure == self.player:
            self.treasure = [int(v) for v in self.np_random.integers(0, 5, size=2)]
        self.steps = 0
        return self._obs(), {}

    def step(self, action):
        self.steps += 1
        dx, dy = [(1, 0), (-1, 0), (0, 1), (0, -1)][int(action)]
        self.player[0] = min(max(self.player[0] + dx, 0), 4)
        self.player[1] = min(max(self.player[1] + dy, 0), 4)
        won = self.player == self.treasure
        reward = 1.0 if won else -0.01
        return self._obs(), reward, won, self.steps >= 100, {}

    def render(self):
        if self.render_mode == "ansi":
            rows = [["."] * 5 for _ in range(5)]
            rows[self.treasure[1]][self.treasure[0]] = "T"
            rows[self.player[1]][self.player[0]] = "P"
            return "\n".join("".join(r) for r in rows)
