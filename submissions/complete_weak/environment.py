import gymnasium as gym


class GameEnv(gym.Env):
    def __init__(self):
        self.action_space = gym.spaces.Discrete(2)

    def reset(self):
        self.x = 0

    def step(self, action):
        self.x += 1
        return self.x
