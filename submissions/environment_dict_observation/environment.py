import gymnasium
import numpy as np


class GameEnv(gymnasium.Env):
    """Drive a cart over a line to a flag, against the wind."""

    metadata = {"render_modes": []}

    def __init__(self):
        self.observation_space = gymnasium.spaces.Dict({
            "position": gymnasium.spaces.Box(-10.0, 10.0, (1,), np.float32),
            "flag": gymnasium.spaces.Discrete(2),     # 0 = left, 1 = right
        })
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def _observation(self):
        return {"position": np.array([self.x], dtype=np.float32), "flag": self.flag}

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.x = 0.0
        self.flag = int(self.np_random.integers(2))
        self.t = 0
        return self._observation(), {}

    def step(self, action):
        self.t += 1
        wind = self.np_random.normal() * 0.1
        self.x = float(np.clip(self.x + action[0] + wind, -10, 10))
        goal = 10 if self.flag == 1 else -10
        terminated = self.x == goal
        truncated = self.t >= 200
        reward = -abs(goal - self.x) / 20
        return self._observation(), reward, terminated, truncated, {}
