import random

import numpy as np


class ReplayBuffer:
    def __init__(self, capacity, seed=None):
        self.memory = []
        self.rng = random.Random(seed)

    def __len__(self):
        return len(self.memory)

    def add(self, state, action, reward, next_state, done):
        self.memory.append((state, action, reward, next_state, done))

    def sample(self, batch_size):
        batch = self.rng.sample(self.memory, min(batch_size, len(self.memory)))
        return tuple(np.array(column) for column in zip(*batch))
