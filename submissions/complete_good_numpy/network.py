import tensorflow as tf

tfl = tf.keras.layers


def create_q_model(num_actions: int) -> tf.keras.Model:
    return tf.keras.Sequential([
        tfl.InputLayer(shape=(84, 84, 4)),
        tfl.Conv2D(32, 8, strides=4),
        tfl.ReLU(),
        tfl.Conv2D(64, 4, strides=2),
        tfl.ReLU(),
        tfl.Conv2D(64, 3),
        tfl.ReLU(),
        tfl.Flatten(),
        tfl.Dense(512),
        tfl.ReLU(),
        tfl.Dense(num_actions),
    ])
