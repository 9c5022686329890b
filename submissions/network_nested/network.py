import keras
from keras import layers


def make_features():
    # sees the picture
    frames = keras.Input((84, 84, 4))
    x = layers.Conv2D(32, 8, 4, activation="relu")(frames)
    x = layers.Conv2D(64, 4, 2, activation="relu")(x)
    x = layers.Conv2D(64, 3, 1, activation="relu")(x)
    x = layers.Flatten()(x)
    return keras.Model(frames, x, name="features")


def make_head(num_actions):
    # decides
    return keras.Sequential([
        keras.Input((7 * 7 * 64,)),
        layers.Dense(512, activation="relu"),
        layers.Dense(num_actions),
    ], name="head")


def create_q_model(num_actions):
    frames = keras.Input((84, 84, 4))
    q = make_head(num_actions)(make_features()(frames))
    return keras.Model(frames, q)
