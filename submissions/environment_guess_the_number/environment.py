import gymnasium as gym
from gymnasium import spaces


class GameEnv(gym.Env):
    """Guess a number from 0 to 9. The observation says: 0 = start, 1 = too small, 2 = too big, 3 = right"""

    def __init__(self):
        self.action_space = spaces.Discrete(10)
        self.observation_space = spaces.Discrete(4)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.number = self.np_random.integers(10)
        self.tries = 0
        return 0, {"tries": 0}

    def step(self, action):
        self.tries += 1
        if action == self.number:
            return 3, 10, True, False, {"tries": self.tries}
        hint = 1 if action < self.number else 2
        return hint, -1, False, self.tries == 20, {"tries": self.tries}
