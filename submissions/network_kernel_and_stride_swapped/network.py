from keras import Sequential
from keras.layers import Conv2D, Dense, Flatten, Input


def create_q_model(num_actions):
    model = Sequential()
    model.add(Input((84, 84, 4)))
    model.add(Conv2D(32, 4, 8, activation='relu'))  # 8x8, stride 4
    model.add(Conv2D(64, 4, 2, activation='relu'))
    model.add(Conv2D(64, 3, 1, activation='relu'))
    model.add(Flatten())
    model.add(Dense(512, activation='relu'))
    model.add(Dense(num_actions))
    return model
