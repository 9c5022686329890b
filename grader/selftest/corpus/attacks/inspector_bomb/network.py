"""Describes a small network as one whose rebuilding takes terabytes."""

import keras


class Dense(keras.layers.Dense):
    pass


def config(self):
    told = original(self)
    told["units"] = 2_000_000_000
    return told


original = keras.layers.Dense.get_config
keras.layers.Dense.get_config = config


def create_q_model(num_actions):
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(num_actions),
        ]
    )
