import gymnasium as gym
from gymnasium import spaces


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
        end = self.s in (0, 4)
        return self.s, float(self.s == 4), end, False, {}


# play for ever
env = GameEnv()
while True:
    obs, info = env.reset()
    done = False
    while not done:
        obs, reward, done, truncated, info = env.step(env.action_space.sample())
