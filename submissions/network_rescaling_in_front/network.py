import keras
from keras import layers


def create_q_model(num_actions):
    return keras.Sequential(
        [
            keras.Input(shape=(84, 84, 4)),
            layers.Rescaling(1.0 / 255),   # 0..255 -> 0..1
            layers.Conv2D(32, 8, strides=4, activation="relu", kernel_initializer="he_normal"),
            layers.Conv2D(64, 4, strides=2, activation="relu", kernel_initializer="he_normal"),
            layers.Conv2D(64, 3, strides=1, activation="relu", kernel_initializer="he_normal"),
            layers.Flatten(),
            layers.Dense(512, activation="relu", kernel_initializer="he_normal"),
            layers.Dense(num_actions, name="q_values"),
        ],
        name="dqn",
    )
