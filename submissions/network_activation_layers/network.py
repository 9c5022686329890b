from keras import Sequential
from keras.layers import Activation, Conv2D, Dense, Flatten, Input, ReLU


def create_q_model(num_actions):
    model = Sequential()
    model.add(Input((84, 84, 4)))

    model.add(Conv2D(32, (8, 8), strides=(4, 4)))
    model.add(Activation('relu'))

    model.add(Conv2D(64, (4, 4), strides=(2, 2)))
    model.add(Activation('relu'))

    model.add(Conv2D(64, (3, 3)))
    model.add(ReLU())

    model.add(Flatten())
    model.add(Dense(512))
    model.add(ReLU())

    model.add(Dense(num_actions))
    model.add(Activation('linear'))
    return model
