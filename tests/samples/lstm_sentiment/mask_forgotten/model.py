import keras
from keras import layers


def create_model(vocabulary, classes):
    return keras.Sequential([
        keras.Input((30,), dtype="int32"),
        layers.Embedding(vocabulary, 32),
        layers.LSTM(64),
        layers.Dense(classes, activation="softmax"),
    ])
