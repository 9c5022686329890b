import random

import numpy as np


def epsilon(step, start=1.0, end=0.1, decay_steps=1000):
    return min(start, end + (start - end) * step / decay_steps)


def choose_action(q_values, epsilon):
    if random.random() > epsilon:
        return random.randrange(len(q_values))
    return int(np.argmax(q_values))
