import gymnasium
import numpy as np


class GameEnv(gymnasium.Env):
    """Lunar elevator: stop softly on the floor with the right amount of thrust."""

    def __init__(self, gravity=0.2, max_steps=300):
        high = np.array([20.0, 5.0], dtype=np.float32)
        low = np.array([0.0, -5.0], dtype=np.float32)
        self.observation_space = gymnasium.spaces.Box(low, high, dtype=np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)
        self.gravity = gravity
        self.max_steps = max_steps

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.height = self.np_random.uniform(8.0, 12.0)
        self.speed = 0.0
        self.n = 0
        return self._state(), {}

    def _state(self):
        return np.array([self.height, self.speed], dtype=np.float32)

    def step(self, action):
        self.n += 1
        self.speed += 0.15 if action == 1 else -self.gravity
        self.speed = min(max(self.speed, -5.0), 5.0)
        self.height = min(max(self.height + self.speed, 0.0), 20.0)
        landed = self.height <= 0.0
        if landed:
            reward = 10.0 if abs(self.speed) < 0.5 else -10.0
        else:
            reward = -0.1 * float(action == 1)
        return self._state(), reward, landed, self.n >= self.max_steps, {"speed": float(self.speed)}
