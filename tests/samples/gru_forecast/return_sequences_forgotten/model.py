import keras
from keras import layers


def create_model(steps, features, horizon):
    model = keras.Sequential()
    model.add(keras.Input((steps, features)))
    model.add(layers.Masking())
    model.add(layers.GRU(32))
    model.add(layers.GRU(16))
    model.add(layers.Dense(horizon))
    return model
