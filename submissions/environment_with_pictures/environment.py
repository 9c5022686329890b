from __future__ import annotations

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """A taxi for one: fetch the guest, bring them to the hotel. The observation is a picture."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 6}
    SIZE = 6
    MOVES = [(0, -1), (1, 0), (0, 1), (-1, 0)]

    def __init__(self, render_mode: str | None = None, size: int = SIZE):
        self.render_mode = render_mode
        self.size = size
        self.observation_space = spaces.Box(0, 255, (3, size, size), np.uint8)
        self.action_space = spaces.Discrete(4)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        cells = self.np_random.choice(self.size**2, size=3, replace=False)
        self.taxi, self.guest, self.hotel = [divmod(int(c), self.size) for c in cells]
        self.riding = False
        self.time = 0
        return self._observation(), {"riding": False}

    def step(self, action):
        dx, dy = self.MOVES[int(action)]
        x, y = self.taxi
        self.taxi = (min(max(x + dx, 0), self.size - 1), min(max(y + dy, 0), self.size - 1))
        self.time += 1
        reward = -0.05
        if not self.riding and self.taxi == self.guest:
            self.riding = True
            reward = 1.0
        arrived = self.riding and self.taxi == self.hotel
        if arrived:
            reward = 5.0
        return self._observation(), reward, arrived, self.time >= 120, {"riding": self.riding}

    def _observation(self):
        layers = np.zeros((3, self.size, self.size), np.uint8)
        layers[0][self.taxi] = 255
        layers[1][self.taxi if self.riding else self.guest] = 255
        layers[2][self.hotel] = 255
        return layers

    def render(self):
        if self.render_mode != "rgb_array":
            return None
        picture = np.transpose(self._observation(), (1, 2, 0))
        return np.repeat(np.repeat(picture, 12, axis=0), 12, axis=1)
