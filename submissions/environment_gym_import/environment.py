import gym
from gym import spaces


class GameEnv(gym.Env):
    def __init__(self):
        self.observation_space = spaces.Discrete(5)
        self.action_space = spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.s = 2
        return self.s, {}

    def step(self, action):
        self.s += 1 if action == 1 else -1
        return self.s, float(self.s == 4), self.s in (0, 4), False, {}
