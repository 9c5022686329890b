import keras
from keras import layers

filters = [64, 64, 32]
kernels = [8, 4, 3]
strides = [4, 2, 1]


def create_q_model(num_actions):
    x = inputs = keras.Input((84, 84, 4))
    for f, k, s in zip(filters, kernels, strides):
        x = layers.Conv2D(f, k, strides=s, activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(512, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(num_actions)(x))
