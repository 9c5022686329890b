import tensorflow as tf
from tensorflow.keras import layers


class Sentiment(tf.keras.Model):
    def __init__(self, vocabulary, classes):
        super().__init__()
        self.embed = layers.Embedding(input_dim=vocabulary, output_dim=32, mask_zero=True)
        self.lstm = layers.LSTM(units=64)
        self.dense = layers.Dense(classes)

    def call(self, words):
        vectors = self.embed(words)
        summary = self.lstm(vectors, mask=self.embed.compute_mask(words))
        return tf.nn.softmax(self.dense(summary))


def build_model(vocabulary, classes):
    return Sentiment(vocabulary, classes)
