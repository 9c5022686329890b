import random

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Memory with 4 pairs of cards."""

    def __init__(self):
        self.observation_space = spaces.Box(0, 4, (8,), np.int64)
        self.action_space = spaces.Discrete(8)
        self.seed = 42

    def reset(self, seed=None, options=None):
        if seed is not None:
            self.seed = seed
        super().reset(seed=self.seed)
        random.seed(self.seed)
        self.cards = [1, 1, 2, 2, 3, 3, 4, 4]
        random.shuffle(self.cards)
        self.found = [False] * 8
        self.open = None
        self.turns = 0
        return self.look(), {}

    def look(self, shown=None):
        visible = [c if f else 0 for c, f in zip(self.cards, self.found)]
        for i in (self.open, shown):
            if i is not None:
                visible[i] = self.cards[i]
        return np.array(visible)

    def step(self, action):
        action = int(action)
        self.turns += 1
        reward = 0.0
        observation = self.look(action)
        if self.found[action] or action == self.open:
            reward = -0.1
        elif self.open is None:
            self.open = action
        else:
            if self.cards[action] == self.cards[self.open]:
                self.found[action] = self.found[self.open] = True
                reward = 1.0
            self.open = None
        return observation, reward, all(self.found), self.turns >= 100, {}
