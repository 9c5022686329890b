"""Self-attention on words.

Vaswani et al., "Attention is all you need", NeurIPS 2017, sections 3.1 and 3.2.2.
"""

import keras
from keras import layers


def create_model(vocabulary: int, classes: int) -> keras.Model:
    """Builds the network that maps the words of a sentence to the probability of each class.

    Args:
        vocabulary: Number of different words.
        classes: Number of classes.

    Returns:
        An uncompiled model from word numbers, int32, shape (batch, 16), to probabilities, float32,
        shape (batch, classes).
    """
    words = keras.Input(shape=(16,), dtype="int32", name="words")
    vectors = layers.Embedding(vocabulary, 64)(words)
    attended = layers.MultiHeadAttention(num_heads=4, key_dim=16)(vectors, vectors)
    # Around the attention, so that a word keeps what it was.
    x = layers.Add()([vectors, attended])
    x = layers.LayerNormalization()(x)
    x = layers.GlobalAveragePooling1D()(x)
    classes_of_words = layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(words, classes_of_words, name="attention_classifier")
