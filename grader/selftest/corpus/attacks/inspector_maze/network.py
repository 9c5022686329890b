"""Returns a network of two hundred layers, for whoever rebuilds and compares it."""

import keras


def create_q_model(num_actions):
    inputs = x = keras.Input((6,))
    for _ in range(200):
        x = keras.layers.Activation("linear")(x)
    return keras.Model(inputs, keras.layers.Dense(num_actions)(x))
