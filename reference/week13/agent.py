"""A trained Deep Q-Network that plays `CartPole-v1` greedily; `train_agent.py` trained it."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from gymnasium import spaces
from numpy.typing import NDArray

# Relative to this file, so that the agent finds its weights from any working directory.
WEIGHTS_FILE = Path(__file__).with_name("cartpole_dqn.weights.h5")

Policy = Callable[[NDArray[np.float32]], int]


def build_q_network(num_features: int, num_actions: int) -> keras.Model:
    """Builds the Q-network: two hidden layers of 256 rectified linear units.

    Args:
        num_features: Length of an observation vector, 4 for CartPole.
        num_actions: Number of discrete actions, 2 for CartPole.

    Returns:
        A model from observations, float32 (batch, num_features), to Q-values, float32
        (batch, num_actions).
    """
    return keras.Sequential(
        [
            keras.Input(shape=(num_features,)),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(num_actions),
        ]
    )


def greedy_policy(network: keras.Model) -> Policy:
    """Compiles the policy a = argmax Q(s, a) of a Q-network.

    The network is read at every call, so the policy follows it while it is being trained.

    Args:
        network: Maps (batch, num_features) to (batch, num_actions).

    Returns:
        A function from one observation, shape (num_features,), to an action index.
    """

    def best_action(observations: tf.Tensor) -> tf.Tensor:
        return tf.argmax(network(observations, training=False), axis=-1)[0]

    # One compiled call per step: `Model.predict` sets up a data pipeline each time and takes about
    # a hundred times as long. Tracing here, once, keeps that cost out of the first step. Autograph
    # has no Python loops to translate, and would write temporary files.
    signature = tf.TensorSpec(shape=(1, *network.input_shape[1:]), dtype=tf.float32)
    compiled = tf.function(best_action, autograph=False).get_concrete_function(signature)

    def act(observation: NDArray[np.float32]) -> int:
        batch = np.asarray(observation, dtype=np.float32)[np.newaxis]
        return int(compiled(tf.constant(batch)))

    return act


class DQNAgent:
    """Plays the action with the largest Q-value; loads the trained weights from beside this file.

    Args:
        observation_space: The environment's observations, a vector.
        action_space: The environment's actions, counted from 0.
    """

    def __init__(self, observation_space: spaces.Box, action_space: spaces.Discrete) -> None:
        network = build_q_network(observation_space.shape[0], int(action_space.n))
        network.load_weights(WEIGHTS_FILE)
        self._policy = greedy_policy(network)

    def act(self, observation: NDArray[np.float32]) -> int:
        """Returns the greedy action.

        Args:
            observation: Cart position (m), cart velocity (m/s), pole angle (rad), and pole angular
                velocity (rad/s): float32, shape (4,).
        """
        return self._policy(observation)
