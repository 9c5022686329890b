"""The first Deep Q-Network.

Mnih et al., "Playing Atari with Deep Reinforcement Learning", arXiv 1312.5602 (2013), section 4.1.
"""

import keras
from keras import layers


def create_q_model(num_actions: int) -> keras.Model:
    """Builds the network that maps four stacked frames to one Q-value per action.

    Args:
        num_actions: Number of discrete actions, 4 for Breakout.

    Returns:
        An uncompiled model from pixels in [0, 255], shape (batch, 84, 84, 4), to Q-values, float32,
        shape (batch, num_actions).
    """
    frames = keras.Input(shape=(84, 84, 4), name="frames")
    x = layers.Rescaling(1.0 / 255.0)(frames)
    x = layers.Conv2D(16, kernel_size=8, strides=4, activation="relu")(x)
    x = layers.Conv2D(32, kernel_size=4, strides=2, activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(256, activation="relu")(x)
    q_values = layers.Dense(num_actions, name="q_values")(x)
    return keras.Model(frames, q_values, name="deep_q_network_2013")
