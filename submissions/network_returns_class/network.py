import keras
from keras import layers


class QNet(keras.Model):
    def __init__(self, num_actions=4):
        super().__init__()
        self.body = keras.Sequential([
            layers.Conv2D(32, 8, strides=4, activation="relu"),
            layers.Conv2D(64, 4, strides=2, activation="relu"),
            layers.Conv2D(64, 3, strides=1, activation="relu"),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dense(num_actions),
        ])

    def call(self, x):
        return self.body(x)


def create_q_model(num_actions):
    return QNet
