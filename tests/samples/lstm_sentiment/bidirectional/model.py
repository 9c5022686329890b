import keras
from keras import layers


def create_model(vocabulary, classes):
    return keras.Sequential([
        keras.Input((30,), dtype="int32"),
        layers.Embedding(vocabulary, 32, mask_zero=True),
        layers.Bidirectional(layers.LSTM(64, dropout=0.2)),
        layers.Dropout(0.5),
        layers.Dense(classes, activation="softmax"),
    ])
