import tensorflow as tf


class AtariNet(tf.keras.Model):
    def __init__(self, num_actions):
        super().__init__()
        self.all_layers = [
            tf.keras.layers.Conv2D(32, 8, strides=4, activation="relu"),
            tf.keras.layers.Conv2D(64, 4, strides=2, activation="relu"),
            tf.keras.layers.Conv2D(64, 3, strides=1, activation="relu"),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(512, activation="relu"),
            tf.keras.layers.Dense(num_actions),
        ]

    def call(self, frames, training=False):
        # frames are uint8 in the replay buffer
        x = tf.cast(frames, tf.float32) / 255.0
        for layer in self.all_layers:
            x = layer(x)
        return x


def create_q_model(num_actions):
    model = AtariNet(num_actions)
    model(tf.zeros((1, 84, 84, 4)))   # creates the weights
    return model
