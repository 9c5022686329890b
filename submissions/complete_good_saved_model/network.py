import tensorflow as tf
from tensorflow import keras


class NatureCNN(keras.Model):
    """Mnih et al. 2015"""

    def __init__(self, num_actions, **kwargs):
        super().__init__(**kwargs)
        conv = keras.layers.Conv2D
        self.features = keras.Sequential([
            conv(32, 8, strides=4, activation="relu"),
            conv(64, 4, strides=2, activation="relu"),
            conv(64, 3, strides=1, activation="relu"),
            keras.layers.Flatten(),
        ])
        self.hidden = keras.layers.Dense(512, activation="relu")
        self.q = keras.layers.Dense(num_actions)

    def call(self, x):
        x = tf.cast(x, tf.float32) / 255.0
        return self.q(self.hidden(self.features(x)))


def create_q_model(num_actions):
    return NatureCNN(num_actions, name="nature_cnn")
