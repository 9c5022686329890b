# keras-rl style: frames come first (4, 84, 84)
from keras.models import Sequential
from keras.layers import Dense, Activation, Flatten, Convolution2D, Permute, Input

INPUT_SHAPE = (84, 84)
WINDOW_LENGTH = 4


def create_q_model(num_actions):
    input_shape = (WINDOW_LENGTH,) + INPUT_SHAPE
    model = Sequential()
    model.add(Input(shape=input_shape))
    # (channels, width, height) -> (width, height, channels)
    model.add(Permute((2, 3, 1)))
    model.add(Convolution2D(32, (8, 8), strides=(4, 4)))
    model.add(Activation('relu'))
    model.add(Convolution2D(64, (4, 4), strides=(2, 2)))
    model.add(Activation('relu'))
    model.add(Convolution2D(64, (3, 3), strides=(1, 1)))
    model.add(Activation('relu'))
    model.add(Flatten())
    model.add(Dense(512))
    model.add(Activation('relu'))
    model.add(Dense(num_actions))
    model.add(Activation('linear'))
    return model
