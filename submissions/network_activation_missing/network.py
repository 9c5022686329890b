import tensorflow as tf


class DQN(tf.keras.Model):
    def __init__(self, num_actions):
        super().__init__()
        self.conv1 = tf.keras.layers.Conv2D(32, 8, 4)
        self.conv2 = tf.keras.layers.Conv2D(64, 4, 2)
        self.conv3 = tf.keras.layers.Conv2D(64, 3, 1)
        self.flatten = tf.keras.layers.Flatten()
        self.dense = tf.keras.layers.Dense(512)
        self.out = tf.keras.layers.Dense(num_actions)

    def call(self, x):
        x = tf.nn.relu(self.conv1(x))
        x = self.conv2(x)
        x = tf.nn.relu(self.conv3(x))
        x = tf.nn.relu(self.dense(self.flatten(x)))
        return self.out(x)


def create_q_model(num_actions):
    return DQN(num_actions)
