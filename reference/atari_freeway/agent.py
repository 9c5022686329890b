"""A trained Deep Q-Network that plays Freeway of the Arcade Learning Environment.

`reference/training/train.py` trained it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from gymnasium import spaces
from numpy.typing import NDArray

# Relative to this file, so that the agent finds its weights from any working directory.
WEIGHTS_FILE = Path(__file__).with_name("atari_freeway.weights.h5")
OBSERVATION_DTYPE = np.uint8

Policy = Callable[[NDArray[Any]], NDArray[np.int64]]


def build_q_network(observation_shape: tuple[int, ...], num_actions: int) -> keras.Model:
    """Builds a Q-network in the manner of Mnih et al., Nature 518:529 (2015), but smaller.

    Four pixels are averaged into one before anything else, and the three convolutions and the
    hidden layer are about half as wide: an update takes a tenth of the time, and Freeway has
    neither small nor many kinds of objects.

    Args:
        observation_shape: Shape of an observation, (84, 84, 4) for four pictures.
        num_actions: Number of discrete actions, 3.

    Returns:
        A model from pictures (batch, 84, 84, 4) to Q-values, float32 (batch, num_actions).
    """
    return keras.Sequential(
        [
            keras.Input(shape=observation_shape),
            keras.layers.AveragePooling2D(2),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(16, 5, strides=2, activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(num_actions),
        ]
    )


def greedy_policy(network: keras.Model) -> Policy:
    """Compiles the policy a = argmax Q(s, a) of a Q-network.

    The network is read at every call, so the policy follows it while it is being trained.

    Args:
        network: Maps (batch, 84, 84, 4) to (batch, num_actions).

    Returns:
        A function from observations, uint8 (batch, 84, 84, 4), to action indices, int64 (batch,).
    """

    def best_actions(observations: tf.Tensor) -> tf.Tensor:
        values = network(tf.cast(observations, tf.float32), training=False)
        return tf.argmax(values, axis=-1)

    # One compiled call per step: `Model.predict` sets up a data pipeline each time and takes about
    # a hundred times as long. Tracing here, once, keeps that cost out of the first step. Autograph
    # has no Python loops to translate, and would write temporary files.
    signature = tf.TensorSpec(shape=network.input_shape, dtype=OBSERVATION_DTYPE)
    compiled = tf.function(best_actions, autograph=False).get_concrete_function(signature)

    def act_batch(observations: NDArray[Any]) -> NDArray[np.int64]:
        batch = np.asarray(observations, dtype=OBSERVATION_DTYPE)
        return np.asarray(compiled(tf.constant(batch)))

    return act_batch


class DQNAgent:
    """Plays the action with the largest Q-value; loads the trained weights from beside this file.

    Args:
        observation_space: The environment's observations, uint8 (84, 84, 4).
        action_space: The environment's actions: none, up, down.

    Attributes:
        model: The Q-network.
    """

    def __init__(self, observation_space: spaces.Box, action_space: spaces.Discrete) -> None:
        self.model = build_q_network(observation_space.shape, int(action_space.n))
        self.model.load_weights(WEIGHTS_FILE)
        self._policy = greedy_policy(self.model)

    def act(self, observation: NDArray[np.uint8]) -> int:
        """Returns the greedy action.

        Args:
            observation: The last four grey pictures, the newest last, uint8 (84, 84, 4).
        """
        return int(self._policy(observation[np.newaxis])[0])

    def act_batch(self, observations: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Returns the greedy action for each of several observations.

        Args:
            observations: Observations stacked on axis 0, uint8 (batch, 84, 84, 4).

        Returns:
            Action indices, int64 (batch,).
        """
        return self._policy(observations)
