import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.convs = [tf.keras.layers.Conv2D(n, 5, activation="gelu") for n in (24, 48)]
        self.pools = [tf.keras.layers.MaxPool2D() for _ in self.convs]
        self.head = tf.keras.layers.Dense(classes)

    def call(self, images):
        x = images / 255
        for conv, pool in zip(self.convs, self.pools):
            x = pool(conv(x))
        x = tf.reduce_mean(x, axis=[1, 2])
        return tf.nn.softmax(self.head(x))


def create_model(classes):
    return Net(classes)
