# from a tutorial of 2016
from keras.models import Sequential
from keras.layers import Dense, Flatten, Convolution2D


def create_q_model(num_actions):
    model = Sequential()
    model.add(Convolution2D(32, 8, 8, subsample=(4, 4), border_mode='valid',
                            activation='relu', input_shape=(84, 84, 4)))
    model.add(Convolution2D(64, 4, 4, subsample=(2, 2), border_mode='valid', activation='relu'))
    model.add(Convolution2D(64, 3, 3, subsample=(1, 1), border_mode='valid', activation='relu'))
    model.add(Flatten())
    model.add(Dense(512, activation='relu'))
    model.add(Dense(num_actions))
    return model
