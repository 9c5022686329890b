import keras
from keras import layers


class ConvBlock(layers.Layer):
    """Convolution and relu in one block."""

    def __init__(self, filters, kernel_size, strides, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(filters, kernel_size, strides=strides)
        self.relu = layers.ReLU()

    def call(self, inputs):
        return self.relu(self.conv(inputs))


def create_q_model(num_actions):
    inputs = keras.Input(shape=(84, 84, 4))
    x = ConvBlock(32, 8, 4)(inputs)
    x = ConvBlock(64, 4, 2)(x)
    x = ConvBlock(64, 3, 1)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(512, activation="relu")(x)
    outputs = layers.Dense(num_actions)(x)
    return keras.Model(inputs, outputs)
