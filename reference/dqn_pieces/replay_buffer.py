"""What to remember."""

from collections import deque

import numpy as np


class ReplayBuffer:
    """The last transitions, drawn at random."""

    def __init__(self, capacity, seed=None):
        self._memory = deque(maxlen=capacity)
        self._generator = np.random.default_rng(seed)

    def __len__(self):
        return len(self._memory)

    def add(self, state, action, reward, next_state, done):
        """Remembers a transition; the oldest is forgotten when there is no room."""
        self._memory.append((np.array(state), action, reward, np.array(next_state), done))

    def sample(self, batch_size):
        """Arrays of states, actions, rewards, next states and ends, no transition twice."""
        size = min(batch_size, len(self._memory))
        chosen = self._generator.choice(len(self._memory), size, replace=False)
        drawn = (self._memory[i] for i in chosen)
        states, actions, rewards, next_states, dones = zip(*drawn, strict=True)
        return (
            np.stack(states),
            np.array(actions),
            np.array(rewards, np.float32),
            np.stack(next_states),
            np.array(dones),
        )
