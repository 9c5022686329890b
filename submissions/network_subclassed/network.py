import keras
from keras import layers


class DQN(keras.Model):
    def __init__(self, num_actions):
        super().__init__()
        self.conv1 = layers.Conv2D(32, (8, 8), strides=(4, 4), activation='relu')
        self.conv2 = layers.Conv2D(64, (4, 4), strides=(2, 2), activation='relu')
        self.conv3 = layers.Conv2D(64, (3, 3), strides=(1, 1), activation='relu')
        self.flatten = layers.Flatten()
        self.fc1 = layers.Dense(512, activation='relu')
        self.fc2 = layers.Dense(num_actions)

    def call(self, x):
        x = self.conv1(x)
        x = self.conv2(x)
        x = self.conv3(x)
        x = self.flatten(x)
        x = self.fc1(x)
        return self.fc2(x)


def create_q_model(num_actions):
    return DQN(num_actions)
