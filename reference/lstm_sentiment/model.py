"""Opinions from reviews with an LSTM.

Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9:1735 (1997).
"""

import keras
from keras import layers


def create_model(vocabulary: int, classes: int) -> keras.Model:
    """Builds the network that maps the words of a review to the probability of each opinion.

    Args:
        vocabulary: Number of different words, 0 for padding among them.
        classes: Number of opinions.

    Returns:
        An uncompiled model from word numbers, int32, shape (batch, words), to probabilities,
        float32, shape (batch, classes).
    """
    words = keras.Input(shape=(None,), dtype="int32", name="words")
    # Word 0 fills short reviews up: without the mask the LSTM would read it and forget the rest.
    x = layers.Embedding(vocabulary, 32, mask_zero=True)(words)
    x = layers.Dropout(0.2)(x)
    x = layers.LSTM(64)(x)
    opinions = layers.Dense(classes, activation="softmax", name="opinions")(x)
    return keras.Model(words, opinions, name="lstm_sentiment")
