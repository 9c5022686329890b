import gymnasium as gym
import numpy as np
from gymnasium import spaces

WIDTH = 12


class GameEnv(gym.Env):
    """Mini-Pong against a wall: keep the ball in the game.

    Observation: ball x, ball y, direction of the ball, paddle
    Actions: 0 = left, 1 = stay, 2 = right
    """

    metadata = {"render_modes": [], "render_fps": 10}

    def __init__(self):
        self.observation_space = spaces.MultiDiscrete([WIDTH, WIDTH, 4, WIDTH])
        self.action_space = spaces.Discrete(3)

    def _observation(self):
        direction = (self.dx > 0) + 2 * (self.dy > 0)
        return np.array([self.x, self.y, direction, self.paddle], dtype=np.int64)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.x = int(self.np_random.integers(0, WIDTH))
        self.y = 0
        self.dx = int(self.np_random.choice([-1, 1]))
        self.dy = 1
        self.paddle = WIDTH // 2
        self.hits = 0
        return self._observation(), {"hits": 0}

    def step(self, action):
        self.paddle = int(np.clip(self.paddle + action - 1, 0, WIDTH - 1))
        if not 0 <= self.x + self.dx < WIDTH:
            self.dx = -self.dx
        self.x += self.dx
        self.y += self.dy
        reward = 0.0
        terminated = False
        if self.y == 0:
            self.dy = 1
        elif self.y == WIDTH - 1:
            if abs(self.x - self.paddle) <= 1:
                self.dy = -1
                self.hits += 1
                reward = 1.0
            else:
                terminated = True
        truncated = self.hits >= 50
        return self._observation(), reward, terminated, truncated, {"hits": self.hits}
