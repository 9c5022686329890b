import keras
from keras import layers


def create_q_model(num_actions):
    return keras.Sequential([
        keras.Input((84, 84, 4)),
        layers.Conv2D(16, 8, strides=4, activation="relu"),
        layers.Conv2D(32, 4, strides=2, activation="relu"),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(num_actions),
    ])
