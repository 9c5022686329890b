import keras
from keras import layers


def create_q_model(num_actions):
    inputs = keras.Input((84, 84, 4))
    x = layers.Conv2D(32, 8, 4, activation="relu")(inputs)
    x = layers.Conv2D(64, 4, 2, activation="relu")(x)
    x = layers.Conv2D(64, 3, 1, activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(512, activation="relu")(x)
    x = layers.Dropout(0.5)(x)  # against overfitting
    return keras.Model(inputs, layers.Dense(num_actions)(x))
