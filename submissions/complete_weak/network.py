import keras
from keras import layers


def create_q_model(num_actions):
    model = keras.Sequential()
    model.add(keras.Input((84, 84, 4)))
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dense(num_actions, activation="softmax"))
    return model
