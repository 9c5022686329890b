"""When to try something new."""

import numpy as np

_generator = np.random.default_rng()


def epsilon(step, start=1.0, end=0.1, decay_steps=1000):
    """The probability of a random action: a straight line from start to end, then level."""
    done = min(max(step / decay_steps, 0.0), 1.0)
    return start + (end - start) * done


def choose_action(q_values, epsilon):
    """A random action with probability epsilon, otherwise the one with the highest value."""
    if _generator.random() < epsilon:
        return int(_generator.integers(len(q_values)))
    return int(np.argmax(q_values))
