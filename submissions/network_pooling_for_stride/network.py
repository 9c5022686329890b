import keras
from keras import layers


def create_q_model(num_actions):
    model = keras.Sequential()
    model.add(layers.Input((84, 84, 4)))
    model.add(layers.Conv2D(32, 8, strides=4, activation="relu"))
    model.add(layers.Conv2D(64, 4, activation="relu"))
    model.add(layers.MaxPooling2D(2))   # makes it half as big
    model.add(layers.Conv2D(64, 3, activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(512, activation="relu"))
    model.add(layers.Dense(num_actions))
    return model
