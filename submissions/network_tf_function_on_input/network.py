import keras
import tensorflow as tf
from keras import layers


def create_q_model(num_actions):
    frames = keras.Input((84, 84, 4))
    x = tf.cast(frames, tf.float32) / 255.0
    x = layers.Conv2D(32, 8, strides=4, activation="relu")(x)
    x = layers.Conv2D(64, 4, strides=2, activation="relu")(x)
    x = layers.Conv2D(64, 3, strides=1, activation="relu")(x)
    x = layers.Dense(512, activation="relu")(layers.Flatten()(x))
    return keras.Model(frames, layers.Dense(num_actions)(x))
