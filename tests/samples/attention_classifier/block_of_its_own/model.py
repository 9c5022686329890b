import keras
from keras import layers, ops


class Block(layers.Layer):
    def __init__(self, heads, size):
        super().__init__()
        self.attention = layers.MultiHeadAttention(heads, size)
        self.norm = layers.LayerNormalization()

    def call(self, x):
        return self.norm(x + self.attention(query=x, value=x, key=x))


def create_model(vocabulary, classes):
    words = keras.Input((16,))
    x = layers.Embedding(vocabulary, 64)(words)
    x = Block(4, 16)(x)
    x = ops.mean(x, axis=1)
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(classes)(x)
    return keras.Model(words, layers.Softmax()(x))
