from google.colab import drive
drive.mount("/content/drive")

import keras
from keras import layers

PATH = "/content/drive/MyDrive/dqn/"


def create_q_model(num_actions):
    return keras.Sequential([
        keras.Input((84, 84, 4)),
        layers.Conv2D(32, 8, strides=4, activation="relu"),
        layers.Conv2D(64, 4, strides=2, activation="relu"),
        layers.Conv2D(64, 3, strides=1, activation="relu"),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(num_actions),
    ])


if __name__ == "__main__":
    create_q_model(4).load_weights(PATH + "dqn.weights.h5")
