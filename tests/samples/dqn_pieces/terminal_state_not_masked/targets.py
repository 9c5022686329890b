import numpy as np


def q_targets(rewards, next_q_values, dones, gamma=0.99):
    return rewards + gamma * np.max(next_q_values, axis=1)
