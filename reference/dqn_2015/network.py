"""The Deep Q-Network for Atari.

Mnih et al., "Human-level control through deep reinforcement learning", Nature 518:529 (2015),
Methods, "Model architecture".
"""

import keras
from keras import layers


def create_q_model(num_actions: int) -> keras.Model:
    """Builds the network that maps four stacked frames to one Q-value per action.

    Args:
        num_actions: Number of discrete actions, 4 for Breakout.

    Returns:
        An uncompiled model from pixels in [0, 255], shape (batch, 84, 84, 4), to Q-values, float32,
        shape (batch, num_actions). With 4 actions it has 1,686,180 parameters.
    """
    return keras.Sequential(
        [
            keras.Input(shape=(84, 84, 4), name="frames"),
            layers.Rescaling(1.0 / 255.0),
            layers.Conv2D(32, kernel_size=8, strides=4, activation="relu"),
            layers.Conv2D(64, kernel_size=4, strides=2, activation="relu"),
            layers.Conv2D(64, kernel_size=3, strides=1, activation="relu"),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dense(num_actions, name="q_values"),
        ],
        name="deep_q_network_2015",
    )
