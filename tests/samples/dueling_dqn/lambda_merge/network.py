import keras
from keras import layers


def create_q_model(num_actions):
    inputs = keras.Input((84, 84, 4))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(32, 8, strides=4, activation="relu")(x)
    x = layers.Conv2D(64, 4, strides=2, activation="relu")(x)
    x = layers.Conv2D(64, 3, strides=1, activation="relu")(x)
    x = layers.Flatten()(x)
    value = layers.Dense(512, activation="relu")(x)
    value = layers.Dense(1)(value)
    advantage = layers.Dense(512, activation="relu")(x)
    advantage = layers.Dense(num_actions)(advantage)
    q = layers.Lambda(
        lambda streams: streams[1] + (streams[0] - keras.ops.mean(streams[0], axis=1, keepdims=True))
    )([advantage, value])
    return keras.Model(inputs, q)
