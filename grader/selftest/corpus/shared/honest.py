"""Right answers to the self-test's assignment, for attacks whose own work is honest."""

import numpy as np

_POLICY = (0, 3, 3, 3, 0, 0, 0, 0, 3, 1, 0, 0, 0, 2, 1, 0)


def convolve2d(image, kernel, stride=1):
    """The 'valid' cross-correlation."""
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows[::stride, ::stride], kernel)


class RandomAgent:
    """Uniform over a Discrete space."""

    def __init__(self, action_space, seed=None):
        self._random = np.random.default_rng(seed)
        self._space = action_space

    def act(self, observation):
        return int(self._space.start + self._random.integers(self._space.n))


class DQNAgent:
    """The best policy on slippery ice."""

    def __init__(self, observation_space, action_space):
        pass

    def act(self, observation):
        return _POLICY[int(observation)]


def create_q_model(num_actions):
    """Two dense layers."""
    import keras

    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(num_actions)(hidden))
