import random
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple


class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.space = action_space
        self.r = random.Random(seed)

    def get_action(self, observation):
        return self.pick(self.space)

    def pick(self, s):
        r = self.r
        if isinstance(s, Discrete):
            return int(s.start) + r.randrange(int(s.n))
        elif isinstance(s, MultiDiscrete):
            return np.array([r.randrange(int(n)) for n in s.nvec], dtype=s.dtype)
        elif isinstance(s, MultiBinary):
            return np.array([r.randrange(2) for _ in range(s.n)], dtype=s.dtype)
        elif isinstance(s, Box):
            low, high = s.low.flatten(), s.high.flatten()
            values = [r.uniform(float(a), float(b)) for a, b in zip(low, high)]
            return np.array(values, dtype=s.dtype).reshape(s.shape)
        elif isinstance(s, Dict):
            return {k: self.pick(v) for k, v in s.items()}
        elif isinstance(s, Tuple):
            return tuple(self.pick(v) for v in s)
