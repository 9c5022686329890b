import tensorflow as tf
from tensorflow.keras import layers


class QNetwork(tf.keras.Model):

    def __init__(self, n_actions, name="q_network"):
        super(QNetwork, self).__init__(name=name)
        self.c1 = layers.Conv2D(32, 8, 4)
        self.c2 = layers.Conv2D(64, 4, 2)
        self.c3 = layers.Conv2D(64, 3, 1)
        self.flat = layers.Flatten()
        self.d1 = layers.Dense(512)
        self.d2 = layers.Dense(n_actions)

    def call(self, state):
        h = tf.nn.relu(self.c1(state))
        h = tf.nn.relu(self.c2(h))
        h = tf.nn.relu(self.c3(h))
        h = self.flat(h)
        h = tf.nn.relu(self.d1(h))
        return self.d2(h)


def create_q_model(num_actions):
    net = QNetwork(num_actions)
    net.build((None, 84, 84, 4))
    return net
