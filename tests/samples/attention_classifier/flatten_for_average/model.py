import keras
from keras import layers


def create_model(vocabulary, classes):
    words = keras.Input((16,), dtype="int32")
    x = layers.Embedding(vocabulary, 64)(words)
    a = layers.MultiHeadAttention(num_heads=4, key_dim=16)(x, x)
    x = layers.LayerNormalization()(layers.add([x, a]))
    x = layers.Flatten()(x)
    x = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(words, x)
