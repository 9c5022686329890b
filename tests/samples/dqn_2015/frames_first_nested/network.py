import keras
from keras import layers


def torso():
    frames = keras.Input((84, 84, 4))
    x = frames / 255.0
    for filters, size, step in [(32, 8, 4), (64, 4, 2), (64, 3, 1)]:
        x = layers.Conv2D(filters, size, step)(x)
        x = layers.ReLU()(x)
    return keras.Model(frames, layers.Flatten()(x), name="torso")


def create_q_model(num_actions):
    head = keras.Sequential([layers.Dense(512, "relu"), layers.Dense(num_actions)], name="head")
    frames = keras.Input((4, 84, 84))
    last = layers.Permute((2, 3, 1))(frames)
    return keras.Model(frames, head(torso()(last)))
