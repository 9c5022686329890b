import keras
from keras import layers
from keras.layers.convolutional import Conv2D
from keras.layers.core import Dense, Flatten


def create_q_model(num_actions):
    return keras.Sequential([
        keras.Input((84, 84, 4)),
        Conv2D(32, 8, strides=4, activation="relu"),
        Flatten(),
        Dense(num_actions),
    ])
