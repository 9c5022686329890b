import numpy as np


class ReplayBuffer:
    def __init__(self, max_size, observation_shape, seed=None):
        self.states = np.zeros((max_size, *observation_shape), np.float32)
        self.next_states = np.zeros_like(self.states)
        self.actions = np.zeros(max_size, np.int64)
        self.rewards = np.zeros(max_size, np.float32)
        self.dones = np.zeros(max_size, bool)
        self.position, self.count = 0, 0
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return self.count

    def store(self, state, action, reward, next_state, done):
        i = self.position
        self.states[i], self.actions[i], self.rewards[i] = state, action, reward
        self.next_states[i], self.dones[i] = next_state, done
        self.position = (i + 1) % len(self.actions)
        self.count = min(self.count + 1, len(self.actions))

    def sample(self, batch_size):
        i = self.rng.permutation(self.count)[:batch_size]
        return self.states[i], self.actions[i], self.rewards[i], self.next_states[i], self.dones[i]
