import keras
from keras import layers


def create_q_model(num_actions):
    screen = keras.Input((84, 84, 4))
    x = layers.Conv2D(32, 8, strides=4, activation="relu")(screen)
    x = layers.Conv2D(64, 4, strides=2, activation="relu")(x)
    x = layers.Conv2D(64, 3, strides=1, activation="relu")(x)
    # (84-8)/4+1 = 20, (20-4)/2+1 = 9, (9-3)/1+1 = 7
    x = layers.Reshape((7 * 7 * 64,))(x)
    x = layers.Dense(512, activation="relu")(x)
    x = layers.Dense(num_actions)(x)
    return keras.Model(screen, x)
