from keras.models import Sequential
from keras.layers import Conv2D, Dense, Input


def create_q_model(num_actions):
    return Sequential([
        Input((84, 84, 4)),
        Conv2D(32, 8, strides=4, activation='relu'),
        Conv2D(64, 4, strides=2, activation='relu'),
        Conv2D(64, 3, strides=1, activation='relu'),
        Dense(512, activation='relu'),
        Dense(num_actions),
    ])
