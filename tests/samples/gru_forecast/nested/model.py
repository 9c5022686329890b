import keras
from keras import layers


def encoder():
    return keras.Sequential([
        layers.GRU(32, return_sequences=True),
        layers.GRU(16, dropout=0.1),
    ])


def create_model(steps, features, horizon):
    series = keras.Input((None, features))
    x = layers.Masking()(series)
    x = encoder()(x)
    return keras.Model(series, layers.Dense(horizon)(x))
