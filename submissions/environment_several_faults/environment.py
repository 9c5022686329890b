import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Snake on 10 x 10"""

    def __init__(self):
        self.observation_space = spaces.Box(0, 1, (10, 10), dtype=np.uint8)
        self.action_space = spaces.Discrete(4)

    def reset(self, seed=None, options=None):
        # no super().reset
        self.snake = [(5, 5)]
        self.food = (np.random.randint(10), np.random.randint(10))
        self.count = 0
        return self.picture()                 # no info

    def picture(self):
        p = np.zeros((10, 10))                # float64
        for x, y in self.snake:
            p[y, x] = 1
        p[self.food[1], self.food[0]] = 2     # too large for the space
        return p

    def step(self, action):
        self.count += 1
        dx, dy = [(0, 1), (0, -1), (1, 0), (-1, 0)][int(action)]
        x, y = self.snake[-1]
        x, y = x + dx, y + dy
        done = not (0 <= x < 10 and 0 <= y < 10)
        reward = np.array([0])
        if not done:
            self.snake.append((x, y))
            if (x, y) == self.food:
                reward = np.array([1])
                self.food = (np.random.randint(10), np.random.randint(10))
            else:
                self.snake.pop(0)
        return self.picture(), reward, done, "no", None
