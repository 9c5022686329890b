import keras
from keras import layers


def create_q_model(num_actions):
    model = keras.Sequential()
    model.add(keras.Input((84, 84, 4)))
    model.add(layers.Rescaling(1 / 255))
    model.add(layers.Conv2D(32, 8, strides=4, activation="relu"))
    model.add(layers.Conv2D(64, 4, strides=2, activation="relu"))
    model.add(layers.Conv2D(64, 3, strides=1, activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(512, activation="relu"))
    # probability of every action
    model.add(layers.Dense(num_actions, activation="softmax"))
    return model
