import tensorflow as tf


class DuelingDQN(tf.keras.Model):
    def __init__(self, num_actions):
        super().__init__()
        self.features = tf.keras.Sequential([
            tf.keras.layers.Conv2D(32, 8, 4, activation="relu"),
            tf.keras.layers.Conv2D(64, 4, 2, activation="relu"),
            tf.keras.layers.Conv2D(64, 3, 1, activation="relu"),
            tf.keras.layers.Flatten(),
        ])
        self.value = tf.keras.Sequential([
            tf.keras.layers.Dense(512, activation="relu"),
            tf.keras.layers.Dense(1),
        ])
        self.advantage = tf.keras.Sequential([
            tf.keras.layers.Dense(512, activation="relu"),
            tf.keras.layers.Dense(num_actions),
        ])

    def call(self, states):
        x = self.features(states / 255.0)
        v = self.value(x)
        a = self.advantage(x)
        return v + (a - tf.reduce_mean(a, axis=1, keepdims=True))


def create_q_model(num_actions):
    return DuelingDQN(num_actions)
