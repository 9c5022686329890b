import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GameEnv(gym.Env):
    """Four in a row is too hard, so: tic tac toe. You are 1, the other player is 2 and plays at random."""

    LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]

    def __init__(self):
        self.action_space = spaces.Discrete(9)
        self.observation_space = spaces.Box(low=0, high=2, shape=(3, 3), dtype=np.int8)
        self.board = np.zeros(9, dtype=np.int8)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.board = np.zeros(9, dtype=np.int8)
        self.mistakes = 0
        # in half of the games the other one begins
        if self.np_random.random() < 0.5:
            self._opponent()
        return self._obs(), {}

    def _obs(self):
        return self.board.reshape(3, 3).copy()

    def _opponent(self):
        free = np.flatnonzero(self.board == 0)
        self.board[self.np_random.choice(free)] = 2

    def _won(self, player):
        return any(all(self.board[i] == player for i in line) for line in self.LINES)

    def _full(self):
        return not (self.board == 0).any()

    def step(self, action):
        if self.board[action] != 0:
            # field is taken
            self.mistakes += 1
            return self._obs(), -0.5, False, self.mistakes >= 10, {}
        self.board[action] = 1
        if self._won(1):
            return self._obs(), 1.0, True, False, {}
        if self._full():
            return self._obs(), 0.0, True, False, {}
        self._opponent()
        if self._won(2):
            return self._obs(), -1.0, True, False, {}
        return self._obs(), 0.0, self._full(), False, {}
