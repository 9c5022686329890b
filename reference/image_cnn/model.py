"""A small convolutional network for pictures.

The average over each map in place of Flatten: Lin et al., "Network In Network", ICLR 2014,
section 3.2.
"""

import keras
from keras import layers


def create_model(classes: int) -> keras.Model:
    """Builds the network that maps a picture to the probability of each class.

    Args:
        classes: Number of classes.

    Returns:
        An uncompiled model from pixels in [0, 255], shape (batch, 32, 32, 3), to probabilities,
        float32, shape (batch, classes). With 10 classes it has 102,506 parameters.
    """
    pictures = keras.Input(shape=(32, 32, 3), name="pictures")
    x = layers.Rescaling(1.0 / 255.0)(pictures)
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, kernel_size=3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dropout(0.3)(x)
    probabilities = layers.Dense(classes, activation="softmax", name="probabilities")(x)
    return keras.Model(pictures, probabilities, name="image_cnn")
