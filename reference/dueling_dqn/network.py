"""A dueling network for Atari.

Wang et al., "Dueling Network Architectures for Deep Reinforcement Learning", ICML 2016, section 3,
on the convolutions of Mnih et al. 2015.
"""

import keras
from keras import layers, ops


def create_q_model(num_actions: int) -> keras.Model:
    """Builds a network with a stream for the state and one for the actions.

    Args:
        num_actions: Number of discrete actions, 4 for Breakout.

    Returns:
        An uncompiled model from pixels in [0, 255], shape (batch, 84, 84, 4), to Q-values, float32,
        shape (batch, num_actions).
    """
    frames = keras.Input(shape=(84, 84, 4), name="frames")
    x = layers.Rescaling(1.0 / 255.0)(frames)
    x = layers.Conv2D(32, kernel_size=8, strides=4, activation="relu")(x)
    x = layers.Conv2D(64, kernel_size=4, strides=2, activation="relu")(x)
    x = layers.Conv2D(64, kernel_size=3, strides=1, activation="relu")(x)
    features = layers.Flatten()(x)

    hidden = layers.Dense(512, activation="relu")(features)
    value = layers.Dense(1, name="value")(hidden)
    hidden = layers.Dense(512, activation="relu")(features)
    advantage = layers.Dense(num_actions, name="advantage")(hidden)

    # Value and advantage could trade any constant between them; taking the mean away pins it down
    # (equation 9).
    q_values = value + (advantage - ops.mean(advantage, axis=1, keepdims=True))
    return keras.Model(frames, q_values, name="dueling_deep_q_network")
