import keras
from keras import layers


def create_q_model(num_actions):
    inputs = keras.Input((84, 84, 4))
    x = layers.Rescaling(1 / 255)(inputs)
    for f, k, s in ((32, 8, 4), (64, 4, 2), (64, 3, 1)):
        x = layers.Conv2D(f, k, s, activation="relu")(x)
    x = layers.Flatten()(x)
    for units in (512, num_actions):
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(inputs, x)
