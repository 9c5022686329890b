from keras.models import Sequential
from keras.layers import Conv2D, Dense, Flatten


def create_q_model(num_actions):
    model = Sequential()
    model.add(Conv2D(32, 8, strides=4, activation="relu", input_shape=(84, 84, 4)))
    model.add(Conv2D(64, 4, strides=2, activation="relu", input_shape=(84, 84, 4)))
    model.add(Conv2D(64, 3, strides=1, activation="relu", input_shape=(84, 84, 4)))
    model.add(Flatten())
    model.add(Dense(512, activation="relu"))
    model.add(Dense(num_actions))
    return model
