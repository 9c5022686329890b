import keras
from keras import layers


def create_model(vocabulary, classes):
    return keras.Sequential([
        keras.Input((30,), dtype="int32"),
        layers.Embedding(5000, 32, mask_zero=True),
        layers.LSTM(64),
        layers.Dense(classes, activation="softmax"),
    ])
