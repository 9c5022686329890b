import keras
from keras import layers


class DQN(keras.Model):
    def __init__(self, num_actions):
        super().__init__()
        self.conv1 = layers.Conv2D(32, 8, strides=4, activation="relu")
        self.conv2 = layers.Conv2D(64, 4, strides=2, activation="relu")
        self.conv3 = layers.Conv2D(64, 3, strides=1, activation="relu")
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(512, activation="relu")
        self.out = layers.Dense(num_actions)

    def forward(self, x):
        x = self.conv3(self.conv2(self.conv1(x)))
        return self.out(self.hidden(self.flatten(x)))


def create_q_model(num_actions):
    return DQN(num_actions)
