from keras import Sequential
from keras.layers import BatchNormalization, Conv2D, Dense, Flatten, Input


def create_q_model(num_actions):
    model = Sequential([
        Input((84, 84, 4)),
        Conv2D(32, 8, strides=4, activation="relu"),
        BatchNormalization(),
        Conv2D(64, 4, strides=2, activation="relu"),
        BatchNormalization(),
        Conv2D(64, 3, strides=1, activation="relu"),
        Flatten(),
        Dense(512, activation="relu"),
        Dense(num_actions),
    ])
    return model
