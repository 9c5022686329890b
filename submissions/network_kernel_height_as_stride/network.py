# from a tutorial of 2016, the arguments that gave errors are removed
from keras.models import Sequential
from keras.layers import Dense, Flatten, Convolution2D, Input


def create_q_model(num_actions):
    model = Sequential()
    model.add(Input((84, 84, 4)))
    model.add(Convolution2D(32, 8, 8, activation='relu'))
    model.add(Convolution2D(64, 4, 4, activation='relu'))
    model.add(Convolution2D(64, 1, 1, activation='relu'))
    model.add(Flatten())
    model.add(Dense(512, activation='relu'))
    model.add(Dense(num_actions))
    return model
