"""What a Q-network should have answered (Mnih et al. 2015, Nature 518, algorithm 1)."""

import numpy as np


def q_targets(rewards, next_q_values, dones, gamma=0.99):
    """Reward plus the discounted value of the best next action; no future after the last step."""
    best = np.max(next_q_values, axis=1)
    return rewards + gamma * best * (1.0 - np.asarray(dones, np.float64))
