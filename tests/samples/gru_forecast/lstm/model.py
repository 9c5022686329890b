import keras
from keras import layers


def create_model(steps, features, horizon):
    model = keras.Sequential()
    model.add(keras.Input((steps, features)))
    model.add(layers.Masking())
    model.add(layers.LSTM(32, return_sequences=True))
    model.add(layers.LSTM(16))
    model.add(layers.Dense(horizon))
    return model
