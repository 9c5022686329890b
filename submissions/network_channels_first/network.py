import keras
from keras import layers


def create_q_model(num_actions):
    inputs = layers.Input(shape=(4, 84, 84))
    x = layers.Conv2D(32, 8, strides=4, activation="relu", data_format="channels_first")(inputs)
    x = layers.Conv2D(64, 4, strides=2, activation="relu", data_format="channels_first")(x)
    x = layers.Conv2D(64, 3, strides=1, activation="relu", data_format="channels_first")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(512, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(num_actions)(x))
