import tensorflow as tf
from tensorflow import keras


class DQN(keras.Model):
    def __init__(self, num_actions):
        super().__init__()
        self.conv1 = keras.layers.Conv2D(16, (8, 8), (4, 4))
        self.conv2 = keras.layers.Conv2D(32, (4, 4), (2, 2))
        self.flatten = keras.layers.Flatten()
        self.hidden = keras.layers.Dense(256)
        self.out = keras.layers.Dense(num_actions)

    def call(self, x):
        x = tf.cast(x, tf.float32) / 255.0
        x = tf.nn.relu(self.conv1(x))
        x = tf.nn.relu(self.conv2(x))
        x = tf.nn.relu(self.hidden(self.flatten(x)))
        return self.out(x)


def create_q_model(num_actions):
    return DQN(num_actions)
