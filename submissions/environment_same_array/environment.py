import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Light bulbs: switch all of them off. A switch changes its neighbours too."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.observation_space = spaces.MultiBinary(7)
        self.action_space = spaces.Discrete(7)
        self.bulbs = np.zeros(7, dtype=np.int8)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.bulbs[:] = 0
        for switch in self.np_random.integers(7, size=4):
            self.press(switch)
        self.presses = 0
        return self.bulbs, {}

    def press(self, switch):
        for i in (switch - 1, switch, switch + 1):
            if 0 <= i < 7:
                self.bulbs[i] = 1 - self.bulbs[i]

    def step(self, action):
        self.press(action)
        self.presses += 1
        dark = not self.bulbs.any()
        return self.bulbs, 1.0 if dark else -0.1, dark, self.presses == 40, {}

    def render(self):
        frame = np.full((8, 7 * 8, 3), 40, dtype=np.uint8)
        for i, on in enumerate(self.bulbs):
            if on:
                frame[1:7, 8 * i + 1:8 * i + 7] = (255, 220, 60)
        return frame
